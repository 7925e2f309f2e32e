"""Every form of label that was counted in published tables, and the ones that are refused."""

import csv
import doctest
import gzip
from datetime import date

import pytest

from pmf_analysis import period_labels, periods
from pmf_analysis.periods import AmbiguousPeriodError, parse_period, split_mark
from pmf_analysis.problems import PmfError

# label, declared type of year, declared frequency, first day, last day, kind
FORMS = [
    ("2019", "calendar", "annual", "2019-01-01", "2019-12-31", "year"),
    ("2017/18", "financial", "annual", "2017-04-01", "2018-03-31", "year"),
    ("2017/18", "academic", "annual", "2017-09-01", "2018-08-31", "year"),
    ("2017-18", "financial", "annual", "2017-04-01", "2018-03-31", "year"),
    ("2016-17 (OT)", "financial", "annual", "2016-04-01", "2017-03-31", "year"),
    ("2019/20 (academic)", None, None, "2019-09-01", "2020-08-31", "year"),
    ("2018 (Rev)", "calendar", None, "2018-01-01", "2018-12-31", "year"),
    ("2020 (Final)", "calendar", None, "2020-01-01", "2020-12-31", "year"),
    ("2025 (prov)", "calendar", None, "2025-01-01", "2025-12-31", "year"),
    ("2019 revised", "calendar", "annual", "2019-01-01", "2019-12-31", "year"),
    ("Financial year ending 2023", None, None, "2022-04-01", "2023-03-31", "year"),
    ("Financial year 2022/23", None, None, "2022-04-01", "2023-03-31", "year"),
    ("FY 2011-12", None, None, "2011-04-01", "2012-03-31", "year"),
    ("Academic year 2022-23", None, None, "2022-09-01", "2023-08-31", "year"),
    ("Calendar year 2019", None, None, "2019-01-01", "2019-12-31", "year"),
    ("1999/00", "financial", None, "1999-04-01", "2000-03-31", "year"),
    ("2010 - 12", None, "3-year pooled", "2010-01-01", "2012-12-31", "rolling"),
    ("2018 - 2020", None, "3-year pooled", "2018-01-01", "2020-12-31", "rolling"),
    ("2014-16", "calendar", "3-year pooled", "2014-01-01", "2016-12-31", "rolling"),
    ("2013/14-15/16", "financial", "3-year pooled", "2013-04-01", "2016-03-31", "rolling"),
    ("2020/21 - 24/25", "financial", "5-year pooled", "2020-04-01", "2025-03-31", "rolling"),
    ("Year to Mar 2010", None, None, "2009-04-01", "2010-03-31", "rolling"),
    ("12 months ending 31 March 2010", None, None, "2009-04-01", "2010-03-31", "rolling"),
    ("Oct 2021-Sep 2022", None, None, "2021-10-01", "2022-09-30", "rolling"),
    ("04/2022 - 03/2023", None, None, "2022-04-01", "2023-03-31", "rolling"),
    ("04/2022 - 03/2023", None, "annual", "2022-04-01", "2023-03-31", "year"),
    ("10/2022 - 09/2023", None, "annual", "2022-10-01", "2023-09-30", "rolling"),
    ("16/11/2021 - 15/11/2022", None, "annual", "2021-11-16", "2022-11-15", "rolling"),
    ("1 Sep 2026 to 12 Oct 2026", None, None, "2026-09-01", "2026-10-12", "rolling"),
    ("2021/22 Q1 - 2021/22 Q2", None, None, "2021-04-01", "2021-09-30", "rolling"),
    ("2021/22 Q1 - 2022/23 Q1", None, None, "2021-04-01", "2022-06-30", "rolling"),
    ("H1 2026-27", None, None, "2026-04-01", "2026-09-30", "half_year"),
    ("2019 Q1 Jan-Mar", None, None, "2019-01-01", "2019-03-31", "quarter"),
    ("Apr-Jun 23", None, None, "2023-04-01", "2023-06-30", "quarter"),
    ("Qtr 2 23-24", None, None, "2023-07-01", "2023-09-30", "quarter"),
    ("2018 Q2 Apr-Jun", None, None, "2018-04-01", "2018-06-30", "quarter"),
    ("2015 Q4", "calendar", "quarterly", "2015-10-01", "2015-12-31", "quarter"),
    ("Q1 2022", "calendar", "quarterly", "2022-01-01", "2022-03-31", "quarter"),
    ("Q1 2022", "financial", "quarterly", "2022-04-01", "2022-06-30", "quarter"),
    ("Q1 18/19", None, None, "2018-04-01", "2018-06-30", "quarter"),
    ("Q4 18/19", None, None, "2019-01-01", "2019-03-31", "quarter"),
    ("2022/23 Q3", None, None, "2022-10-01", "2022-12-31", "quarter"),
    ("2018-19 Q1", None, None, "2018-04-01", "2018-06-30", "quarter"),
    ("Quarter 2, 2018/19", None, None, "2018-07-01", "2018-09-30", "quarter"),
    ("Q1 (Apr-Jun) 2023/24", None, None, "2023-04-01", "2023-06-30", "quarter"),
    ("Apr\N{EN DASH}Jun 2023", None, None, "2023-04-01", "2023-06-30", "quarter"),
    ("Quarter to June 2023", "financial", None, "2023-04-01", "2023-06-30", "quarter"),
    ("2008-12-31", None, "quarterly", "2008-10-01", "2008-12-31", "quarter"),
    ("2024-03-31", "financial", "annual", "2023-04-01", "2024-03-31", "year"),
    ("March 2023", None, None, "2023-03-01", "2023-03-31", "month"),
    ("Mar 2023", None, "monthly", "2023-03-01", "2023-03-31", "month"),
    ("Sep-23", None, None, "2023-09-01", "2023-09-30", "month"),
    ("Sept 2023", None, None, "2023-09-01", "2023-09-30", "month"),
    ("2021-07", None, "quarterly", "2021-07-01", "2021-09-30", "quarter"),
    ("Sep 2021", "financial", "quarterly", "2021-07-01", "2021-09-30", "quarter"),
    ("Aug 2021", "financial", "quarterly", "2021-08-01", "2021-08-31", "month"),
    ("2023-04", None, "monthly", "2023-04-01", "2023-04-30", "month"),
    ("2011-12", None, "monthly", "2011-12-01", "2011-12-31", "month"),
    ("Autumn term 2025", None, None, "2025-09-01", "2025-12-31", "term"),
    ("Autumn 2025/26", None, None, "2025-09-01", "2025-12-31", "term"),
    ("Spring 2026", None, None, "2026-01-01", "2026-04-30", "term"),
    ("Summer term 2025/26", None, None, "2026-05-01", "2026-08-31", "term"),
    ("w/c 7 September 2026", None, None, "2026-09-07", "2026-09-13", "week"),
    ("week ending 13/09/2026", None, None, "2026-09-07", "2026-09-13", "week"),
    ("2026-09-07", None, "weekly", "2026-09-07", "2026-09-13", "week"),
    ("2026-09-13", None, "weekly", "2026-09-07", "2026-09-13", "week"),
    ("As at 31 January 2024", None, None, "2024-01-31", "2024-01-31", "day"),
    ("31 March 2024", "financial", "snapshot", "2024-03-31", "2024-03-31", "day"),
    ("14/02/2024", None, None, "2024-02-14", "2024-02-14", "day"),
]


