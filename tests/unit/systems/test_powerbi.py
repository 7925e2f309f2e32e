"""The star, and the project around it, held against Microsoft's own schemas."""

from __future__ import annotations

import copy
import gzip
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import made_star
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow.parquet import read_table
from referencing import Registry, Resource

from pmf_analysis.problems import PmfError
from pmf_analysis.systems import powerbi

SCHEMAS = Path(__file__).resolve().parents[2] / "reference" / "powerbi"
PAGE = "performance.Report/definition/pages/summary"


@pytest.fixture(scope="module")
def star() -> dict[str, pa.Table]:
    return powerbi.star(made_star.frames(), made_star.OWN)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return made_star.files()


def read(files: dict[str, bytes], name: str) -> Any:
    return json.loads(files[name])


# The star.


def test_every_table_has_exactly_its_columns_and_types(star: dict[str, pa.Table]) -> None:
    assert list(star) == list(powerbi.TABLES)
    for name, table in star.items():
        wanted = [(column.name, powerbi.ARROW[column.kind]) for column in powerbi.TABLES[name]]
        assert [(field.name, field.type) for field in table.schema] == wanted, name
        assert table.num_rows, name


def test_days_have_no_gaps_and_know_their_financial_year(star: dict[str, pa.Table]) -> None:
    days = star["dim_date"].to_pandas().set_index("date")
    days.index = pd.to_datetime(days.index)
    assert len(days) == 365
    assert (days.index[1:] - days.index[:-1] == pd.Timedelta(days=1)).all()
    told = days.loc["2027-03-31", ["year", "financial_year", "quarter", "month", "month_order"]]
    assert list(told) == [2027, "2026-27", "2026-27 Q4", "March 2027", 202703]
    assert days.loc["2026-04-01", "quarter"] == "2026-27 Q1"
    assert days.loc["2026-09-30", "quarter"] == "2026-27 Q2"
    assert days.loc["2026-12-31", "quarter"] == "2026-27 Q3"


def test_a_period_stands_at_its_last_day_and_one_without_a_figure_at_none(
    star: dict[str, pa.Table],
) -> None:
    trends = star["fact_trend"].to_pandas().set_index("indicator_id")
    assert str(trends.loc["recycling", "period_end"]) == "2026-09-30"
    assert trends.loc["without", "period_end"] is None
    ends = set(star["fact_spc"]["period_end"].to_pylist())
    assert {str(end) for end in ends} == {"2026-06-30", "2026-09-30"}


def test_the_council_is_told_from_other_areas(star: dict[str, pa.Table]) -> None:
    areas = star["dim_area"].to_pylist()
    assert [(row["area_code"], row["is_own"]) for row in areas] == [
        (made_star.OWN, True),
        (made_star.PEER, False),
    ]


def test_the_visual_of_making_data_count_finds_its_fields(files: dict[str, bytes]) -> None:
    wanted = ["Values", "Dates", "Identifier", "Improvement Direction", "Target"]
    name = f"{powerbi.DATA}making_data_count/making_data_count.parquet"
    table = read_table(io.BytesIO(files[name])).to_pandas()
    assert [column for column in table if column != "indicator_id"] == wanted
    directions = dict(zip(table["indicator_id"], table["Improvement Direction"], strict=True))
    assert directions == {"fly_tips": "decrease", "recycling": "increase"}
    csv = pd.read_csv(io.BytesIO(files[f"{powerbi.DATA}making_data_count.csv"]))
    assert list(csv) == list(table) and csv["Values"].dtype == "float64"


def test_targets_are_counted_as_the_reports_do_and_verdicts_have_words() -> None:
    given = made_star.frames()
    given["register"]["control"] = ["council", "city", "council"]
    given["targets"]["verdict"] = ["stretch", "no_verdict", "stretch", "stretch"]
    reference = pd.concat([given["targets"]] * 2, ignore_index=True)
    given["targets"] = reference.assign(is_reference=[False] * 4 + [True] * 4)
    star = powerbi.star(given, made_star.OWN, {"stretch": "A stretch"})
    rows = star["fact_target"].to_pandas()
    assert rows["is_counted"].tolist() == [True] + [False] * 7
    assert rows["verdict_words"].tolist()[:2] == ["A stretch", "no_verdict"]


def test_what_people_drag_is_in_sight_and_can_be_charted(files: dict[str, bytes]) -> None:
    folder = "performance.SemanticModel/definition/"
    dots = files[f"{folder}tables/making_data_count.tmdl"].decode()
    column = {part.splitlines()[0]: part for part in dots.split("\tcolumn ")[1:]}
    assert "isHidden" not in column["Dates"] and "isHidden" in column["indicator_id"]
    assert "summarizeBy: average" in column["Values"]
    assert b"discourageImplicitMeasures" not in files[f"{folder}model.tmdl"]


