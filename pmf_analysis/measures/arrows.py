"""What another system's arrows and statuses say, by its published rules, and what they are worth.

Pentana's help pages publish how its two trend arrows are worked out (Pentana Risk help, article
360007944400, "How are the Long and Short Trends calculated?"). Of an Ongoing trend the short arrow
compares a value with the period before, the long one with the mean of the x values before it; of a
Year to Year trend both look at the same period of earlier years. Better is more (Aim to Max), less
(Aim to Min) or closer to target (Goldilocks); equal is no change.

An arrow says which of two numbers is larger, not whether anything changed: where nothing does it
points down half of the time (benchmarks/arrows.py).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures import frames, history, polarity, questions, trend_plan
from pmf_analysis.measures.arrays import PRECISION, TABLES, Column, Frame, Frames, constants
from pmf_analysis.measures.polarity import Targets, first_text
from pmf_analysis.measures.result_tables import with_labels

_SET, _STATUS = constants("arrows"), constants("council_status")
_KEYS = ["series", "period"]


def arrows(
    observations: Frame,
    register: Frame,
    x: int = 4,
    *,
    targets: Targets = None,
    by_year: bool = False,
) -> Frame:
    """Short and long arrow of every value, as Pentana would show them in its period.

    Parameters
    ----------
    observations
        Columns series, indicator, period (dates), value; one row a series and period. Missing and
        infinite values are left out: the previous period is the last usable one before, whatever
        lies between.
    register
        indicator and polarity: higher, lower, range (Goldilocks), none or unknown.
    x
        Values, or years, of the long arrow's mean. Where there are fewer, the mean is of those.
    targets
        By series a number or a pair, or columns series, period, target, target_low, target_high.
        Only Goldilocks asks for them: both values are held against the target of the later period,
        a band where there is one. Inside a band nothing is closer than anything else.
    by_year
        Whether trends are Year to Year and not Ongoing: compared are values whose periods begin on
        the same day of earlier years, so that weeks have none.

    Returns
    -------
    DataFrame
        series, period, short and long, sorted by series and period: improving, worsening, same, or
        "" where there is nothing to compare with, no target for Goldilocks, or no direction that
        is better.
    """
    usable = observations[np.isfinite(observations["value"].astype(float))]
    known = history.with_register(usable.astype({"value": float}), register)
    value, better = known["value"], known["polarity"]
    each = known.groupby("series")["value"]
    places = pd.MultiIndex.from_frame(known[_KEYS])
    at = value.set_axis(places)

    def earlier(lag: int) -> Column:
        if not by_year:
            return each.shift(lag)
        then = [known["series"], known["period"] - pd.DateOffset(years=lag)]
        return at.reindex(pd.MultiIndex.from_arrays(then)).reset_index(drop=True)

    before = pd.concat([earlier(lag) for lag in range(1, x + 1)], axis=1)
    bands, told = polarity.target_bands(known, targets), known[_KEYS]
    for name, reference in (("short", before.iloc[:, 0]), ("long", before.mean(axis=1))):
        told = told.assign(**{name: arrow(value, reference, better, bands)})
    return told


def arrow(value: Column, reference: Column, better: Column, bands: Frame) -> Column:
    """Say whether each value is better than what it is compared with; "" where nobody can say."""
    low, high = (bands[name].fillna(bands["target"]) for name in ("target_low", "target_high"))
    before, now = (polarity.band_distance(each, low, high) for each in (reference, value))
    gain = better.map(polarity.SIGNS).astype(float) * (value - reference)
    gain = gain.where(better != "range", before - now)
    equal = gain.abs() <= PRECISION * np.maximum(value.abs(), reference.abs())
    told = [(equal, "same"), (gain > 0, "improving"), (gain < 0, "worsening")]
    return first_text(value.index, told)


def statuses(rows: Frame, lines: Frame) -> Column:
    """Status of every value against its target, as a gauge with one threshold gives it.

    Parameters
    ----------
    rows
        One row a series and period: value, polarity and the register's target_low and target_high.
    lines
        The target in force and its tolerance, as `questions.target_lines` gives them.

    Returns
    -------
    Series
        on_target; near (missed by no more than the tolerance), off_target, or missed where no
        tolerance is known; data_only where no direction is better; "" where there is no target or
        nobody declared the direction.
    """
    return gauge(rows, trend_plan.target_lines(rows, lines))


def gauge(rows: Frame, edges: Frame) -> Column:
    """Status of every value against the edges that `trend_plan.target_lines` gives."""
    value, low, high = rows["value"], edges["tolerance_low"], edges["tolerance_high"]
    met, threshold = polarity.is_met(value, rows["polarity"], edges), low.notna() | high.notna()
    tests = [(rows["polarity"] == "none", "data_only"), (met.isna(), ""), (met == 1, "on_target")]
    tests += [(~threshold, "missed"), ((value < low) | (value > high), "off_target")]
    return first_text(rows.index, tests, "near")


def council_statuses(
    trends: Frame, steps: Sequence[Mapping[str, Any]], aimed: Collection[str] = ()
) -> Frame:
    """Colour of the newest value of each indicator that the council controls.

    The first step that holds gives the colour. Where a step that comes before cannot be answered
    there is none, because another answer could have given another colour.

    Parameters
    ----------
    trends
        Result table. The target is that in force in the period of the newest value.
    steps
        As in a framework's `status_rule`: colour, when and pct (per cent of the target; nothing
        but the target itself is within any per cent of nought). Where there is a step for
        no_target, nothing that asks for a target holds of an indicator without one.
    aimed
        Series that have a target, though maybe for another period than that of the newest value:
        they are not without a target.

    Returns
    -------
    DataFrame
        series, indicator, period, value, target, colour, step (counted from 1, 0 where there is
        none) and why: what is lacking (lacks_value, lacks_way, lacks_target, lacks_tolerance,
        lacks_last_year), "" where there is a colour. A tolerance of nought counts as none. City
        measures have no row.
    """
    rows = trends[trends["control"] != "city"].reset_index(drop=True)
    value, bare = rows["value"], rows[polarity.TARGETS].isna().all(axis=1)
    elsewhere = bare & rows["series"].isin(aimed)
    untargeted = bare & ~elsewhere & any(step["when"] == "no_target" for step in steps)
    low, high = polarity.good_values(rows["polarity"], rows)
    state = gauge(rows, rows)
    edge = np.abs(np.select([value < low, value > high], [low, high], 0.0))
    moved = arrow(value, rows["last_year_value"], rows["polarity"], rows)
    known = {name: state.map(at).mask(untargeted, 0) for name, at in _STATUS.states.items()}
    known["improved_on_last_year"] = moved.map(_STATUS.moves)
    known["no_target"] = bare.astype(float).mask(elsewhere)
    known["otherwise"] = pd.Series(True, rows.index)
    no_way = ~rows["polarity"].isin(["higher", "lower", "range"])
    lacks = [(value.isna(), "lacks_value"), (bare, "lacks_target"), (no_way, "lacks_way")]
    told = rows.assign(colour="", step=0, why="")
    for place, step in enumerate(steps, start=1):
        near = (
            polarity.band_distance(value, low, high)
            <= ((step["pct"] or 0) / 100 + PRECISION) * edge
        )
        holds = known.get(step["when"], near.where(known["met"].notna()))
        is_open = (told["colour"] == "") & (told["why"] == "")
        lacking = first_text(rows.index, lacks, _STATUS.lacks.get(step["when"], ""))
        told["why"] = told["why"].mask(is_open & holds.isna(), lacking)
        told.loc[is_open & (holds == 1), ["colour", "step"]] = [step["colour"], place]
    return told[TABLES["statuses"]]


def disagreements(
    tables: Frames, council: frames.KnownCouncil, trends: Frame, setup: Mapping[str, Any]
) -> Frame:
    """Hold what another system says against its own published rule, and against chance.

    Everything is worked out again from the values as they were reported, not from discrete ones.

    Parameters
    ----------
    tables
        The contract's published and observations, as known on the day.
    trends
        Result table: series, period, verdict and shape of each series' newest value.
    setup
        `values` of the long arrow's mean, indicators whose trend is `year_to_year`, and
        `tolerance_pct` of targets that have none of their own (may be None).

    Returns
    -------
    DataFrame
        A row a status or arrow of a period whose value is known here; columns `disagreements` of
        tables.yml, which docs/result-tables.md explains.
    """
    published = tables["published"].rename(columns={"indicator_id": "indicator"})
    published = published[published["area_code"] == council.area]
    if published.empty:
        return pd.DataFrame(columns=TABLES["disagreements"], dtype="str").astype({"differs": bool})
    keys = ["indicator", "period_end"]
    rows = published.melt([*keys, "system"], [*_SET.said], "what", "says")
    again = _recomputed(tables["observations"], council, setup)
    rows = rows[rows["says"] != ""].merge(again, on=keys)
    judged = trends.set_index(_KEYS).reindex(columns=["verdict", "shape"])
    at = pd.MultiIndex.from_frame(rows[_KEYS])
    rows[["verdict", "shape"]] = judged.reindex(at).fillna("").to_numpy()
    for column, suffix in (("recomputed", ""), ("other", "_other")):
        cells = [(rows["what"] == what, rows[name + suffix]) for what, name in _SET.said.items()]
        rows[column] = first_text(rows.index, cells)
    known = (rows["recomputed"] != "") & (rows["recomputed"] != rows["says"])
    either = (rows["recomputed"] == "missed") & rows["says"].isin(["near", "off_target"])
    rows["differs"] = known & ~either
    rows = rows.assign(why=_first_that_holds(rows, _SET.reasons), worth=worth(rows))
    return with_labels(rows, council.register)[TABLES["disagreements"]]


def worth(rows: Frame) -> Column:
    """Say what each arrow is worth beside the verdict on the same value.

    Parameters
    ----------
    rows
        what (short_trend, long_trend or status), says, verdict and shape, a row an arrow.

    Returns
    -------
    Series
        borne_out, chance, against, not_judged, or "" where it points nowhere.
    """
    return _first_that_holds(rows, _SET.worth)


def _first_that_holds(rows: Frame, rules: Mapping[str, str]) -> Column:
    tests = [(rows.eval(holds, engine="python"), code) for code, holds in rules.items()]
    return first_text(rows.index, tests)


def _recomputed(observations: Frame, council: frames.KnownCouncil, setup: Any) -> Frame:
    """Arrows by either rule, and status, of every own value as it was reported."""
    register, own = council.register, observations[observations["area_code"] == council.area]
    raw = frames.own_totals(frames.measure_frame(own, register), council.area)
    raw = history.with_register(raw[np.isfinite(raw["value"])], register)
    live = questions.live_targets(council.targets, raw, register)
    # A running total is held against what it should be by then, not against the year's.
    totals = live["indicator"].map(register.set_index("indicator")["accumulation"]) == "ytd"
    live["first"] = live["first"].mask(totals, live["period"])
    lines = questions.target_lines(live, raw)
    bare = lines[questions.TOLERANCES].isna().all(axis=1)
    lines["tolerance_pct"] = lines["tolerance_pct"].mask(bare, setup["tolerance_pct"])
    raw = raw.assign(status=statuses(raw, lines), status_other="")
    yearly = raw["indicator"].isin(setup["year_to_year"])
    ongoing, by_year = (
        arrows(raw, register, setup["values"], targets=lines, by_year=way) for way in (False, True)
    )
    for name in ("short", "long"):
        raw[name] = by_year[name].where(yearly, ongoing[name])
        raw[f"{name}_other"] = ongoing[name].where(yearly, by_year[name])
    return raw
