"""Councils that were reorganised: what the new one's figures would have been, and the break.

A council under a new code is the same council. A council that replaced others has no figures of
its own before that day; where all that it replaced have counts, their sum shows what it would have
had. Rates are never averaged, and a council that was divided is never shared out.
"""

import numpy as np
import pandas as pd

from pmf_analysis.data.contract import series_key
from pmf_analysis.measures.arrays import TABLES, Column, Day, Flags, Frame, Texts, constants
from pmf_analysis.measures.history import COUNTS_AGREE

_SET = constants("areas")
NOTE = "as if: sum of the councils it replaced"


def normalised_changes(area_changes: Frame) -> Frame:
    """Date every change by the first day of the new code, and know divided councils as such.

    Some sources give the last day of the old code: the last day of a month becomes the next day.
    A code that gives way to several is `split`, whatever the source calls it. Left out are changes
    to the same code, those that lead back to where they began, and those without a date that are
    not only a new code: nobody could place them.
    """
    rows = area_changes[TABLES["area_changes"]].drop_duplicates(_SET.codes, ignore_index=True)
    days = pd.to_datetime(rows["on_date"])
    merged = rows["kind"] != "recoded"
    is_split = merged & (merged.groupby(rows["old_code"]).transform("sum") > 1)
    rows["on_date"] = days.mask(days.dt.is_month_end, days + pd.Timedelta(days=1))
    rows["kind"] = rows["kind"].mask(is_split, "split")
    return rows[(rows["on_date"].notna() | ~merged) & ~_leads_back(rows)].reset_index(drop=True)


def _leads_back(changes: Frame) -> Column:
    """Whether a change is part of a circle: its codes both give way and are given way to."""
    left = changes
    while True:
        old, new = left["old_code"], left["new_code"]
        inside = old.isin(new) & new.isin(old)
        if inside.all():
            return pd.Series(changes.index.isin(left.index), changes.index)
        left = left[inside]


def trusted_changes(area_changes: Frame, panel: Frame) -> Frame:
    """Give the dated changes without new codes that a second living council has.

    Where both codes have figures for one period after the day (or at any time, without a day), and
    more than half of them differ, the two are not one council.
    """
    changes = normalised_changes(area_changes)
    figures = panel[[*_SET.cell[:5], "area", "value"]].dropna(subset="value")
    both = changes[changes["kind"] == "recoded"]
    for code in _SET.codes:
        both = both.merge(figures.rename(columns={"area": code, "value": f"of_{code}"}))
    both = both[~(both["period"] < both["on_date"])]
    one, other = both["of_old_code"], both["of_new_code"]
    two = ((one - other).abs() > COUNTS_AGREE * other.abs()).groupby(both["old_code"]).mean()
    return changes[~changes["old_code"].isin(two.index[two > 1 / 2])]


def area_notes(area_changes: Frame, panel: Frame, area: str) -> Frame:
    """Say which area changes are not used, and whether our own code is out of use.

    Returns level, code, indicator (""), message; `panel` as :func:`follow_areas` takes it.
    """
    circle = area_changes[_leads_back(area_changes)].query("old_code != new_code")
    used = trusted_changes(area_changes, panel)
    two = normalised_changes(area_changes).query("old_code not in @used.old_code")
    ours = used[(used["old_code"] == area) & ~(used["on_date"] > panel["period_end"].max())]
    notes = []
    for name, rows in {"circle": circle, "two": two, "gone": ours}.items():
        level, text = _SET.notes[name]
        codes = rows[_SET.codes].drop_duplicates().to_numpy()
        notes += [(level, "area-change", "", text.format(*pair)) for pair in codes]
    return pd.DataFrame(notes, columns=TABLES["notes"], dtype="str")


