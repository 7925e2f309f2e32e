"""Differences between groups: right by counts and intervals, and never at the cost of a person."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmf_analysis.data.contract import series_key
from pmf_analysis.data.disclosure import suppress
from pmf_analysis.measures.equality import BESIDE, COLUMNS, equality_gaps
from pmf_analysis.measures.intervals import wilson

FIFTHS = ["1 most deprived", "2", "3", "4", "5 least deprived"]


def register(**settings: object) -> pd.DataFrame:
    base = {"indicator": "smoking", "polarity": "lower", "statistic": "proportion"}
    base |= {"data_type": "percentage", "frequency": "annual", "accumulation": "discrete"}
    return pd.DataFrame([base | {"rate_base": np.nan} | settings])


def frame(rows: list[dict], **fixed: object) -> pd.DataFrame:
    """Rows of area A in 2025; `group` "" is the whole; value from the counts, where it has none."""
    usual = {"indicator": "smoking", "area": "A", "definition_version": 1}
    table = pd.DataFrame(rows).assign(**usual | fixed)
    table["dimension_value"] = table.pop("group")
    if "dimension" not in table:
        table["dimension"] = "deprivation"
    table["dimension"] = table["dimension"].where(table["dimension_value"] != "", "")
    year = table.pop("year") if "year" in table else pd.Series(2025, table.index)
    table["period"] = pd.to_datetime(year.astype(str) + "-04-01")
    if "numerator" not in table:
        table[["numerator", "denominator"]] = np.nan
    if "status" not in table:
        table["status"] = "final"
    made = 100 * table["numerator"] / table["denominator"]
    table["value"] = table["value"].fillna(made) if "value" in table else made
    names = {"indicator": "indicator_id", "area": "area_code"}
    return table.assign(series=series_key(table.rename(columns=names)))


def counted(counts: dict[str, tuple[float, float]], **more: object) -> list[dict]:
    return [
        {"group": name, "numerator": x, "denominator": n, **more} for name, (x, n) in counts.items()
    ]


def gaps(rows: list[dict], **settings: object) -> pd.DataFrame:
    found = equality_gaps(frame(rows), register(**settings), area="A")
    assert list(found.columns) == COLUMNS
    return found.set_index("dimension_value")


WHOLE = {"": (565, 5000)}
EVEN = dict(
    zip(FIFTHS, [(190, 1000), (120, 1000), (100, 1000), (90, 1000), (65, 1000)], strict=True)
)


def test_each_group_against_all_the_others() -> None:
    found = gaps(counted(WHOLE | EVEN))
    first = found.loc[FIFTHS[0]]
    assert first["value"] == pytest.approx(19)
    assert first["reference_value"] == pytest.approx(100 * 375 / 4000)
    assert first["difference"] == pytest.approx(9.625)
    assert first["ratio"] == pytest.approx(19 / 9.375)
    assert found["verdict"].tolist() == ["worse", "similar", "similar", "similar", "better"]
    assert (found["n_groups"] == 5).all()
    assert (found["evidence"] == "counts").all()
    assert (found["reference"] == "").all()
    # Newcombe's interval at 99 %, because five groups are compared
    (l1, u1), (l2, u2) = wilson(190, 1000, 0.99), wilson(375, 4000, 0.99)
    lower = 0.19 - 0.09375 - np.hypot(0.19 - l1, u2 - 0.09375)
    upper = 0.19 - 0.09375 + np.hypot(u1 - 0.19, 0.09375 - l2)
    assert first["difference_lower"] == pytest.approx(100 * lower)
    assert first["difference_upper"] == pytest.approx(100 * upper)
    assert 1 < first["ratio_lower"] < first["ratio"] < first["ratio_upper"]
    assert first["lower"] == pytest.approx(100 * wilson(190, 1000)[0])
    assert "99 % level" in first["reason"] and "5 groups" in first["reason"]


def test_a_declared_reference_group_has_no_row_and_is_what_others_are_held_against() -> None:
    found = gaps(counted(WHOLE | EVEN), reference_groups={"deprivation": FIFTHS[4]})
    assert found.index.tolist() == FIFTHS[:4]
    assert (found["reference"] == FIFTHS[4]).all()
    assert (found["reference_value"] == 6.5).all()
    assert found["verdict"].tolist() == ["worse"] * 3 + ["similar"]
    assert "98.8 % level" in found["reason"].iloc[0]
    other = gaps(counted(WHOLE | EVEN), reference_groups={"deprivation": "a group it has not"})
    assert (other["reference"] == "").all() and len(other) == 5


def test_every_indicator_has_its_own_reference() -> None:
    names = ["a", "b", "c"]
    table = pd.concat([frame(counted(WHOLE | EVEN), indicator=name) for name in names])
    declared = [{"deprivation": FIFTHS[0]}, {}, {"deprivation": FIFTHS[4], "sex": "Male"}]
    told = [
        register(indicator=name).assign(reference_groups=[groups])
        for name, groups in zip(names, declared, strict=True)
    ]
    found = equality_gaps(table, pd.concat(told), area="A")
    assert found.groupby("indicator")["reference"].agg(set).to_dict() == {
        "a": {FIFTHS[0]},
        "b": {""},
        "c": {FIFTHS[4]},
    }
    assert found["indicator"].value_counts().to_dict() == {"a": 4, "b": 5, "c": 4}


def test_two_groups_that_are_each_others_rest_ask_one_question() -> None:
    found = gaps(counted({"": (180, 2000), "Female": (75, 1000), "Male": (105, 1000)}))
    assert found["verdict"].tolist() == ["better", "worse"]
    assert found["difference"].sum() == pytest.approx(0)
    assert "95 % level the" in found["reason"].iloc[0]
    # overlapping groups are two questions, and 97.5 % is not reached
    more = gaps(counted({"": (360, 4000), "Carers": (75, 1000), "Disabled": (105, 1000)}))
    assert "97.5 % level" in more["reason"].iloc[0]
    assert "do not add up" in more["reason"].iloc[0]


def test_one_group_is_compared_with_the_rest_of_the_whole() -> None:
    found = gaps(counted({"": (900, 5000), "Pupils with a plan": (100, 250)})).iloc[0]
    assert found["reference_value"] == pytest.approx(100 * 800 / 4750)
    assert found["verdict"] == "worse"
    assert "add up" not in found["reason"]
    alone = gaps([{"group": "Tenth", "value": 12.0}]).iloc[0]
    assert (alone["verdict"], alone["evidence"]) == ("cannot_judge", "none")
    assert alone["reason"].startswith("It has nothing to be compared with")


def test_rates_have_poisson_limits() -> None:
    rows = counted({"": (640, 40_000), "North": (400, 20_000), "South": (240, 20_000)})
    for row in rows:
        row["value"] = 1000 * row["numerator"] / row["denominator"]
    found = gaps(rows, statistic="rate", rate_base=1000.0, data_type="rate").loc["North"]
    # log method of a ratio of two Poisson counts
    spread = 1.959964 * np.sqrt(1 / 400 + 1 / 240)
    assert found["ratio_lower"] == pytest.approx(400 / 240 * np.exp(-spread), rel=0.01)
    assert found["ratio_upper"] == pytest.approx(400 / 240 * np.exp(spread), rel=0.01)
    assert found["difference"] == pytest.approx(8)
    assert found["verdict"] == "worse"


def surveyed(low: float, high: float) -> list[dict]:
    return [
        {"group": "North", "value": 40.0, "ci_lower": 36.0, "ci_upper": 44.0},
        {"group": "South", "value": 33.0, "ci_lower": low, "ci_upper": high},
    ]


def test_published_intervals_are_squared_and_added_and_bare_values_not_tested() -> None:
    reference = {"reference_groups": {"deprivation": "South"}}
    found = gaps(surveyed(30.0, 36.0), **reference).loc["North"]
    assert (found["evidence"], found["verdict"]) == ("interval", "worse")
    assert found["difference_lower"] == pytest.approx(7 - np.hypot(4, 3))
    assert found["difference_upper"] == pytest.approx(7 + np.hypot(4, 3))
    assert found["ratio_lower"] > 1
    wide = gaps(surveyed(26.0, 40.0), **reference).loc["North"]
    assert wide["verdict"] == "similar"
    bare = gaps(surveyed(np.nan, np.nan), **reference).loc["North"]
    assert (bare["evidence"], bare["verdict"]) == ("values_only", "cannot_judge")
    assert (bare["difference"], bare["ratio"]) == pytest.approx((7, 40 / 33))
    assert np.isnan(bare["difference_lower"])
    none = gaps(surveyed(30.0, 36.0))
    assert (none["verdict"] == "cannot_judge").all() and none["difference"].isna().all()


@pytest.mark.parametrize(("count", "judged"), [(9, False), (10, True)])
def test_below_ten_nothing_is_judged(count: int, judged: bool) -> None:
    """In the group, in its rest, and in the reference."""
    rows = counted({"": (400 + count, 5000), "Small": (count, 1000), "Large": (400, 4000)})
    for found in (gaps(rows), gaps(rows, reference_groups={"deprivation": "Small"}).iloc[:1]):
        assert ((found["verdict"] != "cannot_judge") == judged).all()
        assert (found[BESIDE].notna().all(axis=1) == judged).all()
        assert found["reason"].str.startswith("Fewer than ten").eq(not judged).all()
    assert np.isnan(gaps(rows).loc["Large", "reference_value"]) != judged


def test_a_hidden_group_is_listed_without_figures_and_never_given_back() -> None:
    secret = {"value": np.nan, "numerator": np.nan, "status": "suppressed"}
    whole, large = counted({"": (503, 5000), "Large": (500, 4000)})
    rows = [whole, large, {"group": "Small", "denominator": 1000} | secret]
    found = gaps([{"status": "final"} | row for row in rows])
    assert found.loc["Small", ["value", "lower", "reference_value", *BESIDE]].isna().all()
    assert found.loc["Small", "reason"] == "This figure is hidden to protect individuals."
    # the rest of the whole is the hidden group: 3 of 1000
    assert found.loc["Large", ["reference_value", *BESIDE]].isna().all()
    assert found.loc["Large", "verdict"] == "cannot_judge"


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nothing_shown_gives_a_suppressed_count_back(seed: int) -> None:
    """A shown comparison is the whole others, with enough hidden in them, or the shown others."""
    rng = np.random.default_rng(seed)
    tables, sizes = [], {}
    for case in range(60):
        name, k = f"i{case}", rng.integers(2, 7)
        count = np.where(rng.random(k) < 0.4, rng.integers(0, 12, k), rng.integers(0, 400, k))
        size = count + rng.integers(1, 900, k)
        pairs = zip(count.tolist(), size.tolist(), strict=True)
        sizes[name] = {f"g{i}": pair for i, pair in enumerate(pairs)}
        whole = {"": (count.sum(), size.sum())} if case % 3 else {}
        tables.append(frame(counted(whole | sizes[name]), indicator=name))
    table = pd.concat(tables, ignore_index=True)
    names = {"indicator": "indicator_id", "area": "area_code", "status": "value_status"}
    blank = {"ci_lower": np.nan, "ci_upper": np.nan, "value_note": "", "area_name": ""}
    raw = table.rename(columns=names).assign(
        period_start=table["period"], period_end=table["period"], frequency="annual", **blank
    )
    shown = suppress(raw).rename(columns={new: old for old, new in names.items()})
    declared = pd.concat([register(indicator=name) for name in sizes])
    found = equality_gaps(shown, declared, area="A")
    hidden = shown[shown["status"] == "suppressed"].groupby("indicator")["dimension_value"].agg(set)
    checked = 0
    for row in found.to_dict("records"):
        groups = sizes[row["indicator"]]
        secret = hidden.get(row["indicator"], set()) - {""}
        secret |= {name for name, (x, n) in groups.items() if 1 <= n - x < 5}
        if row["dimension_value"] in secret:
            assert np.isnan([row[name] for name in ("value", "reference_value", *BESIDE)]).all()
        elif not np.isnan(row["reference_value"]):
            others = {name: pair for name, pair in groups.items() if name != row["dimension_value"]}
            kept = [pair for name, pair in others.items() if name not in secret]
            shares = [
                100 * sum(x for x, _ in pairs) / sum(n for _, n in pairs) if pairs else np.nan
                for pairs in (list(others.values()), kept)
            ]
            if row["reference_value"] != pytest.approx(shares[1]):
                assert row["reference_value"] == pytest.approx(shares[0])
                assert len(others) - len(kept) >= 2
                assert sum(groups[name][0] for name in secret) >= 5
                checked += 1
    assert checked > 0


def test_totals_and_undeclared_polarity_are_not_judged() -> None:
    rows = counted(WHOLE | EVEN)
    unknown = gaps(rows, polarity="unknown")
    assert (unknown["verdict"] == "cannot_judge").all() and (unknown["evidence"] == "none").all()
    totals = gaps(rows, data_type="count", statistic="")
    assert totals[BESIDE].isna().all(axis=None)
    assert totals["reason"].str.startswith("A total depends").all()


def yearly(shares: list[tuple[float, float]]) -> list[dict]:
    """Two groups of 4,000 over years; the whole beside."""
    return [
        row
        for year, pair in enumerate(shares, start=2016)
        for row in counted(
            {
                "North": (40 * pair[0], 4000),
                "South": (40 * pair[1], 4000),
                "": (40 * sum(pair), 8000),
            },
            year=year,
        )
    ]


@pytest.mark.parametrize(
    ("shares", "trend"),
    [
        ([(20 + i, 10) for i in range(8)], "widening"),
        ([(20 - i, 10) for i in range(8)], "closing"),
        ([(20 + (i % 2), 10) for i in range(8)], "steady"),
        ([(20 + i, 10) for i in range(4)], "cannot_judge"),
    ],
)
def test_the_difference_is_tested_over_time(shares: list[tuple[float, float]], trend: str) -> None:
    found = gaps(yearly(shares))
    assert found["trend"].tolist() == [trend] * 2
    assert found["period"].dt.year.unique().tolist() == [2015 + len(shares)]


def test_the_newest_period_that_two_groups_share_is_compared() -> None:
    rows = yearly([(20, 10)] * 3) + counted({"North": (500, 4000)}, year=2019)
    assert gaps(rows)["period"].dt.year.unique().tolist() == [2018]
    # with the whole, North's rest is known, so the newer year can be compared
    rows += counted({"": (900, 8000)}, year=2019)
    assert gaps(rows)["period"].dt.year.unique().tolist() == [2019]


def test_the_newest_definition_alone_and_no_breakdown_at_all() -> None:
    old = frame(counted({"": (500, 5000), "N": (300, 2500), "S": (200, 2500)}))
    new = frame(
        counted({"": (500, 5000), "N": (200, 2500), "S": (300, 2500)}), definition_version=2
    )
    names = {"indicator": "indicator_id", "area": "area_code"}
    new["series"] = series_key(new.assign(definition_version=2).rename(columns=names))
    found = equality_gaps(pd.concat([old, new]), register(), area="A")
    assert found.set_index("dimension_value")["value"].to_dict() == {"N": 8.0, "S": 12.0}
    assert found["series"].unique().tolist() == ["smoking|A|||v2"]
    empty = equality_gaps(old[old["dimension"] == ""], register(), area="A")
    assert list(empty.columns) == COLUMNS and empty.empty


@settings(max_examples=4, deadline=None)
@given(st.lists(st.integers(15, 400), min_size=3, max_size=6), st.randoms(use_true_random=False))
def test_order_scale_and_polarity(counts: list[int], random: object) -> None:
    """Order changes nothing; the other polarity swaps better and worse and nothing else."""
    groups = {f"g{i}": (x, 500) for i, x in enumerate(counts)}
    rows = counted({"": (sum(counts), 500 * len(counts))} | groups)
    table = frame(rows)
    usual = equality_gaps(table, register(), area="A")
    shuffled = list(range(len(table)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # `random` is drawn by hypothesis
    pd.testing.assert_frame_equal(equality_gaps(table.iloc[shuffled], register(), area="A"), usual)
    flipped = equality_gaps(table, register(polarity="higher"), area="A")
    swap = {"better": "worse", "worse": "better"}
    assert flipped["verdict"].replace(swap).tolist() == usual["verdict"].tolist()
    pd.testing.assert_frame_equal(flipped.drop(columns="verdict"), usual.drop(columns="verdict"))
    neutral = equality_gaps(table, register(polarity="none"), area="A")
    words = {"better": "lower", "worse": "higher"}
    assert neutral["verdict"].tolist() == usual["verdict"].replace(words).tolist()


def test_groups_stand_in_the_order_of_the_source() -> None:
    rows = counted(WHOLE | EVEN)
    for place, row in enumerate(reversed(rows)):
        row["source_row"] = place
    assert gaps(rows).index.tolist() == FIFTHS[::-1]


def test_chance_alone_seldom_makes_a_difference_anywhere_in_a_dimension() -> None:
    rng = np.random.default_rng(7)
    trials, groups, size = 400, 6, 600
    x = rng.binomial(size, 0.15, (trials, groups))
    table = frame(
        [
            {"group": f"g{g}", "numerator": x[t, g], "denominator": size, "dimension": f"d{t}"}
            for t in range(trials)
            for g in range(groups)
        ]
    )
    found = equality_gaps(table, register(), area="A")
    false = found["verdict"].isin(["better", "worse"]).groupby(found["dimension"]).any().mean()
    assert 0.01 < false <= 0.065


def test_a_council_without_any_row_has_no_differences() -> None:
    found = equality_gaps(frame(counted(WHOLE | EVEN)), register(), area="B")
    assert found.empty and list(found.columns) == COLUMNS


def test_groups_of_long_ago_are_not_judged() -> None:
    groups = counted(EVEN, year=2023)
    recent = gaps(counted(WHOLE, year=2024) + groups)
    assert "worse" in set(recent["verdict"])
    old = gaps(counted(WHOLE, year=2025) + groups)
    assert set(old["verdict"]) == {"cannot_judge"} and set(old["trend"]) == {"cannot_judge"}
    assert old["reason"].str.startswith("This figure is over a year older").all()


def test_few_who_are_not_counted_are_as_telling_as_few_who_are() -> None:
    usual = {"b": (800, 1000), "c": (820, 1000), "d": (790, 1000)}
    nine, three = (gaps(counted({"a": (1000 - n, 1000)} | usual)).loc["a"] for n in (9, 3))
    assert (nine["verdict"], three["verdict"]) == ("cannot_judge", "cannot_judge")
    assert nine["value"] == pytest.approx(99.1) and np.isnan(nine["difference"])
    assert np.isnan(three[["value", "lower", "upper", *BESIDE]].astype(float)).all()
    assert gaps(counted({"a": (990, 1000)} | usual)).loc["a", "verdict"] == "worse"
    others = gaps(counted({"": (3407, 4000), "a": (997, 1000)} | usual)).loc["b"]
    assert others["reference_value"] == pytest.approx(100 * (820 + 790) / 2000)


def test_without_a_whole_groups_with_counts_are_compared_with_each_other() -> None:
    rows = [*counted(EVEN), {"group": "unknown", "value": 30.0}]
    found = gaps(rows)
    assert found.loc[FIFTHS[0], "verdict"] == "worse"
    assert found.loc[FIFTHS[0], "reference_value"] == pytest.approx(9.375)
    assert found.loc[FIFTHS[0], "reason"].endswith("left out of the others.")
    assert found.loc["unknown", "verdict"] == "cannot_judge"


def test_the_level_of_the_limits_is_a_column() -> None:
    assert set(gaps(counted(WHOLE | EVEN))["level"]) == {99.0}
