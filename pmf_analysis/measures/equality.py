"""Differences between groups of one council's people or places, and whether they close.

Every group of a dimension (deprivation, a protected characteristic, a ward) is compared with all
the others together, or with the reference group that the register declares. Small numbers come
first: nothing is judged below ten, and nothing here gives a hidden figure back.
"""

import numpy as np
import pandas as pd

from pmf_analysis.data.contract import series_key, split_series
from pmf_analysis.measures.arrays import SENTENCES, TABLES, Column, Frame, constants
from pmf_analysis.measures.gaps import gap_trends
from pmf_analysis.measures.history import with_intervals, with_register
from pmf_analysis.measures.intervals import difference_interval, two_sided_z
from pmf_analysis.measures.polarity import first_text, said, sided, undeclared

_SET = constants("equality")
GIVEN = ["numerator", "denominator", "value", "ci_lower", "ci_upper", "sample_size"]
OTHERS = [f"other_{name}" for name in GIVEN]
WHOLE = "*"  # stands for the whole area as the reference
BESIDE = [f"{name}{end}" for name in ("difference", "ratio") for end in ("", "_lower", "_upper")]
COLUMNS = TABLES["equality"]


def equality_gaps(observations: Frame, register: Frame, *, area: str) -> Frame:
    """Compare the groups of every dimension of one council, at the newest period they share.

    Difference and ratio have limits from those of the two values, squared and added (on the log
    scale for the ratio; Zou and Donner 2008): of proportions this is Newcombe's hybrid Wilson
    interval (1998), of rates the same with Poisson limits; published intervals enter as they are.
    Limits are widened for the number of groups compared (Bonferroni); a verdict needs both.

    Parameters
    ----------
    observations
        Main frame of measures, after disclosure; `series` says what belongs to which group.
    register
        One row an indicator; `reference_groups` names the reference group of a dimension.

    Returns
    -------
    DataFrame
        A row a group, the reference group apart: series (of the whole), indicator, dimension,
        dimension_value, reference ("" all the others together, WHOLE
        the whole area), period, value, lower, upper
        (95 %), reference_value, difference and ratio to it with their limits, verdict (better,
        worse, higher, lower, similar, cannot_judge), trend (closing, widening, steady,
        cannot_judge), n_groups, evidence (counts, interval, values_only, none), level (of the
        limits, in per cent) and reason; in the order of the source's rows. A hidden group is
        listed without figures, and so is a share that one to four are not counted in.
    """
    own = observations[observations["area"] == area]
    rows = _own_rows(own, register) if len(own) else own
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    rows = _beside_whole(_with_reference(_with_others(rows), register))
    now = _compared(rows[rows["period"] == rows["newest"]].reset_index(drop=True))
    now["trend"] = _trends(rows, now, register)
    now = now[~now["is_reference"]].assign(series=now["whole"], level=100 * now["level"])
    order = ["series", "dimension", "source_row", "dimension_value"]
    return now.sort_values(order, ignore_index=True)[COLUMNS]


def _own_rows(own: Frame, register: Frame) -> Frame:
    """Rows of the council's groups by the newest definition, the counts of the whole beside."""
    parts = split_series(own["series"])
    newest = parts["definition_version"].groupby(own["indicator"]).transform("max")
    names = ["dimension", "dimension_value"]
    more = dict.fromkeys(["source_row", "sample_size"], float)
    own = own.reindex(columns=own.columns.union(list(more), sort=False)).astype(more)
    hidden = own["status"] == "suppressed" if "status" in own.columns else own["value"].isna()
    whole = series_key(parts.assign(**dict.fromkeys(names, "")))
    own = own.assign(**parts[names], whole=whole, hidden=hidden)
    frame = with_register(own[parts["definition_version"] == newest], register)
    others = frame["denominator"] - frame["numerator"]
    few = (frame["statistic"] == "proportion") & others.between(1, _SET.fewest_hidden - 1)
    shown = register.reindex(columns=["indicator", "small_counts"]).query("small_counts == 'show'")
    few &= (frame["dimension"] != "") & ~frame["indicator"].isin(shown["indicator"])
    frame["hidden"] |= few
    blank = GIVEN[:1] + GIVEN[2:5]
    frame[blank] = frame[blank].mask(few)
    frame = with_intervals(frame)
    is_part, counted = frame["dimension"] != "", frame["interval_from"] == "counts"
    wholes = frame[~is_part & counted].set_index(["whole", "period"])[GIVEN[:2]]
    beside = frame[is_part].join(wholes.add_prefix("all_"), on=["whole", "period"])
    everybody = frame[~is_part & frame["value"].notna()].set_index(["whole", "period"])[GIVEN]
    beside = beside.join(everybody.add_prefix("whole_"), on=["whole", "period"])
    last = everybody.reset_index().groupby("whole")["period"].max()
    beside = beside.join(last.rename("last"), on="whole")
    beside["is_old"] = beside["period"] < beside["last"] - pd.Timedelta(days=366)
    return beside.reset_index(drop=True)


