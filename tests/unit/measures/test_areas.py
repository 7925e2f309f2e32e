"""Reorganised councils: as-if figures from counts alone, the break, and who is a peer now."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.data.contract import series_key
from pmf_analysis.measures.areas import (
    NOTE,
    area_notes,
    current_members,
    follow_areas,
    normalised_changes,
    trusted_changes,
)

REGISTER = pd.DataFrame(
    {
        "indicator": ["share", "rate", "visits", "score"],
        "statistic": ["proportion", "rate", "", "mean"],
        "rate_base": [np.nan, 1000.0, np.nan, np.nan],
        "data_type": ["percentage", "rate", "count", "score"],
    }
)


def changes(*rows: tuple[str, str, str, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["old_code", "new_code", "kind", "on_date"])
    return frame.assign(old_name="Old " + frame["old_code"], new_name="New " + frame["new_code"])


MERGED = changes(("D1", "N", "merged", "2023-03-31"), ("D2", "N", "merged", "2023-04-01"))


def panel(*rows: tuple[str, str, int, float, float]) -> pd.DataFrame:
    """Indicator, area, year, numerator, denominator; a count has no denominator."""
    columns = ["indicator", "area", "year", "numerator", "denominator"]
    frame = pd.DataFrame(rows, columns=columns)
    scale = frame["indicator"].map({"share": 100.0, "rate": 1000.0, "score": 1.0})
    frame["value"] = (scale * frame["numerator"] / frame["denominator"]).fillna(frame["numerator"])
    frame["period"] = pd.to_datetime(frame["year"].astype(str) + "-04-01")
    frame = frame.assign(
        period_end=frame["period"] + pd.Timedelta(days=364),
        **dict.fromkeys(["dimension", "dimension_value", "value_note"], ""),
        **dict.fromkeys(["ci_lower", "ci_upper", "sample_size"], np.nan),
        area_name=frame["area"],
        definition_version=1,
        status="final",
    )
    keys = frame.rename(columns={"indicator": "indicator_id", "area": "area_code"})
    return frame.assign(series=series_key(keys)).drop(columns="year")


def follow(frame: pd.DataFrame, moved: pd.DataFrame, *areas: str) -> pd.DataFrame:
    return follow_areas(frame, moved, REGISTER, areas or ("N",))[0]


def of(frame: pd.DataFrame, area: str = "N") -> pd.DataFrame:
    return frame[frame["area"] == area].reset_index(drop=True)


def test_dates_of_both_conventions_become_the_first_day_of_the_new_council():
    day = pd.Timestamp("2023-04-01")
    assert normalised_changes(MERGED)["on_date"].tolist() == [day, day]
    odd = changes(
        ("A", "B", "recoded", None), ("C", "D", "merged", None), ("E", "E", "recoded", None)
    )
    assert normalised_changes(odd)["old_code"].tolist() == ["A"]


def test_a_council_before_its_day_is_the_sum_of_counts_and_never_an_averaged_rate():
    frame = panel(("share", "D1", 2022, 10, 100), ("share", "D2", 2022, 90, 300))
    found, _ = follow_areas(frame, MERGED, REGISTER, ("N",))
    [row] = of(found).to_dict("records")
    assert (row["value"], row["numerator"], row["denominator"]) == (25, 100, 400)
    assert (row["is_as_if"], row["value_note"], row["status"]) == (True, NOTE, "estimated")
    assert (row["series"], row["area_name"]) == ("share|N|||v1", "New N")
    assert not found.loc[found["area"] != "N", "is_as_if"].any()


def test_rates_keep_their_unit_and_counts_are_added():
    frame = panel(
        *(("rate", "D1", 2022, 10, 1000), ("rate", "D2", 2022, 5, 4000)),
        *(("visits", "D1", 2022, 7, np.nan), ("visits", "D2", 2022, 8, np.nan)),
    )
    assert of(follow(frame, MERGED)).set_index("indicator")["value"].to_dict() == {
        "rate": 3,
        "visits": 15,
    }


@pytest.mark.parametrize(
    "rows",
    [
        [("share", "D1", 2022, 10, 100)],
        [("share", "D1", 2022, 10, 100), ("share", "D2", 2022, np.nan, 300)],
        [("share", "D1", 2022, 10, 100), ("share", "D2", 2022, 10, 0)],
        [("visits", "D1", 2022, 10, np.nan), ("visits", "D2", 2021, 10, np.nan)],
        [("score", "D1", 2022, 10, 100), ("score", "D2", 2022, 10, 100)],
        [("share", "D1", 2023, 10, 100), ("share", "D2", 2023, 10, 100)],
    ],
    ids=["absent", "hidden", "no denominator", "other year", "a mean", "after the day"],
)
def test_where_one_part_is_unknown_nothing_is_added_up(rows):
    assert of(follow(panel(*rows), MERGED)).empty


def test_counts_that_do_not_make_their_value_are_not_added():
    frame = panel(("share", "D1", 2022, 10, 100), ("share", "D2", 2022, 90, 300))
    frame.loc[1, "value"] = 40.0
    assert of(follow(frame, MERGED)).empty


def test_what_the_new_council_published_of_itself_stays():
    frame = panel(
        *(("share", "D1", 2022, 10, 100), ("share", "D2", 2022, 90, 300)),
        *(("share", "N", 2022, 1, 4), ("share", "N", 2023, 1, 2)),
    )
    assert of(follow(frame, MERGED))["is_as_if"].tolist() == [False, False]
    frame.loc[2, "value"] = np.nan
    assert of(follow(frame, MERGED))["is_as_if"].tolist() == [True, False]


def test_districts_are_added_or_the_county_stands_and_never_both():
    moved = pd.concat([MERGED, changes(("E10000027", "N", "merged", "2023-04-01"))])
    districts = [("share", "D1", 2022, 10, 100), ("share", "D2", 2022, 90, 300)]
    county = [("share", "E10000027", 2022, 104, 400), ("share", "E10000027", 2021, 50, 400)]
    found = of(follow(panel(*districts, *county), moved))
    assert found["value"].tolist() == [12.5, 25]


def test_a_divided_council_is_not_shared_out():
    county = changes(
        ("E10000006", "N", "merged", "2023-04-01"), ("E10000006", "M", "merged", "2023-04-01")
    )
    frame = panel(("share", "E10000006", 2022, 10, 100))
    assert set(normalised_changes(county)["kind"]) == {"split"}
    assert of(follow(frame, county)).empty


def test_a_council_that_replaced_councils_that_replaced_others_goes_all_the_way_back():
    moved = pd.concat(
        [
            MERGED,
            changes(("C1", "D2", "merged", "2019-03-31"), ("C2", "D2", "merged", "2019-03-31")),
        ]
    )
    parts = [("visits", "C1", 2018, 1, np.nan), ("visits", "C2", 2018, 2, np.nan)]
    frame = panel(*parts, ("visits", "D1", 2018, 4, np.nan))
    found = follow(frame, moved)
    assert of(found)["value"].tolist() == [7]
    assert of(found, "D2").empty


def test_a_new_code_is_the_same_council_and_its_own_figure_stays():
    moved = changes(("A", "B", "recoded", None), ("B", "C", "recoded", None))
    frame = panel(
        *(("visits", "A", 2020, 1, np.nan), ("visits", "B", 2021, 2, np.nan)),
        *(("visits", "A", 2022, 9, np.nan), ("visits", "C", 2022, 3, np.nan)),
    )
    found, breaks = follow_areas(frame, moved, REGISTER, ("C",))
    assert of(found, "C")["value"].tolist() == [1, 2, 3]
    assert set(of(found, "C")["series"]) == {"visits|C|||v1"}
    assert len(found) == 3
    assert breaks.empty


def test_the_break_is_in_every_indicator_of_ours_and_in_no_others():
    moved = pd.concat([MERGED, changes(("X1", "P", "merged", "2023-04-01"))])
    frame = panel(
        *(("share", "N", 2023, 1, 2), ("share", "N", 2024, 1, 2), ("score", "N", 2024, 1, 2)),
        ("share", "P", 2023, 1, 2),
    )
    _, breaks = follow_areas(frame, moved, REGISTER, ("N", "P"))
    assert breaks.set_index("indicator")["period_start"].dt.year.to_dict() == {
        "score": 2024,
        "share": 2023,
    }
    assert set(breaks["kind"]) == {"boundary"}
    assert not breaks["comparable"].any()
    assert set(breaks["reason"]) == {
        "On 1 April 2023 this council replaced 2 others: Old D1; Old D2."
    }


def test_a_panel_without_reorganised_councils_comes_back_as_it_was():
    frame = panel(("share", "A", 2022, 1, 2), ("share", "B", 2022, 1, 2))
    found, breaks = follow_areas(frame, MERGED, REGISTER, ("A",))
    pd.testing.assert_frame_equal(found.drop(columns="is_as_if"), frame)
    assert breaks.empty
    none, _ = follow_areas(frame, MERGED.head(0), REGISTER, ("A",))
    assert not none["is_as_if"].any()


COUNTS = st.tuples(st.integers(5, 500), st.integers(500, 5000))


@settings(max_examples=15, deadline=None)
@given(parts=st.lists(COUNTS, min_size=2, max_size=6), missing=st.integers(0, 5))
def test_the_sum_of_the_parts_is_kept_and_a_part_short_gives_nothing(parts, missing):
    olds = [f"D{n}" for n in range(len(parts))]
    moved = changes(*((old, "N", "merged", "2023-04-01") for old in olds))
    rows = [("share", old, 2022, *counts) for old, counts in zip(olds, parts, strict=True)]
    [row] = of(follow(panel(*rows), moved)).to_dict("records")
    above, below = (sum(each) for each in zip(*parts, strict=True))
    assert (row["numerator"], row["denominator"]) == (above, below)
    assert row["value"] == pytest.approx(100 * above / below)
    del rows[missing % len(rows)]
    assert of(follow(panel(*rows), moved)).empty


def members(*codes: str) -> pd.DataFrame:
    return pd.DataFrame({"peer_set": "near", "member": codes, "member_name": codes})


def test_members_are_todays_councils_each_once():
    moved = pd.concat([MERGED, changes(("A", "B", "recoded", None), ("B", "C", "recoded", None))])
    found = current_members(members("D1", "A", "D2", "Z"), moved, date(2024, 1, 1))
    assert found["member"].tolist() == ["N", "C", "Z"]
    assert found["member_name"].tolist() == ["New N", "New C", "Z"]
    before = current_members(members("D1", "D2"), moved, date(2023, 3, 31))
    assert before["member"].tolist() == ["D1", "D2"]
    assert current_members(members("D1", "Z"), moved, date(2024, 1, 1), area="N")[
        "member"
    ].tolist() == ["Z"]


def test_a_divided_council_leaves_a_set():
    county = changes(("E", "N", "merged", "2023-04-01"), ("E", "M", "merged", "2023-04-01"))
    assert current_members(members("E", "Z"), county, date(2024, 1, 1))["member"].tolist() == ["Z"]


def test_changes_in_a_circle_are_not_used_and_both_are_named():
    moved = changes(("A", "B", "recoded", None), ("B", "A", "recoded", None))
    longer = [("C", "D", "recoded", "2020-04-01"), ("D", "E", "merged", "2021-04-01")]
    moved = pd.concat([moved, changes(*longer, ("E", "C", "merged", "2022-04-01"))])
    frame = panel(("visits", "A", 2020, 1, np.nan), ("visits", "B", 2020, 2, np.nan))
    found = follow(frame, moved, "A", "B")
    assert of(found, "A")["value"].tolist() == [1]
    assert of(found, "B")["value"].tolist() == [2]
    assert current_members(members("C", "D"), moved, date(2024, 1, 1))["member"].tolist() == [
        "C",
        "D",
    ]
    notes = area_notes(moved, frame, "A")
    assert set(notes["level"]) == {"error"}
    assert notes["message"].str[:6].tolist() == ["A to B", "B to A", "C to D", "D to E", "E to C"]
    plain = changes(("A", "B", "recoded", None), ("X", "X", "recoded", None))
    assert area_notes(plain, frame.head(1), "B").empty


@pytest.mark.parametrize(("other", "joined"), [(9, False), (1.01, True)])
def test_two_codes_with_figures_of_their_own_are_two_councils(other, joined):
    moved = changes(("A", "B", "recoded", "2021-04-01"))
    frame = panel(
        *(("visits", "A", 2019, 5, np.nan), ("visits", "B", 2019, 8, np.nan)),
        *(("visits", "A", 2022, 1, np.nan), ("visits", "B", 2022, other, np.nan)),
    )
    assert of(follow(frame, moved, "B"), "A").empty == joined
    assert (len(trusted_changes(moved, frame)) == 1) == joined
    notes = area_notes(moved, frame, "B")
    assert notes["level"].tolist() == ([] if joined else ["warning"])
    assert len(trusted_changes(moved, frame[frame["period"].dt.year < 2021])) == 1


def test_our_own_old_code_keeps_its_figures_and_is_said_to_be_old():
    frame = panel(("visits", "A", 2020, 1, np.nan), ("visits", "B", 2021, 2, np.nan))
    moved = changes(("A", "B", "recoded", None))
    assert of(follow(frame, moved, "A", "B"), "A")["value"].tolist() == [1]
    assert current_members(members("B", "Z"), moved, date(2024, 1, 1), area="A")[
        "member"
    ].tolist() == ["Z"]
    [note] = area_notes(moved, frame, "A").to_dict("records")
    assert note["message"].endswith("A was replaced by B: change area_code in the framework.")
    later = changes(("A", "B", "merged", "2035-04-01"))
    assert area_notes(later, frame, "A").empty
