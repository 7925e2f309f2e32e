"""What looks odd about targets: each check finds its case, leaves a near miss, and clean sets."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.measures.arrays import TYPES
from pmf_analysis.measures.target_checks import target_checks

AS_AT = date(2026, 6, 30)
NAN = float("nan")
WRITTEN = {"rationale": "agreed with the service", "comparator": "our neighbours"}


def register(**settings: Any) -> pd.DataFrame:
    """One indicator, `x`, yearly and better when higher, with some settings changed."""
    usual = {
        "indicator": "x", "polarity": "higher", "decimals": 1, "minimum": 0.0, "maximum": 100.0,
        "data_type": "percentage", "accumulation": "discrete", "frequency": "annual",
        "periods_per_year": 1.0, "year_type": "financial", "themes": "place", "director": "head",
        "parts": "",
    }  # fmt: skip
    return pd.DataFrame([usual | settings])


def values(
    numbers: list[float], *, first: str = "2014-04-01", months: int = 12, **more: Any
) -> pd.DataFrame:
    """Values of `x` (or `indicator`), a row a period."""
    starts = pd.date_range(first, periods=len(numbers), freq=pd.DateOffset(months=months))
    rows = pd.DataFrame({"period": starts.astype("datetime64[us]"), "value": numbers})
    rows["period_end"] = rows["period"] + pd.DateOffset(months=months) - pd.Timedelta(days=1)
    rows["period_label"] = rows["period"].dt.strftime("%Y-%m")
    usual = {"indicator": "x", "numerator": NAN, "denominator": NAN, "value_note": ""}
    rows = rows.assign(**usual | {"accumulation": "discrete", "area": "E1"} | more)
    return rows.assign(series=rows["indicator"] + "|E1")


def goal(number: float, start: str = "2026-04-01", months: int = 12, **more: Any) -> dict[str, Any]:
    """A row of the contract's targets; set on the day before unless said otherwise."""
    begin = pd.Timestamp(start)
    usual = {
        "target_id": f"{more.get('indicator_id', 'x')}-{start}-{months}-{number}",
        "indicator_id": "x", "area_code": "E1", "period_start": begin,
        "period_end": begin + pd.DateOffset(months=months) - pd.Timedelta(days=1),
        "target": number, "target_low": NAN, "target_high": NAN, "tolerance_abs": NAN,
        "tolerance_pct": NAN, "kind": "improvement", "target_basis": "period", "set_by": "",
        "set_on": begin - pd.Timedelta(days=1), "agreed_by": "", "supersedes": "", **WRITTEN,
    }  # fmt: skip
    return usual | more


def goals(*rows: dict[str, Any]) -> pd.DataFrame:
    days = dict.fromkeys(("period_start", "period_end", "set_on"), "datetime64[us]")
    return pd.DataFrame(rows).astype(days)


def answers(chances: list[float] | None = None, **more: Any) -> pd.DataFrame:
    chances = [] if chances is None else chances
    rows = pd.DataFrame({"probability": chances}).astype(float)
    usual = {"indicator": "x", "kind": "improvement", "is_reference": False}
    return rows.assign(**usual | more).astype({"is_reference": bool})


def checked(
    targets: pd.DataFrame, own: pd.DataFrame, declared: pd.DataFrame, given: Any = None
) -> pd.DataFrame:
    return target_checks(targets, own, declared, answers() if given is None else given, as_at=AS_AT)


def codes(*arguments: Any) -> list[str]:
    return sorted(checked(*arguments)["check"].unique())


STEADY = [60.0, 61.2, 59.1, 62.0, 63.3, 62.4, 64.0, 63.1, 65.2, 64.8, 66.0, 66.9]


def test_the_table_has_its_columns_also_where_nothing_is_found() -> None:
    found = checked(goals(goal(68)), values(STEADY), register())
    assert found.empty
    assert {name: str(kind) for name, kind in found.dtypes.items()} == TYPES["target_checks"]


