"""Colours by a council's own rule: two published rules, and what cannot be known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.arrows import council_statuses

NAN = np.nan
Steps = list[dict[str, Any]]
# Havering: green within 10% of target; amber off by more but improved on last year; red neither.
HAVERING: Steps = [
    {"colour": "green", "when": "within_pct", "pct": 10.0},
    {"colour": "amber", "when": "improved_on_last_year", "pct": None},
    {"colour": "red", "when": "otherwise", "pct": None},
]
# Brighton & Hove: green met, amber inside the range set for each measure, red outside; grey has no
# target, and is there for its trend alone.
BRIGHTON: Steps = [
    {"colour": "green", "when": "met", "pct": None},
    {"colour": "amber", "when": "within_tolerance", "pct": None},
    {"colour": "grey", "when": "no_target", "pct": None},
    {"colour": "red", "when": "otherwise", "pct": None},
]


def row(value: float, target: float = NAN, **given: Any) -> dict[str, Any]:
    plain = {"polarity": "higher", "control": "council", "last_year_value": NAN}
    plain |= dict.fromkeys(["target_low", "target_high", "tolerance_low", "tolerance_high"], NAN)
    return {**plain, "value": value, "target": target, **given}


def judged(rule: Steps, *rows: dict[str, Any], aimed: tuple[int, ...] = ()) -> list[str]:
    """Colour of each row, or what it lacks."""
    table = pd.DataFrame(list(rows)).assign(indicator="i", period=pd.Timestamp(2026, 7, 1))
    table["series"] = [str(n) for n in range(len(table))]
    found = council_statuses(table, rule, [str(n) for n in aimed])
    assert ((found["colour"] == "") == (found["why"] != "")).all()
    assert ((found["step"] > 0) == (found["colour"] != "")).all()
    return [*(found["colour"] + found["why"])]


@pytest.mark.parametrize(
    ("value", "last", "colour"),
    [
        (82.0, 70.0, "green"),  # above the target of 80
        (72.0, 90.0, "green"),  # exactly 10% below it
        (71.9, 70.0, "amber"),  # farther, but better than last year
        (71.9, 71.9, "red"),  # the same as last year is not improved
        (60.0, 70.0, "red"),
        (72.0, NAN, "green"),  # last year is not asked for
        (71.9, NAN, "lacks_last_year"),  # amber or red: nobody can know
    ],
)
def test_havering_gives_its_published_classes(value: float, last: float, colour: str) -> None:
    assert judged(HAVERING, row(value, 80.0, last_year_value=last)) == [colour]


def test_havering_where_less_is_better_and_where_near_is_best() -> None:
    less = {"polarity": "lower", "last_year_value": 30.0}
    band = {"polarity": "range", "target_low": 4.0, "target_high": 8.0, "last_year_value": 1.0}
    rows = [row(v, 20.0, **less) for v in (5.0, 22.0, 22.1, 30.0, 31.0)]
    rows += [row(v, NAN, **band) for v in (5.0, 3.6, 8.8, 3.0, 1.0, 12.0)]
    expected = ["green", "green", "amber", "red", "red"]
    assert judged(HAVERING, *rows) == [
        *expected,
        *["green", "green", "green", "amber", "red", "red"],
    ]


@pytest.mark.parametrize(
    ("value", "tolerance", "colour"),
    [
        (80.0, 76.0, "green"),
        (79.9, 76.0, "amber"),
        (76.0, 76.0, "amber"),
        (75.9, 76.0, "red"),
        (80.0, NAN, "green"),  # met, whatever the range
        (79.9, NAN, "lacks_tolerance"),  # amber or red: no range was set
        (NAN, 76.0, "lacks_value"),
    ],
)
def test_brighton_gives_its_published_classes(value: float, tolerance: float, colour: str) -> None:
    assert judged(BRIGHTON, row(value, 80.0, tolerance_low=tolerance)) == [colour]


def test_grey_is_for_what_has_no_target_at_all() -> None:
    assert judged(BRIGHTON, row(5.0), row(5.0), row(5.0, polarity="none"), aimed=(1,)) == [
        *["grey", "lacks_target", "grey"]
    ]
    assert judged(HAVERING, row(5.0, last_year_value=9.0)) == ["lacks_target"]


def test_nobody_is_coloured_without_a_better_way_nor_for_what_is_not_in_its_control() -> None:
    unknown = [row(5.0, 4.0, polarity=name) for name in ("unknown", "none")]
    assert judged(BRIGHTON, *unknown) == ["lacks_way", "lacks_way"]
    assert judged(BRIGHTON, row(5.0, 4.0, control="city"), row(5.0, 4.0)) == ["green"]


def test_the_order_of_the_steps_decides() -> None:
    better = row(60.0, 80.0, last_year_value=50.0, tolerance_low=76.0)
    first = [{"colour": "amber", "when": "improved_on_last_year", "pct": None}]
    assert judged([*first, *BRIGHTON], better) == ["amber"]
    assert judged([*BRIGHTON[:2], *first, BRIGHTON[3]], better) == ["amber"]
    assert judged(BRIGHTON, better) == ["red"]


def test_only_the_target_itself_is_near_a_target_of_nought() -> None:
    less = {"polarity": "lower", "last_year_value": 0.0}
    assert judged(HAVERING, row(0.0, 0.0, **less), row(0.1, 0.0, **less)) == ["green", "red"]


def test_without_a_rule_nothing_has_a_colour_and_columns_are_there() -> None:
    table = pd.DataFrame([row(5.0, 4.0)]).assign(series="s", indicator="i", period="p")
    assert council_statuses(table, [])[["colour", "step", "why"]].values.tolist() == [["", 0, ""]]
