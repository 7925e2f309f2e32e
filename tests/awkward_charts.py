"""Charts of awkward data, drawn with fixed seeds, for every test that measures what is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.story.dots import draw_dots, draw_reliability, draw_trajectory
from pmf_analysis.story.facts import ComparisonFacts, Subject
from pmf_analysis.story.funnel import draw_funnel, draw_quadrant
from pmf_analysis.story.spc import draw_spc
from pmf_analysis.story.strip import Panel, StripRow, draw_gap, draw_multiples, draw_strip

LONG_NAME = "Bournemouth, Christchurch and Poole Council"
LONG_UNIT = "per 10,000 households in temporary accommodation"
LONG_TITLE = "Residual household waste collected per household, kilograms a year"
MONTHS = {"monthly": 1, "quarterly": 3, "annual": 12}
QUANTILES = (5, 10, 25, 40, 50, 55, 60, 70, 75, 90, 95)
RNG = np.random.default_rng(20261122)

# Shapes of a series around 0, by what is awkward about each.
SHAPES: dict[str, list[float]] = {
    "constant": [0.0] * 16,
    "four points": [0.0, 1.0, -1.0, 0.5],
    "one point": [0.0],
    "last at the top": [*RNG.normal(0, 1, 19), 4.0],
    "last at the bottom": [*RNG.normal(0, 1, 19), -4.0],
    "last is the average": [*([-1.0, 1.0] * 9), 0.0],
    "zigzag": [-3.0, 3.0] * 14,
    "rising": [float(i) for i in np.linspace(-3, 3, 30)],
    "120 months": [*RNG.normal(0, 1, 120)],
}
# Level, size of a step, unit and decimals.
SCALES: dict[str, tuple[float, float, str, int]] = {
    "share": (40.0, 1.0, "%", 1),
    "near 100%": (97.0, 0.8, "%", 1),
    "huge": (1.2e9, 3e7, "£", 0),
    "tiny": (0.0031, 0.0002, "per person", 4),
    "negative": (-250.0, 40.0, "£ million", 1),
    "long unit": (14.0, 2.0, LONG_UNIT, 2),
}


def subject(**known: Any) -> Subject:
    named = {"frequency": "quarterly", "polarity": "lower", "title": LONG_TITLE, "unit": "%"}
    return Subject.of({**named, "decimals": 1, **known}, LONG_NAME)


def series(values: list[float], frequency: str) -> pd.DataFrame:
    step, known = pd.DateOffset(months=MONTHS[frequency]), np.array(values)
    half = 2.66 * float(np.abs(np.diff(known)).mean()) if len(known) > 1 else 0.0
    limits = {"mean": known.mean(), "lower_limit": known.mean() - half}
    return pd.DataFrame(
        {
            "period": [pd.Timestamp("2016-04-01") + step * i for i in range(len(values))],
            "period_label": "Oct 2025 to Sep 2026",
            "value": values,
            "status": ["final"] * (len(values) - 1) + ["provisional"],
            "segment": 0,
            **limits,
            "upper_limit": known.mean() + half,
            "point_type": np.where(known > known.mean() + 1.5 * half, "special_concern", ""),
        }
    )


def fan(points: pd.DataFrame, wide: float, drift: float) -> pd.DataFrame:
    last, value = points["period"].iloc[-1], float(points["value"].iloc[-1])
    ahead = np.arange(1, 7)
    quantiles = {
        f"q{q:02d}": value + drift * ahead + wide * ahead**0.5 * (q - 50) / 30 for q in QUANTILES
    }
    return pd.DataFrame(
        {"period": [last + pd.DateOffset(months=3 * n) for n in ahead], **quantiles}
    )


def events(points: pd.DataFrame) -> pd.DataFrame:
    places = [at for at in (1, 2, 3, len(points) - 2, len(points) - 1) if 0 <= at < len(points)]
    kinds = ["baseline", "exceptional", "definition", "suggested_step", "annotation"][: len(places)]
    starts = points["period"].iloc[places]
    until = starts + pd.DateOffset(months=13)
    return pd.DataFrame(
        {"period": starts, "until": until, "kind": kinds, "number": range(1, len(places) + 1)}
    )


def controls() -> Iterator[tuple[str, str]]:
    for (shape, values), (scale, (level, size, unit, decimals)) in product(
        SHAPES.items(), SCALES.items()
    ):
        frequency = "monthly" if len(values) > 60 else "quarterly"
        points = series([level + size * value for value in values], frequency)
        known: dict[str, Any] = {"unit": unit, "decimals": decimals, "frequency": frequency}
        newest, late = float(points["value"].iloc[-1]), len(values) % 2 == 0
        # On the newest value, near the average, near the forecast and far away.
        goals = {"same": newest, "close": newest + 0.3 * size}
        goals |= {"far": level * 90, "none": np.nan} if scale in ("share", "huge") else {}
        for aim, goal in goals.items():
            told = points.assign(target=goal)
            told_of: dict[str, Any] = {"events": events(points), "is_stale": late}
            yield f"spc {shape} {scale} {aim}", draw_spc(told, subject(**known), id="a", **told_of)
            if frequency == "monthly" or aim == "none":
                continue
            ahead = fan(points, size * (0.02 if late else 1.5), 0.05 * size)
            after = {
                "period": ahead["period"].iloc[[-1]],
                "target": goal,
                "target_low": goal - size / 9,
            }
            rows = pd.DataFrame({**after, "target_high": goal})
            polarity = "range" if late else "higher"
            told_of = {
                "targets": rows,
                "forecast": ahead,
                "events": events(points),
                "is_stale": late,
            }
            drawn = draw_spc(told, subject(**known, polarity=polarity), id="a", **told_of)
            yield f"fan {shape} {scale} {aim}", drawn


def gaps() -> Iterator[tuple[str, str]]:
    for (shape, values), (scale, (level, size, unit, decimals)) in product(
        SHAPES.items(), SCALES.items()
    ):
        points = series([level + size * value for value in values], "quarterly")
        for apart in (0.1, -6.0):
            limits = {"mean": 0.1 * size, "lower_limit": -2 * size, "upper_limit": 2 * size}
            rows = points[["period", "value"]].assign(rule="none", is_as_if=False, **limits)
            rows["peer_median"] = points["value"] + apart * size
            told = subject(unit=unit, decimals=decimals)
            yield f"gap {shape} {scale} {apart}", draw_gap(rows, told, id="a")


def strip_row(peers: list[float], own: float | None, **known: Any) -> StripRow:
    row: dict[Any, Any] = {
        "value": own,
        "peer_q1": 4.4,
        "peer_q3": 6.2,
        "peer_median": 5.2,
        "rank": 17,
        "rank_of": 31,
    }
    facts = ComparisonFacts.of(
        {**row, "is_joint": True, **known}, subject(short_title=LONG_TITLE, **known)
    )
    return StripRow(facts, peers)


def strips() -> Iterator[tuple[str, str]]:
    tied, none = [4.0] * 14 + [5.0] * 14 + [7.0, float("nan")], [float("nan")] * 30
    for polarity in ("higher", "none"):
        for unit, own in (
            ("%", 5.0),
            ("£", 123456789.0),
            (LONG_UNIT, None),
            ("£ million", -1234.5),
        ):
            known = {"polarity": polarity, "unit": unit, "decimals": 1, "verdict": "somewhat_worse"}
            rows = [strip_row(peers, own, **known) for peers in (tied, none, tied[:1], tied)]
            yield f"strip {polarity} {unit}", draw_strip(rows, id="a")


def dots() -> Iterator[tuple[str, str]]:
    for scale, (level, size, unit, decimals) in SCALES.items():
        known: dict[str, Any] = {"unit": unit, "decimals": decimals, "id": "a"}
        for shape, aim in product(("bell", "same", "two"), (0.0, 3.0, -90.0, 90.0, 8.0)):
            placed = {
                "bell": RNG.normal(0, 1, 20),
                "same": np.zeros(20),
                "two": np.repeat([0, 5], 10),
            }
            values, goal = (level + size * placed[shape]).tolist(), level + size * aim
            drawn = draw_dots(values, target=goal, better="higher", **known)
            yield f"dots {scale} {shape} {aim}", drawn
            both = draw_dots(values, target=(goal - 0.1 * size, goal), better="range", **known)
            yield f"dots of a range {scale} {shape} {aim}", both


def funnels() -> Iterator[tuple[str, str]]:
    for count, centre, outside in product((5, 30), (0.3, 40.0, 99.6), (0, 1, 3)):
        size = np.geomspace(200, 9000, count + 1)
        value = np.clip(centre + RNG.normal(0, 40, count + 1) / np.sqrt(size / 20), 0, 100).round()
        labels = np.where(np.arange(count + 1) < outside, "low_998", "within")
        named = {"area_name": LONG_NAME, "is_own": np.arange(count + 1) == count, "label": labels}
        peers = pd.DataFrame({**named, "value": value, "denominator": size})
        limits = pd.DataFrame({"size": size, "benchmark": centre})
        for (level, z), (side, sign) in product(
            (("95", 2), ("998", 3.1)), (("lower", -1), ("upper", 1))
        ):
            limits[f"{side}_{level}"] = np.clip(centre + sign * z * 40 / np.sqrt(size), 0, 100)
        drawn = draw_funnel(peers, limits, subject(), id="a", own_name=LONG_NAME, verdict="worse")
        yield f"funnel {count} {centre} {outside}", drawn


def quadrants() -> Iterator[tuple[str, str]]:
    codes = [f"{a}_cost_{b}_performance" for a, b in product(("low", "high"), ("low", "high"))]
    words = {
        code: f"{code.split('_')[0].title()} cost, {code.split('_')[2]} performance"
        for code in codes
    }
    words |= {"costs_less": "Costs less", "costs_more": "Costs more"}
    words |= {"does_worse": "Does worse", "does_better": "Does better"}
    for count, own in product(
        (5, 60), ([(0, 0)], [(100, 100)] * 3, [(50, 50), (52, 50), (100, 0)])
    ):
        places = [*RNG.uniform(0, 100, (count, 2)).tolist(), *own]
        rows = pd.DataFrame(places, columns=["cost_percentile", "performance_percentile"])
        rows["is_own"] = [False] * count + [True] * len(own)
        rows["is_newest"] = [True] * count + [False] * (len(own) - 1) + [True]
        rows["year_label"] = ["2025-26"] * count + [
            f"20{24 - len(own) + n}-{25 - len(own) + n}" for n in range(1, len(own) + 1)
        ]
        yield (
            f"quadrant {count} {own}",
            draw_quadrant(rows, words=words, id="a", own_name=LONG_NAME),
        )


def trajectories() -> Iterator[tuple[str, str]]:
    for frequency, (scale, (level, size, unit, decimals)) in product(
        ("monthly", "quarterly"), SCALES.items()
    ):
        count = 12 // MONTHS[frequency]
        place = np.arange(1, count + 1)
        for done, gap in product((0, count // 2, count), (0.01, 0.2)):
            middle, wide = level * place * (1 + gap), size * np.maximum(place - done, 0)
            ahead = place > done
            rows = pd.DataFrame({"actual": np.where(ahead, np.nan, middle), "path": level * place})
            rows["period"] = pd.date_range(
                "2026-04-01", periods=count, freq=f"{MONTHS[frequency]}MS"
            )
            rows["chance_on_path"] = np.where(ahead, 0.97, np.nan)
            for name, sign in (("q05", -1), ("q50", 0), ("q95", 1)):
                rows[name] = np.where(ahead, middle + sign * wide, np.nan)
            told = subject(unit=unit, decimals=decimals, frequency=frequency)
            yield (
                f"trajectory {frequency} {scale} {done} {gap}",
                draw_trajectory(rows, told, id="a"),
            )


def others() -> Iterator[tuple[str, str]]:
    said = "said 100%, happened 100%, of 28,353"
    for shares in ((0, 0, 0, 0), (100, 100, 100, 100), (50, 2, 49, 51)):
        bands = [("Our back-tested chances, middling chances", said, shares)] * 6
        yield f"reliability {shares}", draw_reliability(bands, id="a")
    for scale, (level, size, unit, decimals) in SCALES.items():
        for shape, values in SHAPES.items():
            points = series([level + size * value for value in values], "quarterly")
            told = subject(unit=unit, decimals=decimals).figure(level).text
            panel = Panel(
                LONG_TITLE, told, "worsening", points.assign(target=level), "No clear change"
            )
            yield f"panel {scale} {shape}", draw_multiples([panel], id="a")


def awkward_charts(most: int | None = None) -> dict[str, str]:
    """Charts of every kind by their names, at most so many of each."""
    makers = (controls, gaps, strips, dots, funnels, quadrants, trajectories, others)
    return {name: svg for maker in makers for name, svg in islice(maker(), most)}
