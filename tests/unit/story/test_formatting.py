"""Numbers, ranks and chances: one spelling each, and none that misleads."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmf_analysis.story.bank import count_of, join_words
from pmf_analysis.story.facts import chance_band
from pmf_analysis.story.figures import Subject
from pmf_analysis.story.formatting import (
    MINUS,
    format_chance,
    format_change,
    format_false_alarm,
    format_frequency,
    format_number,
    format_value,
    in_sentence,
    ordinal,
    rounded_sign,
    twentieths,
)

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)
CHANCES = st.floats(0, 1)


@given(NUMBERS, st.integers(0, 4))
def test_a_written_number_reads_back_as_the_number_rounded(value: float, decimals: int) -> None:
    written = format_number(value, decimals).replace(",", "").replace(MINUS, "-")
    assert abs(float(written) - value) <= 0.5 * 10**-decimals + abs(value) * 1e-12
    assert written not in {"-0", "-0.0", "-0.00", "-0.000", "-0.0000"}


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "written"),
    [
        (39.84, "%", 1, "39.8%"),
        (-2.0, "%", 1, f"{MINUS}2.0%"),
        (1234.5, "£", 2, "£1,234.50"),
        (-3.0, "£ million", 1, f"{MINUS}£3.0 million"),
        (14.2, "per 1,000 people", 1, "14.2 per 1,000 people"),
        (1.0, "days", 0, "1 day"),
        (1.0, "businesses", 0, "1 business"),
        (1.0, "children", 0, "1 child"),
        (7.4, "score 0 to 10", 1, "7.4"),
    ],
)
def test_values_carry_their_unit(value: float, unit: str, decimals: int, written: str) -> None:
    assert format_value(value, unit, decimals) == written


def test_changes_of_percentages_are_in_percentage_points() -> None:
    assert format_change(-2.54, "%", 1) == "2.5 percentage points"
    assert format_change(1, "%", 0) == "1 percentage point"
    assert format_change(-4, "days", 0) == "4 days"


@given(NUMBERS, st.integers(0, 3))
def test_a_change_has_a_direction_exactly_when_it_shows(value: float, decimals: int) -> None:
    shown = format_number(value, decimals)
    assert (rounded_sign(value, decimals) == 0) == (not re.search(r"[1-9]", shown))
    assert rounded_sign(value, decimals) * value >= 0


@given(CHANCES)
def test_a_frequency_is_off_by_at_most_two_and_a_half_points(chance: float) -> None:
    said = format_frequency(chance)
    count, base = (int(number) for number in re.findall(r"\d+", said))
    if said.startswith("around"):
        assert abs(Fraction(count, base) - Fraction(chance)) <= Fraction(1, 40) + Fraction(1, 10**9)
    elif said.startswith("less"):
        assert chance < 0.05
    else:
        assert chance > 0.95


def test_the_example_that_the_prototype_got_wrong() -> None:
    assert format_frequency(0.16) == "around 3 in 20"
    assert format_frequency(0.01, of_cases=True) == "fewer than 1 in 20"


@given(CHANCES)
def test_a_chance_is_shown_in_twentieths_and_its_word_never_contradicts_it(chance: float) -> None:
    shown, band = format_chance(chance), chance_band(chance)
    if shown.endswith("%") and shown[0].isdigit():
        assert int(shown[:-1]) == 5 * twentieths(chance)
    if band in {"remote", "highly_unlikely", "unlikely"}:
        assert chance < 0.4
    if band in {"likely", "highly_likely", "almost_certain"}:
        assert chance > 0.5
    assert (shown == "over 95%") <= (band == "almost_certain")


@given(st.floats(1e-9, 1))
def test_a_false_alarm_is_near_what_was_measured(chance: float) -> None:
    said = format_false_alarm(chance)
    count, base = (int(n.replace(",", "")) for n in re.findall(r"[\d,]+", said))
    if said.startswith("around") and chance <= 0.2:
        assert abs(base * chance / count - 1) <= 0.5 * max(1, 5 * (base >= 20)) / 4
    elif said.startswith("less"):
        assert chance < 0.001


def test_ranks_lists_and_periods_read_as_people_write_them() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 111)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "111th")
    ]
    assert [join_words(list("abc"[:n])) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert in_sentence("Quarter 2 (July to September) 2026-27").startswith("quarter 2")
    assert in_sentence("2026-27 financial year (April to March)").startswith("the 2026")
    assert in_sentence("September 2026") == "September 2026"


def test_an_index_has_its_base_in_the_subtitle() -> None:
    assert format_value(133.14, "2019 = 100", 1) == "133.1"
    assert format_change(-15.3, "2019 = 100", 1) == "15.3"


def test_money_has_pounds_and_pence_and_a_list_names_its_unit_once() -> None:
    pay, spent = (
        Subject.of({"title": "T", "unit": unit, "decimals": 1}, "W")
        for unit in ("£ per week", "£ million")
    )
    low, high = pay.figure(610.25), pay.figure(671.3)
    assert high.text == "£671.30 per week" and pay.range(low, high).startswith("£610.25 to £671.30")
    assert spent.range(spent.figure(-1.04), spent.figure(2.0)) == "−£1.0 million to £2.0 million"


@pytest.mark.parametrize("how", ["count", "comparisons", "cases", "percent", "value", "signed"])
def test_no_number_is_minus_nothing(how: str) -> None:
    subject = Subject.of({"title": "T", "unit": "%", "decimals": 1}, "W")
    for raw in (-0.0, -0.001):
        assert subject.figure(raw, how).text in ("0", "0%", "0.0%", "0.0 percentage points")


def test_rolling_periods_and_terms_follow_a_preposition() -> None:
    assert in_sentence("2022 to 2024 (calendar years)") == "2022 to 2024 (calendar years)"
    assert in_sentence("Summer term (May to August) 2025-26").startswith("the summer term")


def test_one_figure_is_not_several() -> None:
    said = [count_of("scope.judged_by", n, method="Outcome known") for n in (1, 2)]
    assert said == ["Outcome known, 1 figure", "Outcome known, 2 figures"]


def test_figures_that_would_all_be_nothing_have_two_figures() -> None:
    row = {"title": "T", "unit": "per person", "decimals": 1, "value": 0.0004, "target": 0.0005}
    tiny, plain = Subject.of(row, "W"), Subject.of({**row, "target": 2.0}, "W")
    assert tiny.figure(0.0004).text == "0.00040 per person"
    assert tiny.figure(-0.0001, "signed").text == f"{MINUS}0.00010 per person"
    assert plain.figure(2.0).text == "2.0 per person"
