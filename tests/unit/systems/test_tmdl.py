"""The checker of models: a sound one passes, and one broken by hand in each way does not."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import made_star
import pyarrow as pa
import pytest
import tmdl
from pyarrow.parquet import read_table, write_table

from pmf_analysis.systems import powerbi

MODEL = "performance.SemanticModel/definition/"


@dataclass
class Made:
    """A model as text, the files it reads, and the report on it."""

    model: dict[str, str] = field(default_factory=dict)
    data: dict[str, bytes] = field(default_factory=dict)
    pages: dict[str, Any] = field(default_factory=dict)

    def check(self) -> tmdl.Problems:
        return tmdl.check_model(self.model, self.data, self.pages)

    def change(self, name: str, old: str, new: str) -> None:
        assert old in self.model[f"{MODEL}{name}"]
        self.model[f"{MODEL}{name}"] = self.model[f"{MODEL}{name}"].replace(old, new, 1)

    def change_table(self, name: str, make: Callable[[pa.Table], pa.Table]) -> None:
        path, stream = f"{name}/{name}.parquet", io.BytesIO()
        write_table(make(read_table(io.BytesIO(self.data[path]))), stream)
        self.data[path] = stream.getvalue()


@pytest.fixture
def made() -> Made:
    found = Made()
    for name, content in made_star.files().items():
        if name.startswith(powerbi.DATA):
            found.data[name.removeprefix(powerbi.DATA)] = content
        elif name.endswith(".tmdl"):
            found.model[name] = content.decode()
        else:
            found.pages[name] = json.loads(content)
    return found


def test_our_own_model_is_sound(made: Made) -> None:
    assert made.check() == []
    things = tmdl.read_model(made.model, tmdl.Problems())
    assert len({each.name for each in things if each.kind == "table"}) == len(powerbi.TABLES)
    assert {each.name for each in things if each.kind == "expression"} == {"DataFolder"}
    columns = {(each.table, each.name): each for each in things if each.kind == "column"}
    date = columns["dim_date", "date"]
    assert "isKey" in date.told and date.told["dataType"] == "dateTime"
    keys = [told for (table, name), told in columns.items() if name == "indicator_id"]
    shown = [each.table for each in keys if "isHidden" not in each.told]
    assert len(keys) > 7 and shown == ["dim_indicator"]


SPC = "tables/fact_spc.tmdl"
DAX = "AVERAGE(fact_spc[value])"
BROKEN = {
    "spaces for a tab": ("tmdl-indent", SPC, "\t\tdataType: string", "        dataType: string"),
    "a tab and spaces": ("tmdl-indent", SPC, "\t\tdataType: string", "\t    dataType: string"),
    "too deep": ("tmdl-indent", SPC, "\t\tdataType: string", "\t\t\t\tdataType: string"),
    "not deep enough": ("tmdl-line", SPC, "\t\tdataType: string", "\tdataType: string"),
    "rubbish": ("tmdl-line", SPC, "\t\tisHidden", "\t\tisHiden"),
    "another kind of thing": ("tmdl-line", SPC, "\tcolumn segment", "\tcolum segment"),
    "no colon": ("tmdl-line", SPC, "\t\tdataType: double", "\t\tdataType double"),
    "an open quote": ("tmdl-line", SPC, "measure 'Lower limit'", "measure 'Lower limit"),
    "no type": ("tmdl-bare-column", SPC, "\t\tdataType: string\n", ""),
    "an unknown type": ("tmdl-bare-column", SPC, "dataType: double", "dataType: float"),
    "no source": ("tmdl-bare-column", SPC, "\t\tsourceColumn: value\n", ""),
    "a source that is not there": ("tmdl-no-column", SPC, "sourceColumn: value", "sourceColumn: v"),
    "another type": ("tmdl-other-type", SPC, "dataType: double", "dataType: int64"),
    "a column twice": ("tmdl-twice", SPC, "column lower_limit", "column Mean"),
    "a measure called as a column": ("tmdl-twice", SPC, "measure Average", "measure value"),
    "no such end": (
        "tmdl-no-end",
        "relationships.tmdl",
        "toColumn: dim_area.area_code",
        "toColumn: dim_area.code",
    ),
    "an end of no table": (
        "tmdl-no-end",
        "relationships.tmdl",
        "toColumn: dim_area.area_code",
        "toColumn: area.area_code",
    ),
    "only one end": (
        "tmdl-no-end",
        "relationships.tmdl",
        "\ttoColumn: dim_area.area_code\n",
        "",
    ),
    "the wrong way round": (
        "tmdl-not-unique",
        "relationships.tmdl",
        "toColumn: dim_area.area_code",
        "toColumn: fact_trend.area_code",
    ),
    "no such file": ("tmdl-no-file", SPC, "fact_spc.parquet", "fact_scp.parquet"),
    "no file at all": ("tmdl-no-file", SPC, "File.Contents", "Web.Contents"),
    "an unknown parameter": ("tmdl-no-reference", SPC, "DataFolder", "Folder"),
    "a measure of no column": ("tmdl-no-reference", SPC, DAX, "AVERAGE(fact_spc[values])"),
    "a measure of no table": ("tmdl-no-reference", SPC, DAX, "AVERAGE('spc table'[value])"),
    "a sort order that is not there": (
        "tmdl-no-reference",
        "tables/dim_date.tmdl",
        "sortByColumn: month_order",
        "sortByColumn: order",
    ),
    "a listed table that is not there": (
        "tmdl-no-reference",
        "model.tmdl",
        "ref table fact_spc",
        "ref table fact_scp",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_model_broken_by_hand_is_not_sound(made: Made, case: str) -> None:
    code, name, old, new = BROKEN[case]
    made.change(name, old, new)
    found = made.check()
    assert code in {problem.code for problem in found}
    (first, *_) = (problem for problem in found if problem.code == code)
    file = f"{MODEL}{name}"
    assert first.file == file and first.row
    assert first.line().startswith(file)


def test_a_relationship_twice_and_a_file_twice(made: Made) -> None:
    made.model["copy.tmdl"] = made.model[f"{MODEL}relationships.tmdl"]
    assert {problem.code for problem in made.check()} == {"tmdl-twice"}


def test_a_key_that_is_not_unique_or_missing(made: Made) -> None:
    made.change_table("dim_area", lambda table: pa.concat_tables([table, table]))
    assert {problem.code for problem in made.check()} == {"tmdl-not-unique"}
    made.change_table("dim_area", _without_key)
    assert "tmdl-not-unique" in {problem.code for problem in made.check()}


def _without_key(table: pa.Table) -> pa.Table:
    keys = pa.array([None] * len(table), pa.string())
    return table.set_column(0, "area_code", keys)


def test_a_fact_about_nothing_is_named(made: Made) -> None:
    made.change_table("dim_indicator", lambda table: table.slice(1))
    found = made.check()
    assert {problem.code for problem in found} == {"tmdl-orphan"}
    assert "fly_tips" in found[0].message


def test_a_column_of_another_type_in_its_file(made: Made) -> None:
    made.change_table("fact_spc", lambda table: table.cast(_as_text(table.schema)))
    assert {problem.code for problem in made.check()} == {"tmdl-other-type"}


def _as_text(schema: pa.Schema) -> pa.Schema:
    number = schema.get_field_index("value")
    return schema.set(number, pa.field("value", pa.string()))


def test_a_visual_that_shows_what_is_not_there(made: Made) -> None:
    name = next(name for name in made.pages if name.endswith("chart/visual.json"))
    text = json.dumps(made.pages[name])
    made.pages[name] = json.loads(text.replace('"Property": "Average"', '"Property": "Mean"'))
    (problem,) = made.check()
    assert problem.code == "tmdl-no-reference" and "fact_spc.Mean" in problem.message
    assert problem.file == name


def test_a_measure_is_no_column_for_a_visual(made: Made) -> None:
    name = next(name for name in made.pages if name.endswith("newest/visual.json"))
    made.pages[name] = json.loads(json.dumps(made.pages[name]).replace('"Column"', '"Measure"'))
    assert {problem.code for problem in made.check()} == {"tmdl-no-reference"}