@pytest.mark.parametrize(
    ("number", "settings", "code"),
    [
        (0.0, {"polarity": "lower"}, "zero_target"),
        (6800.0, {"maximum": NAN}, "unit_mismatch"),
        (0.68, {"polarity": "lower"}, "unit_mismatch"),
        (66000.0, {"maximum": NAN}, "unit_mismatch"),
        (104.0, {}, "beyond_limits"),
        (96.0, {"maximum": NAN}, "outside_history"),
        (65.0, {}, "wrong_side"),
        (69.0, {"polarity": "lower"}, "wrong_side"),
    ],
)
def test_an_implausible_target_is_asked_about(
    number: float, settings: dict[str, Any], code: str
) -> None:
    [row] = checked(goals(goal(number)), values(STEADY), register(**settings)).to_dict("records")
    assert (row["check"], row["value"]) == (code, number)
    limits = {"beyond_limits": 100.0, "wrong_side": 66.9}
    assert row["expected"] == pytest.approx(limits.get(code, np.median(STEADY)))
    assert row["n"] == len(STEADY)


@pytest.mark.parametrize(
    ("number", "settings", "numbers"),
    [
        (0.0, {"polarity": "lower"}, [9.0, 2.0, 12.0, 6.0, 8.0]),  # comes near zero
        (0.0, {"polarity": "lower", "kind": "ambition"}, STEADY),
        (100.0, {"kind": "statutory"}, STEADY),
        (70.0, {}, STEADY),
        (66.9, {}, STEADY),  # as the last outturn
        (66.0, {}, STEADY),  # less by no more than figures usually move
        (66.0, {"kind": "floor"}, STEADY),
        (90.0, {}, [50.0, 40.0, 70.0, 60.0, 75.0]),  # a wide history
        (96.0, {}, [60.0, 61.0, 62.0]),  # too few values to say
        (80.0, {"polarity": "unknown"}, STEADY),
    ],
)
def test_a_plausible_target_is_not(
    number: float, settings: dict[str, Any], numbers: list[float]
) -> None:
    kind = {"kind": settings.pop("kind", "improvement")}
    assert codes(goals(goal(number, **kind)), values(numbers), register(**settings)) == []


MONEY = {"data_type": "count", "decimals": 0, "maximum": NAN, "frequency": "quarterly"}
QUARTERLY = MONEY | {"periods_per_year": 4.0}


def test_a_year_s_total_beside_quarters_is_asked_about() -> None:
    own = values([100, 104, 97, 101, 103, 108, 99, 104], first="2024-04-01", months=3)
    [row] = checked(goals(goal(412)), own, register(**QUARTERLY)).to_dict("records")
    assert (row["check"], row["expected"]) == ("year_to_date_mismatch", 102)
    as_total = goals(goal(425, target_basis="year_total"))
    assert codes(as_total, own, register(**QUARTERLY)) == []
    assert codes(goals(goal(110, "2026-04-01", 3)), own, register(**QUARTERLY)) == []


def test_a_first_quarter_s_target_of_a_running_share_is_compared_with_first_quarters() -> None:
    shares = {"accumulation": "ytd", "frequency": "quarterly", "periods_per_year": 4.0}
    numbers = [28, 55, 81, 97.5, 28.4, 55.6, 82, 97.9]
    own = values(numbers, first="2024-04-01", months=3, accumulation="ytd")
    [row] = checked(goals(goal(98, "2026-04-01", 3)), own, register(**shares)).to_dict("records")
    assert (row["check"], row["expected"]) == ("year_to_date_mismatch", pytest.approx(28.2))
    for number, months in ((28.8, 3), (56, 6), (98, 12)):
        assert codes(goals(goal(number, months=months)), own, register(**shares)) == []


def test_one_number_for_several_parts_of_an_accumulating_year_is_unprofiled() -> None:
    shares = {"accumulation": "ytd", "frequency": "quarterly", "periods_per_year": 4.0}
    own = values([30.5, 59.3], first="2025-04-01", months=3, accumulation="ytd")
    flat = goals(goal(24.5, "2025-04-01", 3), goal(24.5, "2025-07-01", 3))
    [row] = checked(flat, own, register(**shares)).to_dict("records")
    assert (row["check"], row["value"], row["expected"], row["n"]) == ("unprofiled", 24.5, 59.3, 2)
    grown = goals(goal(24.5, "2025-04-01", 3), goal(49.0, "2025-07-01", 3))
    assert codes(grown, own, register(**shares)) == []
    next_year = goals(goal(97.0, "2024-04-01"), goal(97.0, "2025-04-01"))
    assert codes(next_year, own, register(**shares)) == []


OUTTURNS = [50.0, 55.4, 53.1, 58.0, 56.3, 61.2, 60.4, 64.9]