def current_members(peer_sets: Frame, area_changes: Frame, as_at: Day, *, area: str = "") -> Frame:
    """Put in the place of every abolished member of a set the council that replaced it, once.

    Rows as :func:`chosen_peer_sets` gives them. Changes after `as_at` have not happened. A divided
    council leaves the set, as neither part is it; so does one that `area`, ours, replaced.
    """
    changes = normalised_changes(area_changes)
    changes = changes[~(changes["on_date"] > pd.Timestamp(as_at))]
    final = _final_codes(changes)
    names = changes.drop_duplicates("new_code").set_index("new_code")["new_name"]
    now = peer_sets["member"].replace(final)
    called = now.map(names).astype("str").fillna("")
    name = peer_sets["member_name"].mask((now != peer_sets["member"]) & (called != ""), called)
    gone = now.isin(["", area, final.get(area, area)])
    kept = peer_sets.assign(member=now, member_name=name)[~gone]
    return kept.drop_duplicates(["peer_set", "member"], ignore_index=True)


def _final_codes(changes: Frame) -> dict[str, str]:
    """The code in use today of every old code, through all changes; "" for a divided council."""
    step = dict(zip(changes["old_code"], changes["new_code"], strict=True))
    step |= dict.fromkeys(changes.loc[changes["kind"] == "split", "old_code"], "")
    final = {}
    for code in step:
        final[code] = step[code]
        while final[code] in step:
            final[code] = step[final[code]]
    return final


def follow_areas(panel: Frame, moves: Frame, register: Frame, areas: Texts) -> tuple[Frame, Frame]:
    """Give councils under a new code their past, and new councils an as-if past.

    Parameters
    ----------
    panel
        Main frame of measures, all areas, small counts already hidden.
    moves
        Table `area_changes` of the contract: old_code, new_code, kind, on_date, old_name, new_name.
    areas
        Our own council first, then those it is compared with: they get an as-if past. Our own
        code stays ours though another replaced it (:func:`area_notes` says so).

    Returns
    -------
    panel
        The same columns and `is_as_if`. Rows of a recoded council have its new code; where both
        codes have a figure for one period, the new one's stays. A period before the day on which
        a council replaced others gets the value of their counts added up (statistic proportion or
        rate) or of their values (counts), where every one of them has it, and where the counts
        make their own values to 2 %; published figures of the new council stay. Of two tiers,
        districts count where all have figures, else the county that became the council.
    breaks
        One row for every indicator of our own council that has figures from that day on:
        indicator, period_start, kind "boundary", comparable False, reason, owner, recorded_on.
    """
    changes = trusted_changes(moves, panel)
    codes = _final_codes(changes.query("kind == 'recoded' and old_code != @areas[0]"))
    merged = changes[changes["kind"] == "merged"].replace({"old_code": codes, "new_code": codes})
    wanted, fringe = set(areas), set(areas)
    while fringe:  # a council that was replaced may itself have replaced others
        fringe = set(merged.loc[merged["new_code"].isin(fringe), "old_code"]) - wanted
        wanted |= fringe
    merged = merged[merged["new_code"].isin(wanted)]
    concerned = {*codes, *codes.values(), *merged["old_code"], *merged["new_code"]}
    touched = panel["area"].isin(concerned)
    if not touched.any():
        return panel.assign(is_as_if=False), pd.DataFrame(columns=TABLES["changes"])
    rows = _recoded(panel[touched].assign(is_as_if=False), codes)
    for _, now in merged.groupby("on_date"):
        news = now.groupby("new_code")
        both = pd.concat([rows, *(_as_if(rows, olds, register) for _, olds in news)])
        rows = _one_a_period(both.reset_index(drop=True), both["is_as_if"].to_numpy())
    rows = rows[~rows["is_as_if"] | rows["area"].isin(areas)]
    breaks = _breaks(rows, merged[merged["new_code"] == areas[0]])
    return pd.concat([panel[~touched].assign(is_as_if=False), rows], ignore_index=True), breaks


def _recoded(rows: Frame, codes: dict[str, str]) -> Frame:
    is_old = rows["area"].isin(codes)
    now = rows.assign(area=rows["area"].replace(codes))
    names = rows[~is_old].drop_duplicates("area").set_index("area")["area_name"]
    now["area_name"] = now["area"].map(names).fillna(now["area_name"])
    return _one_a_period(now.assign(series=keyed(now)), is_old.to_numpy())