def test_a_running_total_has_only_the_targets_of_its_own_periods() -> None:
    given = made_star.frames()
    given["register"]["accumulation"] = ["ytd", "discrete", "discrete"]
    rows = powerbi.star(given, made_star.OWN)["making_data_count"].to_pandas()
    told = rows.set_index(["indicator_id", rows["Dates"].astype("str")])["Target"]
    assert told.notna().to_dict() == {
        ("fly_tips", "2026-06-30"): False,
        ("fly_tips", "2026-09-30"): True,
        ("recycling", "2026-06-30"): True,
        ("recycling", "2026-09-30"): True,
    }


def test_a_negative_value_stays_a_number_and_a_formula_does_not_run() -> None:
    given = made_star.frames()
    given["points"]["value"] = -2.5
    given["register"]["title"] = '=HYPERLINK("https://example.org")'
    star = powerbi.star(given, made_star.OWN)
    csv = powerbi.files(star, made_star.FACTS, made_star.AS_AT)
    rows = csv[f"{powerbi.DATA}making_data_count.csv"].decode().splitlines()
    assert rows[1].startswith("fly_tips,-2.5,2026-06-30,\"'=HYPERLINK")


def test_each_table_is_a_delta_table_too(files: dict[str, bytes], tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    delta = deltalake.DeltaTable(str(tmp_path / powerbi.DATA / "fact_observation"))
    assert delta.version() == 0
    held = pa.table(delta.to_pyarrow_table())
    name = f"{powerbi.DATA}fact_observation/fact_observation.parquet"
    assert held.to_pylist() == read_table(io.BytesIO(files[name])).to_pylist()


def test_the_same_run_gives_the_same_bytes(files: dict[str, bytes]) -> None:
    star = powerbi.star(made_star.frames(), made_star.OWN)
    assert powerbi.files(star, made_star.FACTS, made_star.AS_AT) == files


def test_a_run_that_no_longer_fits_the_register_is_not_handed_out() -> None:
    given = made_star.frames()
    given["register"] = given["register"].iloc[:1]
    with pytest.raises(PmfError) as told:
        powerbi.files(powerbi.star(given, made_star.OWN), made_star.FACTS, made_star.AS_AT)
    assert {problem.code for problem in told.value.problems} == {"tmdl-orphan"}
    assert "recycling" in told.value.problems[0].line()
    first = told.value.problems[0]
    made = made_star.files()[first.file].decode().splitlines()
    assert first.row and made[first.row - 1].startswith("relationship ")


def test_a_key_that_stands_twice_or_is_missing_is_not_handed_out() -> None:
    whole = powerbi.star(made_star.frames(), made_star.OWN)
    areas = whole["dim_area"]
    keys = pa.array([None] * len(areas), pa.string())
    for odd in (pa.concat_tables([areas, areas]), areas.set_column(0, "area_code", keys)):
        with pytest.raises(PmfError) as told:
            powerbi.files(whole | {"dim_area": odd}, made_star.FACTS, made_star.AS_AT)
        assert "tmdl-not-unique" in {problem.code for problem in told.value.problems}


# What other people wrote.


def test_no_name_ends_what_it_stands_in() -> None:
    assert powerbi.m_text('a"b#(lf)\nc') == '"a""b#(#)(lf)#(000a)c"'
    assert powerbi.quoted_name("it's") == "'it''s'"
    assert powerbi.quoted_name("plain_1") == "plain_1"


def test_hostile_words_come_back_as_words(files: dict[str, bytes]) -> None:
    shown = "".join(c for c in " ".join(made_star.HOSTILE.split()) if c.isprintable())
    platform = read(files, "performance.Report/.platform")
    assert platform["metadata"]["displayName"] == shown
    model = files["performance.SemanticModel/definition/model.tmdl"].decode()
    assert model.splitlines()[:2] == [f"/// {shown}", "model Model"]


def test_a_folder_is_told_to_power_bi_whatever_it_is_called() -> None:
    place = 'D:\\it\'s "ours" #(x)\\data'
    star = powerbi.star(made_star.frames(), made_star.OWN)
    made = powerbi.files(star, made_star.FACTS, made_star.AS_AT, place)
    assert read(made, "power-bi.pbids")["connections"][0]["details"]["address"]["path"] == place
    expressions = made["performance.SemanticModel/definition/expressions.tmdl"].decode()
    assert f"DataFolder = {powerbi.m_text(place)} meta" in expressions


def test_the_copy_of_a_run_names_no_machine(files: dict[str, bytes]) -> None:
    text = b"".join(each for name, each in files.items() if not name.endswith(".parquet"))
    assert str(Path.cwd()).encode() not in text and str(Path.home()).encode() + b"/" not in text


# Microsoft's schemas.


@cache
def registry() -> Registry[Any]:
    documents = json.loads(gzip.decompress((SCHEMAS / "fabric.json.gz").read_bytes()))
    found: Registry[Any] = Registry()
    for name, schema in documents.items():
        # References go by the name of the file, which an id may write otherwise.
        address = f"https://developer.microsoft.com/json-schemas/{name}"
        schema["$id"] = address
        found = found.with_resource(address, Resource.from_contents(schema))
    return found


def faults(document: dict[str, Any]) -> list[str]:
    schema = registry().contents(document["$schema"])
    validator = jsonschema.Draft7Validator(schema, registry=registry())
    return [error.message for error in validator.iter_errors(document)]


def theme_faults(theme: dict[str, Any]) -> list[str]:
    packed = (SCHEMAS / "reportThemeSchema-2.152.json.gz").read_bytes()
    schema = json.loads(gzip.decompress(packed).decode("utf-8-sig"))
    kind = jsonschema.validators.validator_for(schema)
    return [error.message for error in kind(schema).iter_errors(theme)]


def test_every_document_is_what_its_schema_asks_for(files: dict[str, bytes]) -> None:
    documents = {
        name: json.loads(content)
        for name, content in files.items()
        if not name.startswith(powerbi.DATA) and not name.endswith(".tmdl")
    }
    checked = {name: each for name, each in documents.items() if "$schema" in each}
    assert {name: faults(each) for name, each in checked.items() if faults(each)} == {}
    assert len({each["$schema"] for each in checked.values()}) == 9
    rest = {name.rpartition("/")[2] for name in documents if name not in checked}
    assert rest == {"power-bi.pbids", "theme.json"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("performance.pbip", lambda each: each["artifacts"][0]["report"].update(path=3)),
        ("performance.pbip", lambda each: each["artifacts"][0].pop("report")),
        (
            "performance.Report/definition.pbir",
            lambda each: each["datasetReference"]["byPath"].pop("path"),
        ),
        ("performance.Report/definition/report.json", lambda each: each.pop("themeCollection")),
        (
            "performance.Report/definition/report.json",
            lambda each: each["resourcePackages"][0].update(type="Ours"),
        ),
        (f"{PAGE}/page.json", lambda each: each.update(displayOption="Huge")),
        (f"{PAGE}/visuals/chart/visual.json", lambda each: each["position"].pop("x")),
        (f"{PAGE}/visuals/chart/visual.json", lambda each: each["visual"].pop("visualType")),
        (
            f"{PAGE}/visuals/chart/visual.json",
            lambda each: each["visual"]["query"]["queryState"]["Y"]["projections"][0].pop("field"),
        ),
        ("performance.SemanticModel/.platform", lambda each: each["metadata"].pop("type")),
        ("performance.SemanticModel/definition.pbism", lambda each: each.update(more=1)),
        ("performance.Report/definition/version.json", lambda each: each.update(version="2.0.1")),
    ],
)
def test_a_broken_document_is_found(files: dict[str, bytes], name: str, change: Any) -> None:
    broken = copy.deepcopy(read(files, name))
    change(broken)
    assert faults(broken)


