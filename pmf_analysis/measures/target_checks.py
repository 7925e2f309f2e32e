"""What looks odd about targets, and about the values they are held against: questions, no verdicts.

Sources: target-realism.md 6 and 6.2 (ratchets and thresholds: Bevan & Hood 2006), systems.md 4.4.
A finding is a code with its numbers; story/sentences_en.yml `target_check` words it.
"""

from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import SHIPPED, TYPES, Column, Day, Frame
from pmf_analysis.measures.polarity import SIGNS
from pmf_analysis.measures.questions import MISFIT, live_targets, target_lines
from pmf_analysis.measures.realism import NEVER_EASY
from pmf_analysis.period_spans import YEAR_STARTS

CHECKS, RULES, YEARS = "target_checks", SHIPPED["odd_targets"], 3  # years of a ratchet
SAME: list[str] = RULES["same"]


def target_checks(
    targets: Frame, own: Frame, register: Frame, answers: Frame, *, as_at: Day, easy: float = 0.85
) -> Frame:
    """Look at all targets of a council at once.

    Parameters
    ----------
    targets
        All rows of the contract's table for this council, superseded ones too. What is odd about a
        number, or not written, is told of targets still to be met and a series' newest ones.
    own, register
        As `frames.own_totals` and `frames.judged_register` give them; `parts` of the register
        (joined by "; ") are the indicators that make one up.
    answers
        The result table `targets` (indicator, kind, is_reference, probability).
    as_at, easy
        Nothing set or ended later is used; the least chance of an easy target.

    Returns
    -------
    DataFrame
        Columns of TYPES["target_checks"]: value and expected in the indicator's unit, or counts
        where a set is told of (series ""); n, the number of values, periods or
        targets behind it; periods and text, labels or names. What cannot be judged, for fewer
        values than `odd_targets` of tables.yml asks for, is not told.
    """
    facts = register.assign(declared=register["accumulation"], sign=register["polarity"].map(SIGNS))
    facts["begins"] = facts["year_type"].map(YEAR_STARTS)
    facts = facts.assign(unit=10.0 ** -facts["decimals"].astype(float))[RULES["facts"]]
    day = pd.Timestamp(as_at)
    known = own[own["value"].notna() & (own["period_end"] <= day)].sort_values("period")
    told = targets[~(targets["set_on"] > day)].fillna({"supersedes": ""})
    every = live_targets(told.assign(supersedes=""), own, register).merge(facts, on="indicator")
    every["supersedes"] = every["target_id"].map(told.set_index("target_id")["supersedes"])
    every = _with_history(every[every["kind"] != "baseline"], known)
    live = every[~every["target_id"].isin(told["supersedes"])]
    newest = live["period_end"] == live.groupby("series")["period_end"].transform("max")
    ahead = live[newest | (live["period_end"] >= day)]
    seen = known.merge(target_lines(live, own), on=["series", "period"], how="left")
    seen = _with_colours(seen.merge(facts, on="indicator").sort_values(["series", "period"]))
    found = [_implausible(ahead), _ratchets(every), _changed(every), _parts(ahead)]
    found += [_unprofiled(live, known), _easy_sets(answers, register, easy), _thresholds(seen)]
    for name in ("rationale", "comparator"):
        found.append(_found(ahead[ahead[name].fillna("") == ""], f"no_{name}", "target"))
    table = pd.concat([*found, _zeros(seen), *_copies(seen), *_colours(seen)])
    return table.sort_values(["check", "series", "target_id", "periods"], ignore_index=True)


def _found(rows: Frame, check: Any, *told: str) -> Frame:
    """Findings, a row each; `told` names the columns of value, expected, n, periods and text."""
    more = ["_"] * (5 - len(told))
    columns = ["target_id", "series", "indicator", "check", *told, *more]
    made = rows.assign(check=check).reindex(columns=columns).set_axis([*TYPES[CHECKS]], axis=1)
    return pd.DataFrame(made.astype("object").fillna(RULES["blank"]).astype(TYPES[CHECKS]))


def _months(days: Column) -> Column:
    return pd.Series(12 * days.dt.year + days.dt.month)


