"""A council's 57 open files, as they are published: one mapping, three exceptions, nothing lost."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from made_runs import REPOSITORY
from raw_files import tidy, workspace_of

from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.folder import read_file
from pmf_analysis.systems.importing import drift, import_files, judge_file
from pmf_analysis.systems.mapping import load_mappings
from pmf_analysis.systems.results import ImportResult
from pmf_analysis.systems.rules import Context

pytestmark = pytest.mark.realdata

TIDY = (REPOSITORY / "parameters/mappings/trafford_tidy.yml").read_text(encoding="utf-8")
# Windows that grow from one first day, as labels alone do not say.
GROWING = TIDY.replace("name: trafford_tidy", "name: trafford_growing") + (
    "constants: {frequency: cumulative}\n"
    "enums: {frequency: {cumulative: quarterly}}\n"
    "period: {spans: {cumulative: label}}\n"
)
# Several columns of counts in place of one of values.
COUNTS = """\
format: 1
name: trafford_counts
system: Trafford Data Lab
version: 1
table: observations
match: {files: ["*energy_performance*", "*licensed_vehicles*"]}
header: {containing: [period, indicator]}
columns: {area_code: [area_code], area_name: [area_name], period_label: [period]}
indicators:
  epc_lodged: [value_certificates_lodged]
  epc_a: [value_rating_A]
  epc_b: [value_rating_B]
  epc_c: [value_rating_C]
  ulev: [value_ulev]
  vehicles: [value_all_vehicles]
ignore: [indicator, measure, unit]
on_unknown_column: error
"""
EXCEPTIONS = {
    "climate__energy_performance_certificates.csv.gz": "trafford_counts",
    "climate__licensed_vehicles.csv.gz": "trafford_counts",
    "health__nhs_health_checks.csv.gz": "trafford_growing",
}
SHARES = {"traf_climate_energy_performance_certificates", "traf_climate_licensed_vehicles"}
TYPES = {"01": "calendar", "04": "financial", "09": "academic"}
SPANS = {"3-year pooled": "3y", "5-year pooled": "5y", "rolling 12 months": "1y"}
# What labels look like, and how many rows have that form.
FORMS = {
    "financial year": (r"\d{4}/\d\d", 25_998),
    "calendar year": (r"\d{4}", 24_251),
    "rolling calendar years": (r"\d{4} - \d\d", 13_579),
    "month name": (r"[A-Z][a-z]+ \d{4}", 3_110),
    "growing financial quarters": (r".*Q\d - .*Q\d", 2_380),
    "date": (r"\d{4}-\d\d-\d\d", 1_509),
    "calendar quarter": (r"Q\d \d{4}", 1_156),
    "financial quarter": (r"\d{4}/\d\d Q\d", 488),
    "rolling months": (r"[A-Z][a-z]+ \d{4}-[A-Z][a-z]+ \d{4}", 476),
    "year and month": (r"\d{4}-\d\d", 204),
    "rolling financial years": (r"\d{4}/\d\d - \d\d/\d\d", 162),
}


class Read(NamedTuple):
    """What was read, from the raw files and as others had tidied them."""

    results: list[ImportResult]
    rows: pd.DataFrame
    tidied: pd.DataFrame


def raw_name(name: str, unit: str) -> str:
    """The name of an indicator of the tidy table as the raw files' columns give it, joined."""
    stem, _, measure = name.removesuffix(")").rpartition(" (")
    if not stem or unit == "":
        measure = measure if stem and measure in {"Count", "Per 1000 population"} else ""
        stem = stem if measure else name
    stem = re.sub(r" \[(.+)\]$", r"; \1", stem)
    return "; ".join(filter(None, [stem, measure, unit]))


def indicators(tidied: pd.DataFrame) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for id, rows in tidied.groupby("indicator_id"):
        first = rows.iloc[0]
        spans = [SPANS.get(each, "") for each in set(rows["frequency"])]
        often = rows["frequency"].value_counts().index[0]
        frequency = {"rolling 12 months": "quarterly", "cumulative quarterly": "quarterly"}
        facts = {"id": id, "title": first["indicator_name"][:80], "unit": first["unit"] or "number"}
        facts["aliases"] = [raw_name(first["indicator_name"], first["unit"])]
        facts["year_type"] = TYPES[first["period_start"][5:7]] if often == "annual" else "financial"
        facts["frequency"] = "annual" if "year" in often else frequency.get(often, often)
        if often == "3-year pooled" and " - " in first["period"] and "/" not in first["period"]:
            facts["year_type"] = "calendar"
        if first["period"].startswith("Q"):
            facts["year_type"] = "calendar"
        if (len(spans) == 1 and spans[0]) or often == "cumulative quarterly":
            facts |= {"accumulation": "rolling", "period_span": spans[0] or "5y"}
        made.append(facts)
    return made


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Read:
    tidied = tidy(real_data / "tidy" / "trafford_themes_peers.csv.gz")
    names = ("epc_lodged", "epc_a", "epc_b", "epc_c", "ulev", "vehicles")
    counts = [{"id": name, "title": name, "frequency": "quarterly"} for name in names]
    made = [one for one in indicators(tidied) if one["id"] not in SHARES]
    mappings = {"trafford_growing": GROWING, "trafford_counts": COUNTS}
    where = workspace_of(tmp_path_factory.mktemp("trafford"), [*made, *counts], mappings)
    found = sorted((real_data / "raw" / "trafford_themes").glob("*__*.csv.gz"))
    assert len(found) == 57
    known = load_mappings(where.parameters / "mappings")
    context = Context.of(where.load(), date(2026, 5, 13))
    raws = map(read_file, found)
    results = [
        judge_file(raw, known[EXCEPTIONS.get(raw.name, "trafford_tidy")], context) for raw in raws
    ]
    rows = pd.concat([result.tables["observations"] for result in results], ignore_index=True)
    return Read(results, rows, tidied)