@pytest.mark.parametrize(("label", "year_type", "frequency", "start", "end", "kind"), FORMS)
def test_each_form_has_its_dates_and_kind(label, year_type, frequency, start, end, kind):
    period = parse_period(label, year_type=year_type, frequency=frequency)
    assert (f"{period.start}", f"{period.end}", period.kind) == (start, end, kind)


@pytest.mark.parametrize(
    ("label", "year_type", "frequency", "choices"),
    [
        ("Q1 2022", None, None, ["Apr 2022 to Jun 2022", "Jan 2022 to Mar 2022"]),
        ("Q4 2022", "financial", None, ["Jan 2022 to Mar 2022", "Jan 2023 to Mar 2023"]),
        ("2018 Q4 Jan-Mar", None, None, ["Jan 2018 to Mar 2018", "Jan 2019 to Mar 2019"]),
        ("2017/18", None, None, ["Apr 2017 to Mar 2018", "Sep 2017 to Aug 2018"]),
        ("2013", "academic", "annual", ["Sep 2012 to Aug 2013", "Sep 2013 to Aug 2014"]),
        ("2013/14-15/16", None, None, ["Apr 2013 to Mar 2016", "Sep 2013 to Aug 2016"]),
        (
            "2014-16",
            "financial",
            None,
            ["Apr 2013 to Mar 2016", "Apr 2014 to Mar 2016", "Apr 2014 to Mar 2017"],
        ),
        (
            "2023-04",
            None,
            None,
            ["Apr 2023 to Apr 2023", "Apr 2023 to Mar 2024", "Sep 2023 to Aug 2024"],
        ),
        ("2010-12", None, None, ["Dec 2010 to Dec 2010", "Jan 2010 to Dec 2012"]),
        (
            "2008-12-31",
            None,
            None,
            ["Dec 2008 to Dec 2008", "Dec 2008 to Dec 2008", "Oct 2008 to Dec 2008"],
        ),
        ("2026-09-09", None, "weekly", ["Sep 2026 to Sep 2026", "Sep 2026 to Sep 2026"]),
        ("year ending 2023", None, None, None),
        ("2019", None, None, None),
    ],
)
def test_ambiguous_labels_are_refused_with_their_choices(label, year_type, frequency, choices):
    with pytest.raises(AmbiguousPeriodError) as caught:
        parse_period(label, year_type=year_type, frequency=frequency)
    found = sorted(f"{p.start:%b %Y} to {p.end:%b %Y}" for p in caught.value.choices)
    assert choices is None or found == choices
    for choice in caught.value.choices:
        assert choice.long_label in caught.value.problems[0].message


