"""Which way is better: what polarity and targets make of values, limits and directions."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import SENTENCES, SHIPPED, Column, Floats, Frame

Improvement = Literal["higher", "lower", "range", "none", "unknown"]
Target = float | tuple[float, float]
Targets = Mapping[str, Target] | Frame | None
TARGETS = ["target", "target_low", "target_high"]
SIGNS: dict[str, int] = {"higher": 1, "lower": -1}
POINT_TYPES: list[str] = SHIPPED["point_types"]


def words(names: Sequence[str], codes: Any) -> Column:
    """Turn positions in a short list of words into a column of words."""
    vocabulary = pd.Series(list(names), dtype="str")
    return vocabulary.take(np.asarray(codes, dtype=np.intp)).reset_index(drop=True)


def first_text(index: pd.Index, texts: Sequence[tuple[Any, Any]], otherwise: str = "") -> Column:
    """Text of the first pair (which rows, text of all or of each) that applies to each row."""
    result = pd.Series(otherwise, index, dtype="str")
    for applies, text in reversed(texts):
        result = result.mask(applies, text)
    return result


def said(tests: Any) -> list[tuple[Any, str]]:
    """Pairs for `first_text`: which rows each sentence of tables.yml, by its name, applies to."""
    return [(applies, SENTENCES[name]) for name, applies in tests.items()]


def band_distance(value: Any, low: Any, high: Any) -> Any:
    """Distance of values to a target band in their own unit: 0 inside, NaN where unknown."""
    return np.maximum(np.maximum(low - value, value - high), 0.0)


def undeclared(rows: Frame) -> list[tuple[Column, str]]:
    """Which rows (polarity, target_low) nobody said the better way of, and why not."""
    known = rows["polarity"].isin([*SIGNS, "range", "none"])
    no_band = (rows["polarity"] == "range") & rows["target_low"].isna()
    return said({"no_way": ~known, "no_range": no_band})


def sided(rows: Frame, side: Column, other: Column) -> Column:
    """Verdict on lying above (`side` 1), below (-1) or neither (0) of `other`, by polarity."""
    bands, way = (rows["target_low"], rows["target_high"]), rows["polarity"]
    farther = band_distance(rows["value"], *bands) - band_distance(other, *bands)
    ways = [way == name for name in ("higher", "lower", "range")]
    good = np.select(ways, [side, -side, -np.sign(farther) * side.abs()], 0)
    high = side.where(way == "none", 0)
    sides = [(good > 0, "better"), (good < 0, "worse"), (high > 0, "higher"), (high < 0, "lower")]
    return first_text(rows.index, sides, "similar")


def better_way(points: Frame, improvement: Improvement | Mapping[str, Improvement]) -> Column:
    """Polarity beside every point; "none" for series that a mapping leaves out."""
    if isinstance(improvement, str):
        return pd.Series(improvement, index=points.index, dtype="str")
    return points["series"].map(dict(improvement)).fillna("none")


def target_bands(points: Frame, targets: Targets, more: Sequence[str] = ()) -> Frame:
    """Put target, target_low and target_high beside every point; NaN where there is none.

    `more`: further columns of a table of targets.
    """
    if isinstance(targets, pd.DataFrame):
        keys, names = points[["series", "period"]], [*TARGETS, *more]
        known = targets.reindex(columns=[*keys, *names]).astype(keys.dtypes.to_dict())
        beside = keys.merge(known, on=["series", "period"], how="left", validate="1:1")
        return beside[names].astype(float)
    asked = (targets or {}).items()
    rows = {s: (np.nan, *t) if isinstance(t, tuple) else (t, np.nan, np.nan) for s, t in asked}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=TARGETS, dtype=float)
    return table.reindex(points["series"], columns=[*TARGETS, *more]).reset_index(drop=True)


def point_types(points: Frame, better: Column, bands: Frame) -> Column:
    """Judge every special cause (columns value, mean, rule, direction) by polarity and band.

    With "range" a point is an improvement if it is nearer to the band than the mean is, or if its
    trend heads for the band; where there is no band, or no difference, it is neutral.
    """
    direction = points["direction"].to_numpy()
    goodness = better.map(SIGNS).fillna(0).to_numpy() * direction
    if (better == "range").any():
        goodness = np.where(better == "range", _towards_band(points, bands), goodness)
    tests = [points["value"].isna(), points["rule"] == "none", goodness > 0, goodness < 0]
    return words(POINT_TYPES, np.select(tests, [0, 1, 2, 3], np.where(direction > 0, 4, 5)))


def _towards_band(points: Frame, bands: Frame) -> Floats:
    value, low, high = points["value"], bands["target_low"], bands["target_high"]
    nearer = band_distance(points["mean"], low, high) - band_distance(value, low, high)
    heading = points["direction"] * ((value < low).astype(int) - (value > high).astype(int))
    return np.asarray(nearer.where(points["rule"] != "trend", heading).fillna(0))


def good_values(better: Column, bands: Frame) -> tuple[Any, ...]:
    """Smallest and largest value that meets each target or band; NaN where nothing is asked."""
    target, low, high = (bands[name].to_numpy(float) for name in TARGETS)
    ways = [(better == way).to_numpy() for way in ("higher", "lower", "range")]
    endless = np.full(len(bands), np.inf)
    edges = [target, -endless, low], [endless, target, high]
    return tuple(np.select(ways, each, np.nan) for each in edges)


def is_met(value: Column, better: Column, bands: Frame) -> Column:
    """1 where a value meets its target or band, 0 where not; NaN where one of them is missing."""
    low, high = good_values(better, bands)
    met: Column = ((value >= low) & (value <= high)).astype(float)
    return met.where(value.notna() & ~np.isnan(low + high))


def held_against(rows: Frame, better: Column, tolerance: Floats) -> Column:
    """Hold limits against a target or band, row by row.

    Rows: limits, is_constant and the target or band. Limits wholly on the good side give
    consistent_pass, wholly on the bad side consistent_fail; "" where there is no target, no limit
    or no polarity. A constant is compared directly.
    """
    low, high = good_values(better, rows)
    lower, upper = rows["lower_limit"].to_numpy(), rows["upper_limit"].to_numpy()
    edge = np.where(rows["is_constant"], -tolerance, 0.0)
    passes = (lower - low > edge) & (high - upper > edge)
    fails = (low - upper > -edge) | (lower - high > -edge)
    codes = np.select([np.isnan(low + high + lower), passes, fails], [0, 1, 2], 3)
    return words(["", "consistent_pass", "consistent_fail", "inconsistent"], codes)