def test_the_theme_is_one_and_has_our_colours(files: dict[str, bytes]) -> None:
    theme = read(files, "theme.json")
    assert theme_faults(theme) == []
    assert theme["bad"] == made_star.FACTS["orange"]
    assert theme_faults(theme | {"good": "blueish"})
    assert theme_faults({name: each for name, each in theme.items() if name != "name"})
    assert read(files, "performance.Report/StaticResources/RegisteredResources/theme.json") == theme


def test_a_data_source_file_has_one_connection_and_no_credentials(files: dict[str, bytes]) -> None:
    found = read(files, "power-bi.pbids")
    assert set(found) == {"version", "connections"}
    (connection,) = found["connections"]
    assert connection["details"]["protocol"] == "folder"
    assert set(connection["details"]["address"]) == {"path"}
    assert set(connection) == {"details", "options", "mode"}


def test_the_report_finds_its_pages_its_theme_and_its_model(files: dict[str, bytes]) -> None:
    order = read(files, "performance.Report/definition/pages/pages.json")["pageOrder"]
    for page in order:
        assert f"performance.Report/definition/pages/{page}/page.json" in files
    items = read(files, "performance.Report/definition/report.json")["resourcePackages"][0]["items"]
    resources = "performance.Report/StaticResources/RegisteredResources"
    assert all(f"{resources}/{item['path']}" in files for item in items)
    path = read(files, "performance.Report/definition.pbir")["datasetReference"]["byPath"]["path"]
    assert f"{path.removeprefix('../')}/definition.pbism" in files
    page = read(files, f"{PAGE}/page.json")
    for name in (name for name in files if name.endswith("visual.json")):
        place = read(files, name)["position"]
        assert place["x"] + place["width"] <= page["width"]
        assert place["y"] + place["height"] <= page["height"]


def test_a_council_without_targets_peers_or_forecasts_has_empty_tables() -> None:
    given = made_star.frames()
    for name in ("targets", "comparisons", "forecasts"):
        given[name] = given[name].iloc[:0]
    star = powerbi.star(given, made_star.OWN)
    assert star["fact_target"].num_rows == 0
    made = powerbi.files(star, made_star.FACTS, made_star.AS_AT)
    assert f"{powerbi.DATA}fact_target/fact_target.parquet" in made