def test_every_row_of_the_57_files_is_accounted_for(read: Read) -> None:
    records = [result.record for result in read.results]
    assert len(records) == 57
    for record in records:
        placed = record.rows_accepted + record.rows_quarantined + record.rows_ignored
        assert record.rows_read == placed
        assert record.rows_ignored == 0
    # One indicator is published yearly and pooled over three years under one name.
    held = {r.name: r.rows_quarantined for r in records if r.rows_quarantined}
    assert held == {"health__adults_smoking_manual.csv.gz": 1_183}
    lines = pd.concat([result.quarantine for result in read.results])
    assert set(lines["code"]) == {"period-length"}
    assert lines["value"].str.contains(" - ").all()
    # A row of the two files with several columns is several values.
    more = 3 * 1_123 + 204
    assert sum(record.rows_read for record in records) == len(read.tidied) + more == 73_313 + more


def test_the_eleven_forms_of_periods_are_read(read: Read) -> None:
    held = pd.concat([result.quarantine for result in read.results])
    rows = read.rows.drop_duplicates(["source_file", "source_row"])
    forms: Counter[str] = Counter()
    for labels in (rows["period_label"], held["value"]):
        for label, n in labels.value_counts().items():
            (form,) = [f for f, (p, _) in FORMS.items() if re.fullmatch(p, str(label))]
            forms[form] += n
    assert forms == {form: n for form, (_, n) in FORMS.items()}


def test_the_figures_are_those_of_the_tidy_table(read: Read) -> None:
    rows, tidied = read.rows, read.tidied
    key = ["indicator_id", "area_code", "period_start", "period"]
    rows = rows.assign(
        period_start=rows["period_start"].dt.strftime("%Y-%m-%d"), period=rows["period_label"]
    )
    both = tidied.merge(rows[[*key, "value"]], on=key, how="left", suffixes=("", "_read"))
    is_held = (both["indicator_id"] == "traf_health_adults_smoking_manual") & (
        both["frequency"] == "3-year pooled"
    )
    both = both[~(is_held | both["indicator_id"].isin(SHARES))]
    assert len(both) == 73_313 - 1_183 - 1_123 - 204
    differ = both["value"].notna() & ~(
        (both["value"] - both["value_read"]).abs() < 6e-6
    )  # the tidy table is rounded
    assert both[differ | (both["value"].isna() != both["value_read"].isna())].empty
    wide = rows.pivot_table(
        index=["area_code", "period_start"], columns="indicator_id", values="value"
    )
    made = {
        "traf_climate_energy_performance_certificates": 100
        * (wide["epc_a"] + wide["epc_b"] + wide["epc_c"])
        / wide["epc_lodged"],
        "traf_climate_licensed_vehicles": 100 * wide["ulev"] / wide["vehicles"],
    }
    for id, shares in made.items():
        expected = tidied[tidied["indicator_id"] == id].set_index(["area_code", "period_start"])
        gap = expected["value"] - shares.reindex(expected.index)
        assert gap.abs().max() < 0.01
        assert (gap.isna() == expected["value"].isna()).all()


def test_drifted_headers_are_reported(read: Read, real_data: Path) -> None:
    mapping = load_mappings(REPOSITORY / "parameters" / "mappings")["trafford_tidy"]
    told: dict[str, set[str]] = {}
    for path in sorted((real_data / "raw" / "trafford_themes").glob("*__*.csv.gz")):
        told[path.name] = set(drift(read_file(path), mapping))
    instead = [name for name, said in told.items() if any("in place of" in one for one in said)]
    assert instead == ["climate__no2_concentration.csv.gz", "climate__pm10_concentration.csv.gz"]
    unknown = {name for name, said in told.items() if any("not known" in one for one in said)}
    assert unknown == {*EXCEPTIONS} - {"health__nhs_health_checks.csv.gz"}
    without = [name for name, said in told.items() if 'no "value" (value)' in said]
    assert without == sorted(unknown)
    notes = [name for name, said in told.items() if not any("compared" in one for one in said)]
    assert len(notes) == 18


def test_figures_restated_between_two_publications(
    tmp_path: Path, real_data: Path, read: Read
) -> None:
    where: Workspace = workspace_of(tmp_path, indicators(read.tidied), {})
    folder = REPOSITORY / "tests" / "real" / "trafford" / "parameters" / "mappings"
    text = (folder / "open_tidy.yml").read_text(encoding="utf-8")
    (where.parameters / "mappings" / "open_tidy.yml").write_text(text, encoding="utf-8")
    older = real_data / "tidy" / "trafford_corporate_plan_2024_vintage.csv.gz"
    before = import_files(where, [older], date(2024, 9, 3), "trafford_2024")
    newer = real_data / "tidy" / "trafford_themes_peers.csv.gz"
    after = import_files(where, [newer], date(2026, 5, 13), "open_tidy")
    key = ["indicator_id", "area_code", "period_start", "period_end"]
    old, new = (
        outcome.results[0].tables["observations"].dropna(subset=["value"])[key]
        for outcome in (before, after)
    )
    assert old["indicator_id"].nunique() == 34
    assert len(old.merge(new, on=key)) == 24_890
    restated = Store(where.store).restatements(date(2026, 5, 13))
    assert len(restated.dropna(subset=["new_value"])) == 9_495
