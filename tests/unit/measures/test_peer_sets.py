"""Every peer set of a council: listed, imported, built, everyone; versions, and who is no peer."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from pmf_analysis.data.contract import conform
from pmf_analysis.measures.peer_sets import COLUMNS, chosen_peer_sets
from pmf_analysis.parameters.small_files import PeerSetSpec

OURS, AS_AT = "E06000001", date(2026, 6, 30)
FIVE = [f"E0600000{n}" for n in range(2, 7)]


def spec(name: str, day: date = date(2025, 5, 1), **settings: Any) -> PeerSetSpec:
    return PeerSetSpec(id=name, title=f"Title of {name}", source="S", as_at=day, **settings)


def stored(*rows: tuple[str, str, str, int | None, str | None]) -> pd.DataFrame:
    columns = ["peer_set", "area_code", "member_code", "rank", "as_at"]
    frame = pd.DataFrame(rows, columns=columns)
    return conform(frame.assign(member_name="N " + frame["member_code"], source="ONS"), "peer_sets")


def panel(*areas: str) -> pd.DataFrame:
    codes = pd.Series(areas, dtype="str")
    frame = pd.DataFrame({"area": codes, "area_name": codes, "dimension": "", "indicator": "x"})
    values = frame.assign(value=[float(n) for n in range(len(areas))], period=pd.Timestamp("2025"))
    return values.assign(series="x|" + values["area"] + "|||v1")


def chosen(*specs: PeerSetSpec, rows: Any = (), areas: Any = (), as_at: date = AS_AT) -> Any:
    entries = {"x": SimpleNamespace(short_title="Homes")}
    parameters: Any = SimpleNamespace(
        peer_sets={each.id: each for each in specs}, register=SimpleNamespace(indicators=entries)
    )
    found = chosen_peer_sets(stored(*rows), parameters, OURS, panel(*areas), as_at)
    assert found.columns.tolist() == COLUMNS
    return found


def members(found: pd.DataFrame, name: str) -> list[str]:
    return found.loc[found["peer_set"] == name, "member"].tolist()


def test_every_set_is_there_with_its_source_day_and_method():
    found = chosen(
        spec("listed", members={"E06000003": "B", "E06000002": "A"}),
        spec("all", everyone=True),
        spec("near"),
        rows=[("near", OURS, "E06000002", 1, None), ("near", "E06000009", "E06000007", 1, None)],
        areas=[OURS, *FIVE],
    )
    assert members(found, "listed") == ["E06000003", "E06000002"]
    assert members(found, "near") == ["E06000002"]
    assert members(found, "all") == FIVE
    first = found.drop_duplicates("peer_set").set_index("peer_set")
    assert first["title"].to_dict() == {name: f"Title of {name}" for name in first.index}
    assert set(first["as_at"]) == {pd.Timestamp("2025-05-01")}
    assert first["method"].str.endswith(".").all()
    assert first["method"].to_dict() == {
        "listed": "As listed by this council, nearest first.",
        "all": "Every council with figures in these data, of any kind or size.",
        "near": "As published for this council, nearest first.",
    }


def test_a_set_that_nobody_describes_is_called_by_its_name():
    [row] = chosen(rows=[("ons_near", OURS, "E06000002", 1, "2025-02-14")]).to_dict("records")
    assert (row["title"], row["source"], row["as_at"].year) == ("ons near", "ONS", 2025)


def test_a_group_is_ours_when_we_are_in_it_and_has_no_order():
    rows = [("region", "", code, None, None) for code in (OURS, "E06000002", "E06000003")]
    rows += [("other", "", "E06000002", None, None)]
    found = chosen(rows=rows)
    assert members(found, "region") == ["E06000002", "E06000003"]
    assert members(found, "other") == []
    assert found["rank"].isna().all()


@pytest.mark.parametrize(
    ("as_at", "expected"), [(AS_AT, "E06000003"), (date(2024, 6, 1), "E06000002")]
)
def test_of_several_versions_the_newest_that_was_known_counts(as_at, expected):
    rows = [
        ("near", OURS, "E06000002", 1, "2023-05-01"),
        ("near", OURS, "E06000003", 1, "2025-05-01"),
    ]
    assert members(chosen(rows=rows, as_at=as_at), "near") == [expected]


def test_a_set_drawn_up_later_is_not_known():
    late = date(2026, 7, 1)
    specs = [spec("a", late, members={"E06000002": "A"}), spec("b", late, everyone=True)]
    specs.append(spec("c", late))
    rows = [("c", OURS, "E06000002", 1, None)]
    assert chosen(*specs, rows=rows, areas=[OURS, *FIVE]).empty


def test_sums_categories_and_we_are_never_peers():
    strange = ["E12000009", "E92000001", "E11000001", "decile_1", "1", "ALL", "K02000001"]
    found = chosen(
        spec("all", everyone=True),
        spec("listed", members={OURS: "us", "E12000009": "region", "RAL": "trust"}),
        areas=[OURS, *FIVE, *strange, "X06000002", "RAL", "RXX"],
    )
    assert members(found, "all") == [*FIVE, "RAL", "X06000002"]
    assert members(found, "listed") == ["RAL"]


def test_a_set_is_built_from_characteristics_among_another():
    found = chosen(
        spec("six", members=dict.fromkeys(FIVE, "N")),
        spec("likest", characteristics=("x",), size=5, among="six"),
        spec("free", characteristics=("x",), size=5),
        areas=[OURS, "E06000009", *FIVE],
    )
    assert members(found, "likest") == FIVE
    assert members(found, "free")[0] == "E06000009"
    methods = found.drop_duplicates("peer_set").set_index("peer_set")["method"]
    assert methods["likest"].startswith("The 5 councils nearest ours")
    assert methods["likest"].endswith("on: Homes.")
    built = found.drop_duplicates("peer_set").set_index("peer_set")["built_on"]
    assert built.to_dict() == {"free": "x", "likest": "x", "six": ""}


def test_nothing_is_chosen_from_nothing():
    assert chosen().empty
    assert chosen(spec("all", everyone=True)).empty