def _with_others(rows: Frame) -> Frame:
    """Put beside each group all the others together: the rest of the whole, else the other groups.

    What the whole leaves after a shown group is used only where that gives no hidden group back:
    none is hidden, or two or more that hold enough together. Else the shown groups are summed.
    """
    counted = rows["interval_from"] == "counts"
    counts = rows[GIVEN[:2]].where(counted, axis=0)
    table = counts.assign(sized=rows["denominator"], hidden=rows["hidden"])
    table = table.assign(shown=rows["value"].notna(), counted=counted)
    total = table.groupby([rows[name] for name in (*_SET.by, "period")]).transform("sum")
    adds_up = (total["sized"] / rows["all_denominator"] - 1).abs() <= _SET.adds_up
    rest = rows["all_numerator"] - total["numerator"]
    uncounted = rows["all_denominator"] - total["denominator"] - rest
    uncounted = uncounted.where(rows["statistic"] == "proportion", np.inf)
    safe = (rest >= _SET.fewest_hidden) & (uncounted >= _SET.fewest_hidden)
    by_whole = rest.notna() & ((total["hidden"] == 0) | ((total["hidden"] > 1) & safe))
    by_sum = rest.isna() | (total["counted"].eq(total["shown"]) & adds_up)
    for name in GIVEN[:2]:
        everyone = rows[f"all_{name}"].where(by_whole, total[name].where(by_sum))
        rows[f"other_{name}"] = everyone - counts[name]
    count, size = rows["other_numerator"], rows["other_denominator"]
    fits = (size > 0) & (count >= 0) & ((count <= size) | (rows["statistic"] == "rate"))
    rows[OTHERS[:2]] = rows[OTHERS[:2]].where(fits, axis=0)
    rows[OTHERS[3:]] = np.nan
    rows["other_value"] = rows["scale"] * rows["other_numerator"] / rows["other_denominator"]
    shared = rows["period"].where((total["shown"] > 1) | fits)
    by = [rows[name] for name in _SET.by]
    last = rows["period"].groupby(by).transform("max")
    rows["newest"] = shared.groupby(by).transform("max").fillna(last)
    partial = by_whole & ~adds_up & (total["shown"] > 1)
    left_out = ~by_whole & ((total["hidden"] > 0) | (total["counted"] < total["shown"]))
    return rows.assign(by_whole=by_whole, partial=partial, left_out=left_out)


def _with_reference(rows: Frame, register: Frame) -> Frame:
    """Replace the others by the declared reference group, where the dimension has that group."""
    told = register.set_index("indicator").reindex(columns=["reference_groups"]).iloc[:, 0]
    of = zip(rows["indicator"].map(told), rows["dimension"], strict=True)
    declared = [groups.get(name, "") if isinstance(groups, dict) else "" for groups, name in of]
    is_one = rows["dimension_value"] == declared
    exists = is_one.groupby([rows[name] for name in _SET.by]).transform("any")
    keys = [*_SET.by, "period"]
    one = rows[is_one].set_index(keys)[GIVEN].set_axis(OTHERS, axis=1)
    rows[OTHERS] = rows[OTHERS].mask(exists, rows[keys].join(one, on=keys)[OTHERS])
    flags = ["by_whole", "partial", "left_out"]
    rows[flags] = rows[flags].mask(exists, False)
    return rows.assign(reference=pd.Series(declared).where(exists, ""), is_reference=is_one)


def _beside_whole(rows: Frame) -> Frame:
    """Hold groups of a survey that have nothing else to be held against against the whole area.

    A group is a part of it, which makes their true difference more certain than is reckoned, so
    this errs on the side of no difference.
    """
    alone = rows["other_value"].isna() & (rows["reference"] == "")
    alone &= (rows["data_type"] == "survey_percentage") & rows["whole_value"].notna()
    whole = rows[[f"whole_{name}" for name in GIVEN]].set_axis(OTHERS, axis=1)
    rows[OTHERS] = rows[OTHERS].mask(alone, whole)
    flags = ["by_whole", "partial", "left_out"]
    rows[flags] = rows[flags].mask(alone, False)
    return rows.assign(reference=rows["reference"].mask(alone, WHOLE))