def ratcheted(step: Any, from_year: int = 0) -> pd.DataFrame:
    """Targets of the years after the first; from a year on they follow the outturn before."""
    free = [57.0, 58.0, 58.5, 60.0, 61.0, 62.0, 66.0]
    rows = []
    for year, last in enumerate(OUTTURNS[:-1]):
        number = step(last) if year >= from_year else free[year]
        rows.append(goal(round(number, 1), f"{2015 + year}-04-01", kind="trajectory"))
    return goals(*rows)


@pytest.mark.parametrize("step", [lambda x: x + 1.5, lambda x: x * 1.03])
def test_a_ratchet_is_asked_about(step: Any) -> None:
    found = checked(ratcheted(step), values(OUTTURNS), register())
    row = found[found["check"] == "ratchet"].squeeze()
    assert (row["value"], row["expected"]) == (round(step(60.4), 1), 60.4)
    assert row["n"] == 7
    assert row["target_id"].startswith("x-2021")


def test_free_targets_and_two_equal_steps_are_no_ratchet() -> None:
    def up(last: float) -> float:
        return last + 1.5

    for from_year in (5, 99):
        found = checked(ratcheted(up, from_year), values(OUTTURNS), register())
        assert "ratchet" not in set(found["check"])
    still = values([60.0] * 8)
    assert "ratchet" not in codes(ratcheted(lambda last: 61.5), still, register())


def monthly(numbers: list[float], target: float = 95.0) -> tuple[pd.DataFrame, ...]:
    settings = {"frequency": "monthly", "periods_per_year": 12.0}
    own = values(numbers, first="2022-04-01", months=1)
    line = goals(goal(target, "2022-04-01", 36, kind="statutory"))
    return line, own, register(**settings)


def test_outturns_bunched_just_over_the_target_are_asked_about() -> None:
    bunched = [95.0, 95.1, 95.3, 91.0, 95.2, 95.0, 98.9, 95.1, 95.2, 92.3, 95.0, 95.4, 98.0, 95.1]
    [row] = checked(*monthly(bunched)).to_dict("records")
    assert (row["check"], row["value"], row["n"], row["text"]) == ("threshold", 95.0, 10, "10")
    mirrored = [190.0 - value for value in bunched if value > 95.0]
    assert codes(*monthly([*mirrored, *bunched])) == []
    assert codes(*monthly([each for each in bunched if each not in (95.0, 95.1)])) == []
    rng = np.random.default_rng(5)
    high = np.sort(np.round(rng.normal(96.0, 0.6, 36), 1))
    assert codes(*monthly(list(rng.permutation(high)))) == []


def test_whole_numbers_with_few_steps_near_the_target_are_not_asked_about() -> None:
    for seed in range(40):  # honest counts that come to the target and just over often
        rng = np.random.default_rng(seed)
        coarse = rng.poisson(6, 36).astype(float) + 90.0
        assert "threshold" not in codes(*monthly(list(coarse), 96.0)), seed
    bunched = [95.0, 95.0, 96.0, 91.0, 95.0, 95.0, 98.0, 95.0, 95.0, 92.0, 95.0, 95.0, 98.0, 95.0]
    assert codes(*monthly(bunched)) == []  # a step as wide as a band


def test_sets_of_which_most_targets_are_easy_are_told() -> None:
    chances = [0.9, 0.95, 0.88, 0.9, 0.4]
    found = checked(goals(goal(68)), values(STEADY), register(), answers(chances))
    assert found["check"].unique().tolist() == ["mostly_easy"]
    assert found[["value", "n"]].drop_duplicates().to_numpy().tolist() == [[4, 5]]
    assert sorted(found["text"]) == ["council", "head", "place"]
    for few in (answers(chances[:4]), answers([0.9, 0.9, 0.5, 0.4, 0.3])):
        assert codes(goals(goal(68)), values(STEADY), register(), few) == []
    for never in ({"kind": "floor"}, {"is_reference": True}):
        assert codes(goals(goal(68)), values(STEADY), register(), answers(chances, **never)) == []


def family(whole: float, one: float, other: float, **more: Any) -> list[str]:
    """Checks of a whole with two parts."""
    names, numbers = ["x", "a", "b"], [whole, one, other]
    declared = pd.concat([register(indicator=name, **more) for name in names])
    declared["parts"] = ["a; b", "", ""]
    parts = list(zip(names, numbers, strict=True))
    own = pd.concat(values([t * 0.96, t * 0.98], indicator=n) for n, t in parts)
    rows = [goal(t, indicator_id=n) for n, t in parts if t == t]
    return codes(goals(*rows), own.dropna(subset="value"), declared.reset_index(drop=True))


