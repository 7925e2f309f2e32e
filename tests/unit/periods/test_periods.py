"""Names, order and arithmetic of periods."""

import pickle
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmf_analysis.period_spans import KIND_OF_FREQUENCY, YEAR_STARTS, add_months, part_of_year
from pmf_analysis.periods import (
    PERIODS_PER_YEAR,
    AmbiguousPeriodError,
    Period,
    parse_period,
    period_from_start,
)

PARTS = {"year": 1, "half_year": 2, "quarter": 4, "term": 3, "month": 12}
FREQUENCIES = ["monthly", "quarterly", "termly", "half_yearly", "annual", "weekly", "biennial"]


@st.composite
def parts_of_years(draw):
    kind = draw(st.sampled_from(sorted(PARTS)))
    year_type = "academic" if kind == "term" else draw(st.sampled_from(sorted(YEAR_STARTS)))
    number = draw(st.integers(1, PARTS[kind]))
    return part_of_year(draw(st.integers(1901, 2098)), year_type, kind, number)


@st.composite
def started_periods(draw):
    start = draw(st.dates(date(1901, 1, 1), date(2090, 12, 28)))
    return period_from_start(
        start.replace(day=draw(st.sampled_from([1, min(start.day, 28)]))),
        draw(st.sampled_from(FREQUENCIES)),
        draw(st.sampled_from(sorted(YEAR_STARTS))),
        draw(st.sampled_from(["", "", "1y", "3y", "2q", "5m"])),
    )


@pytest.mark.parametrize(
    ("text", "year_type", "label", "long_label"),
    [
        ("2026-27 Q2", "financial", "2026-27 Q2", "Quarter 2 (July to September) 2026-27"),
        ("Q3 2026", "calendar", "2026 Q3", "Quarter 3 (July to September) 2026"),
        ("September 2026", None, "Sep 2026", "September 2026"),
        ("2026/27", "financial", "2026-27", "2026-27 financial year (April to March)"),
        ("2026/27", "academic", "2026-27", "2026-27 academic year (September to August)"),
        ("2026", "calendar", "2026", "2026 calendar year (January to December)"),
        ("H2 2026-27", None, "2026-27 H2", "Second half (October to March) 2026-27"),
        ("Spring 2027", None, "2026-27 Spring", "Spring term (January to April) 2026-27"),
        ("w/c 7 Sep 2026", None, "Week of 7 Sep 2026", "Week of 7 September 2026"),
        ("As at 31 Jan 2024", None, "As at 31 Jan 2024", "31 January 2024"),
        ("Year to Sep 2022", None, "Oct 2021 to Sep 2022", "October 2021 to September 2022"),
        ("2010 - 12", None, "2010 to 2012", "2010 to 2012 (calendar years)"),
        (
            *("2020/21 - 24/25", "financial"),
            *("2020-21 to 2024-25", "2020-21 to 2024-25 (financial years)"),
        ),
        (
            *("1 Sep 2026 to 12 Oct 2026", None),
            *("1 Sep 2026 to 12 Oct 2026", "1 September 2026 to 12 October 2026"),
        ),
    ],
)
def test_names_of_each_kind(text, year_type, label, long_label):
    period = parse_period(text, year_type=year_type)
    assert (period.label, period.long_label) == (label, long_label)
    assert period.slug == label.lower().replace(" ", "-")


@given(parts_of_years() | started_periods())
def test_a_label_is_read_back_as_its_period(period):
    frequency = {"month": "monthly", "year": "annual"}.get(period.kind)
    read = parse_period(period.label, year_type=period.year_type, frequency=frequency)
    assert (read, read.kind) == (period, period.kind)


@given(parts_of_years())
def test_parts_follow_each_other_without_gap_or_overlap(period):
    frequency = {kind: name for name, kind in KIND_OF_FREQUENCY.items()}[period.kind]
    tomorrow = period.end + timedelta(days=1)
    following = period_from_start(tomorrow, frequency, period.year_type)
    assert (following.kind, following.months) == (period.kind, period.months)
    assert period < following


@given(parts_of_years())
def test_a_period_starts_and_ends_where_its_number_says(period):
    assert period.months * PARTS[period.kind] == 12
    assert part_of_year(2020, period.year_type, period.kind, period.number).start.month == (
        period.start.month
    )


@given(started_periods())
def test_a_start_gives_the_period_that_starts_there(period):
    again = period_from_start(period.start, "monthly", period.year_type)
    assert again.start == period.start
    assert period.end >= period.start


def test_starts_that_begin_no_year_of_the_type_give_rolling_periods():
    period = period_from_start(date(2021, 9, 1), "annual", "financial")
    assert (period.kind, period.label) == ("rolling", "Sep 2021 to Aug 2022")
    assert period_from_start(date(2021, 9, 1), "annual", "academic").label == "2021-22"
    assert period_from_start(date(2021, 2, 1), "quarterly").kind == "rolling"
    assert period_from_start(date(2019, 1, 1), "annual", "calendar", "3y").label == "2019 to 2021"
    assert period_from_start(date(2024, 1, 31), "snapshot").kind == "day"


def test_periods_are_ordered_and_equal_by_their_dates():
    september = parse_period("Sep 2026")
    assert september == parse_period("Sep 2026", year_type="financial")
    assert september < parse_period("2026-27 Q3") < parse_period("2027-28 Q1")
    assert len({september, parse_period("September 2026")}) == 1


def test_only_lengths_that_belong_to_a_series_fit_it():
    assert parse_period("Sep 2026").fits("monthly")
    assert not parse_period("Sep 2026").fits("quarterly")
    assert not parse_period("2026-27 Q1").fits("annual")
    assert parse_period("Year to Sep 2022").fits("quarterly")
    assert parse_period("As at 31 Jan 2024").fits("annual")


def test_a_week_has_seven_days_and_no_whole_months():
    week = parse_period("w/c 7 Sep 2026")
    assert (week.months, week.end) == (0, date(2026, 9, 13))


def test_a_leap_day_moves_to_the_last_day_of_february():
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2024, 1, 31), -2) == date(2023, 11, 30)


def test_a_day_within_a_quarter_is_only_that_day():
    assert parse_period("2024-05-15", frequency="quarterly").kind == "day"


def test_every_frequency_of_the_register_is_known_everywhere():
    for frequency, periods in PERIODS_PER_YEAR.items():
        period = period_from_start(date(2026, 4, 1), frequency)
        if frequency != "weekly":
            assert period.months * periods == 12


def test_a_refusal_survives_a_trip_between_processes():
    with pytest.raises(AmbiguousPeriodError) as caught:
        parse_period("2017/18")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.choices) == (str(caught.value), caught.value.choices)


def test_a_period_cannot_be_changed():
    period = Period(date(2026, 4, 1), date(2026, 4, 30), "month", "financial")
    with pytest.raises(AttributeError):
        period.start = date(2026, 5, 1)