def _compared(rows: Frame) -> Frame:
    """Difference, ratio and verdict of each group at the period that is compared."""
    others = rows.drop(columns=GIVEN).rename(columns=dict(zip(OTHERS, GIVEN, strict=True)))
    pair = rows[["interval_from"]].assign(others=with_intervals(others)["interval_from"])
    kinds = [((pair == "counts").all(axis=1), "counts"), ((pair != "none").all(axis=1), "interval")]
    rows["evidence"] = first_text(rows.index, kinds, "values_only")
    counted, sizes = (rows[[name, f"other_{name}"]] for name in GIVEN[:2])
    uncounted = (sizes - counted.to_numpy()).where(rows["statistic"] == "proportion")
    small = counted.join(uncounted) < _SET.fewest_cases
    few = small.any(axis=1) | ((rows["value"] >= 100) & (rows["statistic"] == "proportion"))
    why = _why_not(rows, few)
    judged = (why == "") & (rows["evidence"] != "values_only") & ~rows["is_reference"]
    of = rows.assign(judged=judged).groupby(_SET.by)
    rows["n_groups"], m = of["whole"].transform("size"), of["judged"].transform("sum")
    # two groups that are each other's rest ask one question, not two
    mirrored = (m == 2) & (rows["n_groups"] == 2) & ~rows["partial"]
    rows["level"] = 1 - _SET.false_alarms / m.mask(mirrored, 1).clip(lower=1)
    blank = few | rows["value"].isna() | (rows["data_type"] == "count")
    rows[BESIDE] = _differences(rows, others).mask(blank)
    # what is left after a large group may be a small count that no row of the table has
    unsafe = rows["value"].isna() | small[OTHERS[:2]].any(axis=1)
    rows["reference_value"] = rows["other_value"].mask(unsafe)
    rows[["lower", "upper"]] = rows[["lower", "upper"]].mask(rows["value"].isna())
    above = (rows["difference_lower"] > 0) & ~(rows["ratio_lower"] <= 1)
    below = (rows["difference_upper"] < 0) & ~(rows["ratio_upper"] >= 1)
    side = (above.astype(int) - below.astype(int)).where(judged, 0)
    rows["verdict"] = sided(rows, side, rows["other_value"]).where(judged, "cannot_judge")
    rows["reason"] = why.mask(why == "", _why(rows, side))
    return rows.assign(evidence=rows["evidence"].mask(why != "", "none"))


def _differences(rows: Frame, others: Frame) -> Frame:
    """Difference and ratio with limits at each row's level, by the best evidence it has."""
    sides = []
    for frame in (rows, others):
        parts = [with_intervals(part, level) for level, part in frame.groupby(rows["level"])]
        found = pd.concat(parts).reindex(rows.index)
        exact = found["scale"] * found["numerator"] / found["denominator"]
        value = found["value"].mask(found["interval_from"] == "counts", exact)
        published = found["interval_from"] == "interval"  # at 95 %
        stretch = np.where(published, two_sided_z(rows["level"]) / two_sided_z(0.95), 1.0)
        ends = [value + stretch * (found[end] - value) for end in ("lower", "upper")]
        sides.append(pd.concat([value, *ends], axis=1).to_numpy(float).T)
    (one, *near), (other, *far) = sides
    lower, upper = difference_interval(one, (near[0], near[1]), other, (far[0], far[1]))
    logs = [np.log(np.where(value > 0, value, np.nan)) for value in (one, *near, other, *far)]
    low, high = difference_interval(logs[0], (logs[1], logs[2]), logs[3], (logs[4], logs[5]))
    columns = [one - other, lower, upper, *np.exp([logs[0] - logs[3], low, high])]
    return pd.DataFrame(dict(zip(BESIDE, columns, strict=True)), rows.index)


def _why_not(rows: Frame, few: Column) -> Column:
    """Say why a group cannot be compared, in plain words; "" where it can."""
    alone = rows["other_value"].isna()
    first = {"group_hidden": rows["hidden"], "group_missing": rows["value"].isna()}
    first |= {"group_total": rows["data_type"] == "count", "group_old": rows["is_old"]}
    then = {"no_reference": alone & (rows["reference"] != ""), "group_few": few}
    last = said(then | {"group_alone": alone})
    return first_text(rows.index, [*said(first), *undeclared(rows), *last])


def _why(rows: Frame, side: Column) -> Column:
    """Say what a comparison rests on."""
    m: Column = (_SET.false_alarms / (1 - rows["level"])).round().astype(int)
    widened = (" (widened because " + m.astype(str) + " groups are compared)").where(m > 1, "")
    tested = "At the " + (100 * rows["level"]).map("{:.3g}".format) + " % level" + widened
    tested += " the difference is " + first_text(rows.index, [(side == 0, "no ")])
    tested += "more than chance explains."
    tested = tested.mask(rows["evidence"] == "values_only", SENTENCES["group_bare"])
    return tested + first_text(rows.index, said(rows[["partial", "left_out"]]))


def _trends(rows: Frame, now: Frame, register: Frame) -> Column:
    """Whether each difference closes or widens, judged like the gap to peers."""
    same = rows.merge(now[["series", "by_whole"]], on=["series", "by_whole"])
    gaps = same[["series", "period", "value"]].assign(peer_set="", peer_median=same["other_value"])
    gaps = gaps.assign(gap=gaps["value"] - gaps["peer_median"])
    found = gap_trends(gaps, now.assign(peer_set=""), register)[0].set_index("series")
    return now["series"].map(found["gap_verdict"]).mask(now["evidence"] == "none", "cannot_judge")