def test_targets_of_parts_make_up_the_whole_s() -> None:
    counts = {"data_type": "count", "decimals": 0, "maximum": NAN}
    assert family(300, 120, 180, **counts) == []
    assert family(330, 120, 180, **counts) == ["parts_do_not_add_up"]
    assert family(330, 120, NAN, **counts) == []  # not all parts have a target
    assert family(60, 50, 70) == []  # a share lies between those of its parts
    assert family(75, 50, 70) == ["parts_do_not_add_up"]


def test_a_target_changed_in_its_own_period_is_told_with_old_new_and_day() -> None:
    day = pd.Timestamp("2025-10-01")
    old = goal(72.0, "2025-04-01")
    for new in (
        goal(69.0, "2025-04-01", set_on=day),
        goal(69.0, "2025-10-01", 6, set_on=day, supersedes=old["target_id"]),
    ):
        [row] = checked(goals(old, new), values(STEADY), register()).to_dict("records")
        told = (row["check"], row["value"], row["expected"], row["text"])
        assert told == ("changed_in_year", 69.0, 72.0, "2025-10-01")
    before = goal(69.0, "2025-04-01", set_on=pd.Timestamp("2025-03-30"), supersedes="x")
    floor = goal(60.0, "2025-04-01", set_on=day, kind="floor")
    for other in (before, floor, {**old, "target_id": "again", "set_on": day}):
        assert codes(goals(old, other), values(STEADY), register()) == []
    unknown = goal(69.0, "2025-04-01", set_on=pd.NaT, supersedes=old["target_id"])
    assert codes(goals(unknown, old), values(STEADY), register()) == []  # nobody knows when


def test_a_slip_on_the_weak_side_is_far_from_all_figures_and_a_past_one_is_over() -> None:
    slip, past = goal(450.0), goal(450.0, "2024-04-01")
    lower = register(polarity="lower", maximum=NAN)
    found = checked(goals(past, slip), values([45.0, 47.2, 44.1, 48.0, 46.6]), lower)
    assert found[["check", "target_id"]].to_numpy().tolist() == [
        ["outside_history", "x-2026-04-01-12-450.0"]
    ]


def test_what_is_set_after_the_day_is_not_known_yet() -> None:
    late = goal(0.0, "2026-04-01", set_on=pd.Timestamp("2026-07-01"))
    assert codes(goals(goal(68.0), late), values(STEADY), register()) == []


def test_missing_reasons_and_comparators_are_told_of_live_targets_alone() -> None:
    old = goal(67.5, rationale="", comparator="")
    new = goal(68.0, supersedes=old["target_id"], comparator="")
    found = checked(goals(old, new), values(STEADY), register())
    assert found[["check", "target_id"]].to_numpy().tolist() == [
        ["no_comparator", new["target_id"]]
    ]


@pytest.mark.parametrize(
    ("numbers", "more", "settings", "n"),
    [
        ([99.8, 99.6, 0.0], {}, {}, 1),
        ([88.0, 0.0, 91.0], {}, {}, 1),
        ([3.0, 0.0, 2.0], {"value_note": "Not yet available"}, {}, 1),
        ([5.0, 0.0, 14.0, 30.0], {}, {}, 0),  # others come near
        ([12.0, 0.0, 16.0], {}, {"minimum": NAN}, 0),  # may be negative
        ([3.0, 0.0, 2.0], {}, {"data_type": "count"}, 0),  # a small count
        ([80.0, 0.0, 90.0], {"numerator": 0.0, "denominator": 2.0}, {}, 0),  # counted
        ([80.0, 0.0, 90.0], {"accumulation": "discrete"}, {"accumulation": "ytd"}, 0),
    ],
)
def test_zeros_that_stand_for_missing_values(
    numbers: list[float], more: dict[str, Any], settings: dict[str, Any], n: int
) -> None:
    own = values(numbers, first="2022-04-01")
    for name, each in more.items():
        own[name] = own[name].mask(own["value"] == 0, each)
    found = checked(goals(goal(95.0, kind="floor")), own, register(**settings))
    assert (found["check"] == "zero_for_missing").sum() == n


