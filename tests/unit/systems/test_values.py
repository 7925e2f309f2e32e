"""Cells are typed as people write, and refused where they could mean two things."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.systems.values import LARGEST, state_of_text, to_choice, to_date, to_number


def column(*texts: str) -> pd.Series:
    return pd.Series(texts, dtype="str")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.5", 1234.5),
        ("£1,200", 1200),
        ("-£3.20", -3.2),
        ("45.2%", 45.2),
        ("(3.5)", -3.5),
        ("\u22127", -7),
        ("1e3", 1000),
        (" 12 ", 12),
        (".5", 0.5),
        ("", None),
    ],
)
def test_numbers_as_people_write_them(text: str, number: float | None) -> None:
    numbers, bad = to_number(column(text))
    assert not bad[0]
    assert pd.isna(numbers[0]) if number is None else numbers[0] == number


@pytest.mark.parametrize(
    "text", ["12,5", "1,23,456", "1.234,5", "5 days", "n/a", "#DIV/0!", "inf", "nan", "--", "1 2"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    numbers, bad = to_number(column("1", text))
    assert bad.tolist() == [False, True]
    assert numbers.isna().tolist() == [False, True]


@settings(max_examples=50, deadline=None)
@given(st.floats(-LARGEST, LARGEST))
def test_a_number_written_out_is_read_back(number: float) -> None:
    assert to_number(column(repr(number)))[0][0] == number


def test_dates_are_day_first_and_never_turned_round() -> None:
    texts = ("2026-03-31", "31/03/2026", "03/04/2026", "1 April 2026", "04/25/2026", "31/02/2026")
    dates, bad = to_date(column(*texts))
    assert dates.dt.strftime("%m-%d").tolist()[:4] == ["03-31", "03-31", "04-03", "04-01"]
    assert bad.tolist() == [False] * 4 + [True] * 2


def test_choices_in_the_sources_words() -> None:
    choices = ("not_started", "on_track")
    made, bad = to_choice(
        column("On Track", "Assigned", "maybe", ""), choices, {"assigned": "not_started"}
    )
    assert made.tolist() == ["on_track", "not_started", "", ""]
    assert bad.tolist() == [False, False, True, False]


def test_texts_in_place_of_a_number() -> None:
    states = {"suppressed": ("*", "c"), "not_yet_available": ("Not available until ...", "TBC")}
    made = state_of_text(column("C", "tbc", "NOT available  until 2027", "available", ""), states)
    assert made.tolist() == ["suppressed", "not_yet_available", "not_yet_available", "", ""]