def _with_history(rows: Frame, known: Frame) -> Frame:
    """Put beside each target what is comparable: single values, or sums of the same part of years.

    usual, low, high, scale, count and moves (the usual change to the next) are of all values (two
    or more); last is the last before the target's first period, of the same season where there is
    one.
    """
    running = (rows["declared"] == "ytd") & (rows["how"] == "")
    rows = rows.assign(running=running, first=rows["first"].mask(running, rows["period"]))
    pairs = rows.merge(known[["series", "period", "value"]], on="series", suffixes=("", "_own"))
    own, first, last = (_months(pairs[name]) for name in ("period_own", "first", "period"))
    whole, ahead, span = pairs["running"] | (pairs["how"] != ""), own - first, last - first
    needed = (span * pairs["periods_per_year"] / 12 + 1).round().where(whole, 1)
    season, key = whole | (last - own == 12), (ahead // 12).where(whole, np.arange(len(pairs)))
    pairs = pairs.assign(season=season, key=key, needed=needed, before=ahead < 0)
    chosen = pairs[~whole | (ahead % 12 <= span)]
    keys = ["season", "key", "target_id", "needed", "how", "before"]
    made = chosen.groupby(keys)["value"].agg(total="sum", n="size").reset_index()
    made = made[made["n"] == made["needed"]]
    made["value"] = made["total"] / made["n"].where(made["how"] != "sum", 1)
    by = made.groupby("target_id")["value"]
    facts = by.agg(usual="median", low="min", high="max", count="size")
    apart = (made["value"] - by.transform("median")).abs().groupby(made["target_id"]).median()
    steps = made.sort_values("key").groupby("target_id")["value"].diff().abs()
    facts["moves"] = steps.groupby(made["target_id"]).median()
    facts["scale"] = np.fmax(1.4826 * apart, RULES["least_scale"] * facts["usual"].abs())
    facts = facts[facts["count"] > 1]
    past = made[made["before"]].groupby("target_id")["value"].last().rename("last")
    return rows.join(facts, on="target_id").join(past, on="target_id")


def _implausible(rows: Frame) -> Frame:
    """The likeliest of what can be wrong with each target's number, if anything."""
    t, usual, low, high, last = (rows[n] for n in ("target", "usual", "low", "high", "last"))
    limit = rows["maximum"].where(t > rows["maximum"], rows["minimum"].where(t < rows["minimum"]))
    beyond, soon = (t > high) | (t < low), ~rows["kind"].isin(RULES["far_off"])
    zero = (t == 0) & (rows[["low", "high"]].abs().min(axis=1) > usual.abs() / 4) & soon
    slip = np.any([(t * x).between(low / 1.5, high * 1.5) for x in RULES["factors"]], axis=0)
    slip &= (low > 0) & ~t.between(usual / MISFIT, MISFIT * usual) & beyond
    total = rows["running"] | (rows["how"] != "")
    place = (_months(rows["period"]) - rows["begins"]) % 12 * rows["periods_per_year"] / 12 + 1
    year = usual * rows["periods_per_year"] / place.where(total, 1)
    adds = total | (rows["data_type"].isin(RULES["additive"]) & (rows["declared"] == "discrete"))
    is_year = adds & (year > 1.9 * usual) & (t / year).between(0.75, 1.33) & (t > 1.25 * high)
    less = rows["sign"] * (last - t) > np.fmax(rows["unit"] / 2, rows["moves"])
    falls = rows["kind"].isin(RULES["improves"]) & less
    far = (t - usual).abs() > RULES["far"] * np.fmax(rows["scale"], rows["unit"])
    far &= beyond & (rows["count"] >= RULES["fewest_values"]) & soon
    tests = [limit.notna(), zero, slip, is_year, far, falls]
    code = np.select([test.to_numpy(bool) for test in tests], RULES["implausible"], "")
    rows = rows.assign(expected=limit.fillna(usual.mask(code == "wrong_side", last)))
    return _found(rows[code != ""], code[code != ""], "target", "expected", "count")


def _ratchets(rows: Frame) -> Frame:
    """Targets that are, three years running or more, the outturn before plus or times one step.

    Each target leaves an interval for the step (half a last decimal either way); those of
    successive years have a point in common. Told only where chance hardly makes so many agree:
    steps within the range of those not fixed (or else, of the outturns) meet with probability
    last decimal / range each.
    """
    days, months = (rows["period_end"] - rows["period_start"]).dt.days, _months(rows["period"])
    rows = rows.assign(months=months, place=months % 12, span=days // 30, base=rows["last"])
    keys = ["series", "place", "span", "kind"]
    rows = rows[rows["kind"].isin(RULES["improves"]) & rows["target"].ne(0) & rows["base"].notna()]
    rows = rows.sort_values([*keys, "months", "set_on"]).drop_duplicates([*keys, "months"])
    by, base, agree = [rows[key] for key in keys], rows["base"], pd.Series(False, rows.index)
    for shift, scale in ((base, 1.0), (0.0, base.where(base > 0))):
        middle, half = (rows["target"] - shift) / scale, rows["unit"] / 2 / scale
        least, most = (each.groupby(by).rolling(YEARS) for each in (middle - half, middle + half))
        agree |= (least.max() <= most.min() + 1e-9).droplevel([*range(len(by))])
    agree &= rows["months"].groupby(by).diff(YEARS - 1) == 12 * (YEARS - 1)
    n = agree.groupby([*by, (~agree).cumsum()]).transform("sum") + YEARS - 1
    steps, outturns = (each.groupby(by) for each in (rows["target"] - base, base))
    total = outturns.transform("size")
    moved = steps.transform(np.ptp).where(n < total, outturns.transform(np.ptp))
    odds = 2 * (total - YEARS + 1) * (rows["unit"] / moved.where(moved > 0)) ** (n - 1)
    last = rows.assign(n=n)[agree & (odds <= RULES["odds"])].groupby("series").tail(1)
    return _found(last, "ratchet", "target", "base", "n")


def _changed(rows: Frame) -> Frame:
    """Targets set after their period had begun, in place of another of the same period and kind."""
    rows = rows.sort_values(["series", *SAME, "set_on"], na_position="first")
    before = rows.set_index("target_id").reindex(rows["supersedes"]).set_index(rows.index)
    old = before["target"].where(rows["period_start"] <= before["period_end"])
    old = old.fillna(rows.groupby(["series", *SAME])["target"].shift())
    late = rows["set_on"] > before["period_start"].fillna(rows["period_start"])
    rows = rows.assign(old=old, on=rows["set_on"].dt.strftime("%Y-%m-%d"), n=2)
    rows = rows[late & old.notna() & (old != rows["target"])]
    return _found(rows, "changed_in_year", "target", "old", "n", "_", "on")


def _parts(rows: Frame) -> Frame:
    """Targets of wholes that the targets of all their declared parts do not make up."""
    parts = rows[["indicator", "target", *SAME]].set_axis(["part", "of", *SAME], axis=1)
    pairs = rows.assign(part=rows["parts"].str.split("; ")).explode("part")
    by = pairs.merge(parts, on=["part", *SAME]).groupby("target_id")["of"]
    rows = rows.join(by.agg(["sum", "min", "max", "size"]), on="target_id", how="inner")
    rows = rows[rows["size"] == rows["parts"].str.count("; ") + 1]
    between, adds = rows["target"].clip(rows["min"], rows["max"]), rows["data_type"]
    rows = rows.assign(made=rows["sum"].where(adds.isin(RULES["additive"]), between))
    off = (rows["target"] - rows["made"]).abs() > rows["unit"] * (rows["size"] + 1) / 2 + 1e-9
    return _found(rows[off], "parts_do_not_add_up", "target", "made", "size")


def _unprofiled(rows: Frame, known: Frame) -> Frame:
    """One number as the target of several parts of a year in which the figure accumulates."""
    rows = rows[(rows["declared"] == "ytd") & rows["target"].notna()].sort_values("period")
    by = [rows["series"], (_months(rows["period"]) - rows["begins"]) // 12, rows["target"]]
    newest = rows["series"].map(known.groupby("series")["value"].last()).where(rows["running"])
    rows = rows.assign(n=rows["period"].groupby(by).transform("nunique"), newest=newest)
    rows = rows[rows["n"] > 1].groupby("series").tail(1)
    return _found(rows, "unprofiled", "target", "newest", "n")


def _easy_sets(answers: Frame, register: Frame, easy: float) -> Frame:
    """Sets (the council, a theme, a directorate) most targets of which need no action."""
    rows = answers[~answers["is_reference"] & ~answers["kind"].isin(NEVER_EASY)]
    rows = rows[["indicator", "probability"]].dropna().merge(register, on="indicator")
    rows["of"] = ("council; " + rows["director"] + "; " + rows["themes"]).str.split("; ")
    by = rows.assign(easy=rows["probability"] >= easy).explode("of").groupby("of")["easy"]
    sets = by.agg(easy="sum", n="size").reset_index()
    most, enough = sets["easy"] > RULES["most"] * sets["n"], sets["n"] >= RULES["fewest_targets"]
    return _found(sets[most & enough], "mostly_easy", "easy", "_", "n", "_", "of")


def _with_colours(seen: Frame) -> Frame:
    """Add short (by how much a value misses its target) and the published colour.

    off: green that misses the target, or another colour that meets it.
    """
    short, note = (seen["target"] - seen["value"]) * seen["sign"], seen["value_note"].fillna("")
    colour = note.str.lower().str.extract(r"\b(red|amber|green)\b")[0]
    off = (colour == "green").where(short > 1e-9, colour.isin(["red", "amber"])) & short.notna()
    return seen.assign(short=short, note=note, colour=colour, off=off).reset_index(drop=True)


def _colours(seen: Frame) -> list[Frame]:
    """Published colours that no one tolerance explains; none where one does."""
    rows = seen[seen["colour"].notna() & seen["short"].notna()]
    share = rows["short"] / rows["target"].abs().where(rows["target"] != 0)
    green, off = rows["colour"] == "green", rows[rows["off"]]
    whole = pd.DataFrame({"off": [len(off)], "n": [len(rows)]})
    each = _found(off, "colour_disagrees", "value", "target", "_", "period_label", "colour")
    no_rule = share[green].max() >= share[~green].min()
    return [each, _found(whole, "colours_by_no_rule", "off", "_", "n")] * bool(no_rule)


def _thresholds(seen: Frame) -> Frame:
    """Outturns bunched just over their targets: an exact binomial test of the two near bands.

    The share expected above is that of a normal distribution with the same mean and deviation.
    Not of values so coarse that a band holds only a few of those there can be.
    """
    from scipy.special import bdtrc, ndtr

    rows, near = seen.dropna(subset="short"), RULES["near"]
    by = (-rows["short"]).groupby(rows["series"])
    place, size = -rows["short"] / (near * by.transform("std")), by.mean() / by.std()
    bands = rows.assign(above=place.between(0, 1, "left"), n=place.between(-1, 1, "left"))
    counts = bands.groupby("series")[["above", "n"]].sum()
    low, at, high = (ndtr(edge * near - size) for edge in (-1, 0, 1))
    rare = bdtrc(counts["above"] - 1, counts["n"], (high - at) / (high - low)) < RULES["chance"]
    gaps = rows.sort_values("value").groupby("series")["value"].diff()
    step = gaps[gaps > 1e-9].groupby(rows["series"]).min().reindex(counts.index)
    fine = near * by.std() >= RULES["fewest_steps"] * step
    told = counts[rare & fine & (counts["n"] >= RULES["fewest_near"])]
    last = rows.groupby("series").tail(1).join(told, on="series", how="inner")
    return _found(last, "threshold", "target", "_", "n", "_", "above")


def _zeros(seen: Frame) -> Frame:
    """Zeros that look like missing values: far from all others, or note or colour say otherwise."""
    others = seen["value"].abs().where(seen["value"] != 0).groupby(seen["series"])
    usual, least, n = (others.transform(how) for how in ("median", "min", "count"))
    small = (seen["data_type"] == "count") & (usual < RULES["fewest_of_count"])
    attested = (seen["denominator"] > 0) & (seen["numerator"] == 0)
    odd = (n > 1) & (least > usual / 2) & ~small & ~attested
    odd |= seen["off"] | seen["note"].str.contains(RULES["absent"], case=False)
    odd &= (seen["minimum"] >= 0) & (seen["accumulation"] == seen["declared"])
    rows = seen.assign(usual=usual, n=n)[(seen["value"] == 0) & odd]
    return _found(rows, "zero_for_missing", "value", "usual", "n", "period_label", "note")


def _copies(seen: Frame) -> list[Frame]:
    """Newest values that equal the one before to the last decimal.

    A series tells by itself from four equal values on; all do where more stand still than chance
    would make at their own earlier rate (15 % or more; exact binomial).
    """
    from scipy.special import bdtrc

    by = seen.groupby("series")["value"]
    same, pair, is_last = seen["value"] == by.shift(), by.cumcount() > 0, by.cumcount(False) == 0
    n = same.groupby([seen["series"], (~same).cumsum()]).transform("sum") + 1
    bound = (seen["value"] == seen["minimum"]) | (seen["value"] == seen["maximum"])
    alone = (n >= RULES["copies"]) & (by.transform(np.ptp) >= RULES["moves"] * seen["unit"])
    usual = np.fmax(same[pair & ~is_last].mean(), RULES["usual_copies"])
    still, size = int((same & is_last).sum()), int((pair & is_last).sum())
    many = size >= RULES["fewest_series"] and bdtrc(still - 1, size, usual) < RULES["rare"]
    rows = seen.assign(n=n)[same & is_last & (alone & ~bound | many)]
    whole = pd.DataFrame({"still": [still], "usual": usual * size, "n": size})
    found = [_found(rows, "carried_forward", "value", "_", "n", "period_label")]
    return found + [_found(whole, "mostly_carried_forward", "still", "usual", "n")] * bool(many)