def test_every_way_out_that_the_refusal_offers_can_be_read_and_is_that_choice():
    for label in ("Q4 2022", "2019", "2017/18", "2023-04", "2013/14-15/16", "2008-12-31"):
        with pytest.raises(AmbiguousPeriodError) as caught:
            parse_period(label)
        ways_out = caught.value.problems[0].fix.split('"')[1::2]
        assert [parse_period(way) for way in ways_out] == list(caught.value.choices)


def test_the_refusal_reads_well():
    with pytest.raises(AmbiguousPeriodError) as caught:
        parse_period("Q1 2022")
    assert str(caught.value) == (
        'The period "Q1 2022" can mean more than one thing: Quarter 1 (January to March) 2022; or '
        "Quarter 1 (April to June) 2022-23. Expected a label with one meaning. "
        "Fix: declare the type of year (financial, academic or calendar) or the frequency, "
        'or write "2022 Q1 Jan-Mar" or "2022-23 Q1 Apr-Jun".'
    )


@pytest.mark.parametrize(
    "label",
    [
        *("", "  ", "Total", "2017/19", "2024-13", "31/02/2024", "Q5 2022/23", "H3 2022/23"),
        *("1066", "Mar 2023-Apr 2022", "2023/24 Q1 Jul-Sep", "Not available until 2018", "Q1"),
        *("financial year " * 3, "x" * 10_000, "2019 (approx)", "99", "2019-20-21", "1" * 30),
    ],
)
def test_what_is_no_period_is_refused_in_words(label):
    with pytest.raises(PmfError) as caught:
        parse_period(label, year_type="financial")
    assert caught.value.problems[0].code == "period-not-read"
    assert not isinstance(caught.value, AmbiguousPeriodError)


def test_marks_are_split_from_labels():
    assert split_mark("2018 (Rev)") == ("2018", "revised")
    assert split_mark("2019(R)") == ("2019", "revised")
    assert split_mark("2025 provisional") == ("2025", "provisional")
    assert split_mark("Final") == ("Final", "")
    assert split_mark("Autumn 2025") == ("Autumn 2025", "")


def test_doctests():
    assert doctest.testmod(periods).failed == 0
    assert doctest.testmod(period_labels).failed == 0


def _labels(folder):
    """Yield the distinct file, label, first day and frequency of the tidy tables."""
    seen = set()
    for path in sorted(folder.glob("tidy/*.csv*")):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="") as lines:
            rows = csv.reader(lines)
            columns = next(rows)
            label, start = columns.index("period"), columns.index("period_start")
            often = columns.index("frequency") if "frequency" in columns else None
            for row in rows:
                seen.add((row[label], row[start], row[often] if often is not None else None))
    return sorted(seen, key=str)


@pytest.mark.realdata
def test_every_label_of_the_real_tables_is_read_or_declared_ambiguous(real_data):
    labels = _labels(real_data)
    assert len(labels) > 1_000
    periods_of = {row: _possible_periods(row[0], row[2]) for row in labels}
    assert [row for row, found in periods_of.items() if not found] == []
    disagree = {
        row
        for row, found in periods_of.items()
        if date.fromisoformat(row[1]) not in {period.start for period in found}
    }
    # Years from October to September, labelled by the year of their end, are of no type of year.
    assert disagree == {row for row in labels if _is_october_year(*row)}
    assert all(len(periods_of[row]) > 1 for row in disagree)


def _possible_periods(label, frequency):
    """The period read, or the choices offered, with what a file declares and a register knows."""
    known = {"annual", "quarterly", "monthly", "snapshot"}
    try:
        return (parse_period(label, frequency=frequency if frequency in known else None),)
    except AmbiguousPeriodError as error:
        return error.choices
    except PmfError:
        return ()


def _is_october_year(label, start, frequency):
    return label.isdigit() and (start, frequency) == (f"{int(label) - 1}-10-01", "annual")