def council(copied: int, size: int = 12) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Series of which some repeat the value before."""
    rng = np.random.default_rng(3)
    names = [f"i{n}" for n in range(size)]
    tables = []
    for place, name in enumerate(names):
        numbers = list(np.round(rng.normal(60, 3, 4), 1))
        tables.append(values(numbers + numbers[-1:] if place < copied else numbers, indicator=name))
    declared = pd.concat([register(indicator=name) for name in names], ignore_index=True)
    return pd.concat(tables, ignore_index=True), declared


def test_a_council_whose_figures_stand_still_is_asked() -> None:
    nothing = goals(goal(60.0)).head(0)
    found = checked(nothing, *council(8))
    whole = found[found["check"] == "mostly_carried_forward"].squeeze()
    assert (whole["value"], whole["n"], whole["series"]) == (8, 12, "")
    assert (found["check"] == "carried_forward").sum() == 8
    assert codes(nothing, *council(2)) == []
    assert codes(nothing, *council(8, 9)) == []  # too few series to say


def test_a_series_that_stands_still_for_long_is_asked() -> None:
    nothing = goals(goal(60.0)).head(0)
    [row] = checked(nothing, values([*STEADY, 67.3, 67.3, 67.3, 67.3][4:]), register()).to_dict(
        "records"
    )
    assert (row["check"], row["value"], row["n"]) == ("carried_forward", 67.3, 4)
    assert codes(nothing, values([*STEADY, 67.3, 67.3, 67.3]), register()) == []
    assert codes(nothing, values([90.0, 95.0, 100.0, 100.0, 100.0, 100.0]), register()) == []


def coloured(*rows: tuple[float, str]) -> list[str]:
    own = values([value for value, _ in rows], first="2018-04-01")
    own["value_note"] = [f"published status: {colour} (close)" for _, colour in rows]
    line = goals(goal(80.0, "2018-04-01", 12 * len(rows), kind="floor"))
    return codes(line, own, register())


def test_colours_that_follow_no_one_rule_are_told() -> None:
    assert coloured((81, "red"), (80, "green"), (70, "red")) == [
        "colour_disagrees",
        "colours_by_no_rule",
    ]
    assert coloured((85, "green"), (77, "amber"), (60, "red")) == []
    assert coloured((85, "green"), (77, "green"), (60, "red")) == []  # green within a tolerance
    assert coloured((85, "green"), (81, "amber"), (60, "red")) == []  # green from a little above
    assert "colours_by_no_rule" in coloured((70, "green"), (77, "amber"), (60, "red"))


CLEAN = st.tuples(st.integers(0, 2**32 - 1), st.sampled_from([1, 4]), st.booleans())


@settings(max_examples=8, deadline=None, derandomize=True)
@given(CLEAN)
def test_realistic_targets_raise_no_alarm_but_for_what_is_not_written(case: Any) -> None:
    seed, a_year, written = case
    rng = np.random.default_rng(seed)
    frequency = {1: "annual", 4: "quarterly"}[a_year]
    tables, rows, declared = [], [], []
    for place in range(12):
        higher = bool(rng.random() < 0.5)
        name, sign = f"i{place}", 1 if higher else -1
        walk = np.cumsum(rng.normal(0.2 * sign, 1.0, 9 * a_year)) + rng.normal(0, 1, 9 * a_year)
        numbers = np.round(rng.uniform(35, 75) + walk, 1)
        tables.append(
            values(list(numbers), first="2017-04-01", months=12 // a_year, indicator=name)
        )
        for year in range(2, 9):
            last = numbers[year * a_year - 1]
            number = round(last + sign * rng.uniform(0.2, 4.0), 1)
            reasons = {} if written else dict.fromkeys(WRITTEN, "")
            rows.append(goal(number, f"{2017 + year}-04-01", indicator_id=name, **reasons))
        way = {"polarity": "higher" if higher else "lower"}
        settings_ = way | {"frequency": frequency, "periods_per_year": float(a_year)}
        declared.append(register(indicator=name, **settings_))
    given_ = answers(list(rng.uniform(0.1, 0.8, 12)))
    own, known = (pd.concat(each, ignore_index=True) for each in (tables, declared))
    found = codes(goals(*rows), own, known, given_)
    assert found == ([] if written else ["no_comparator", "no_rationale"])