def keyed(rows: Frame) -> Column:
    """Series of each row of the main frame, by what its columns say."""
    return series_key(rows.rename(columns={"indicator": "indicator_id", "area": "area_code"}))


def _one_a_period(rows: Frame, second: Flags) -> Frame:
    """Keep one row a series and period: with a figure, if there is one, and not a `second` one."""
    order = second.astype(int) + 2 * rows["value"].isna()
    ordered = rows.assign(order=order).sort_values(["series", "period", "order"], kind="stable")
    return ordered.drop_duplicates(["series", "period"], ignore_index=True).drop(columns="order")


def _as_if(rows: Frame, olds: Frame, register: Frame) -> Frame:
    """Rows of a new council before its first day, each the sum over all councils of one tier."""
    new, day = olds["new_code"].iloc[0], olds["on_date"].max()
    parts = rows[rows["area"].isin(olds["old_code"]) & (rows["period"] < day)]
    facts = register.set_index("indicator").loc[parts["indicator"]]
    is_share = facts["statistic"].isin(["proportion", "rate"]).to_numpy()
    scale = np.where(facts["statistic"] == "rate", facts["rate_base"].astype(float), 100.0)
    worked_out = scale * parts["numerator"] / parts["denominator"].where(parts["denominator"] > 0)
    value = parts["value"]
    agrees = (worked_out - value).abs() <= np.maximum(COUNTS_AGREE * value.abs(), 0.1)
    is_count = (facts["data_type"] == "count").to_numpy()
    county = parts["area"].str.startswith(_SET.county)
    parts = parts.assign(scale=np.where(is_share, scale, np.nan), county=county)
    parts = parts[(is_share & agrees) | (is_count & parts["value"].notna())]
    keys = [*_SET.cell, "county"]
    counts = ["value", "numerator", "denominator"]
    sums = parts.assign(n=1).groupby(keys)[[*counts, "n"]].sum()
    whole = olds["old_code"].drop_duplicates().str.startswith(_SET.county).value_counts()
    made = parts.drop_duplicates(keys).drop(columns=counts).join(sums, on=keys)
    made = made[made["n"] == made["county"].map(whole)]
    made = made.sort_values("county", kind="stable").drop_duplicates(_SET.cell)
    shares = made["scale"] * made["numerator"] / made["denominator"]
    name = rows.loc[(rows["area"] == new) & (rows["area_name"] != ""), "area_name"]
    made[counts[1:]] = made[counts[1:]].where(made["scale"].notna())
    made["area_name"] = name.iloc[-1] if len(name) else olds["new_name"].iloc[0]
    told = {"area": new, "status": "estimated", "value_note": NOTE, "is_as_if": True}
    told |= dict.fromkeys(["ci_lower", "ci_upper", "sample_size"], np.nan)
    made = made.assign(value=shares.fillna(made["value"]), **told)
    rekeyed: Frame = made.assign(series=keyed(made))[list(rows.columns)]
    return rekeyed


def _breaks(rows: Frame, merged: Frame) -> Frame:
    """The boundary in every indicator of the council that replaced others."""
    found = [pd.DataFrame(columns=TABLES["changes"])]
    for day in merged["on_date"].unique():
        olds = merged[merged["on_date"] == day]
        own = rows[(rows["area"] == olds["new_code"].iloc[0]) & rows["value"].notna()]
        first = own[own["period"] >= day].groupby("indicator", as_index=False)["period"].min()
        names = "; ".join(olds["old_name"].where(olds["old_name"] != "", olds["old_code"]))
        reason = f"On {day.day} {day:%B %Y} this council replaced {len(olds)} others: {names}."
        first = first.rename(columns={"period": "period_start"})
        told = {"kind": "boundary", "comparable": False, "reason": reason, "owner": ""}
        found.append(first.assign(**told, recorded_on=day)[TABLES["changes"]])
    return pd.concat(found[1:] or found, ignore_index=True)
