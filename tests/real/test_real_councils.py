"""Two real councils on openly published data, from the files to the reports."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pmf_analysis.documents.audit import audit_html

pytestmark = pytest.mark.realdata

ADDS_UP = re.compile(
    r"^(\S+): (?:[\d,]+ rows: )?([\d,]+) (?:rows|records) read ="
    r" ([\d,]+) accepted \+ ([\d,]+) quarantined \+ ([\d,]+) ignored",
    re.M,
)
ANALYSES = ("trends", "benchmarking", "target_realism")


def results(report: Path) -> list[dict[str, str]]:
    with (report / "results.csv").open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def statuses(run: Any) -> set[str]:
    manifest = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))
    return {job["status"] for job in manifest["jobs"].values()}


@pytest.fixture(params=["bristol_run", "trafford_run"])
def real_run(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def test_every_report_is_made(bristol_run: Any, trafford_run: Any) -> None:
    for run, themes in ((bristol_run, 7), (trafford_run, 4)):
        assert len(run.pages) == themes * (len(ANALYSES) + 1) + 1
        assert statuses(run) == {"ok"}


def test_every_row_is_accounted_for(real_run: Any) -> None:
    files = ADDS_UP.findall(real_run.printed["import"])
    assert files
    for _, *numbers in files:
        read, accepted, quarantined, ignored = (int(each.replace(",", "")) for each in numbers)
        assert read == accepted + quarantined + ignored


def test_the_rows_read_are_the_rows_of_the_files(bristol_run: Any, real_data: Path) -> None:
    import gzip

    for name, read, *_ in ADDS_UP.findall(bristol_run.printed["import"]):
        # the list of councils is read twice, by region and under a second name by kind
        [path] = real_data.glob(f"*/{name.replace('_by_kind', '')}")
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
            assert int(read.replace(",", "")) == sum(1 for _ in csv.reader(lines)) - 1, name


def test_every_starter_indicator_is_judged_or_listed_with_the_reason(
    bristol_run: Any, real_data: Path
) -> None:
    with (real_data / "lookups" / "starter_set_bristol.csv").open(encoding="utf-8") as lines:
        wanted = {row["indicator_id"] for row in csv.DictReader(lines)}
    assert len(wanted) == 52
    for analysis in ANALYSES:
        told: set[str] = set()
        for report in sorted(bristol_run.folder.glob(f"*/{analysis}")):
            for row in results(report):
                told.add(row["indicator"])
                silent = row["verdict"] in ("cannot_judge", "position_only") and not row["reason"]
                assert not silent, row
        assert told == wanted, analysis


def test_no_report_shows_a_traceback_or_calls_the_network(real_run: Any) -> None:
    for page in real_run.pages:
        text = page.read_text(encoding="utf-8")
        assert "Traceback" not in text
        assert not [f.message for f in audit_html(text)], page.parent


def test_chances_are_given_where_no_target_is_set(bristol_run: Any) -> None:
    page = bristol_run.folder / "homes_and_communities" / "target_realism" / "report.html"
    text = page.read_text(encoding="utf-8")
    assert "no target set" in text
    assert "present level" in text


def test_a_theme_without_indicators_still_gets_its_reports(trafford_run: Any) -> None:
    for analysis in ANALYSES:
        report = trafford_run.folder / "fit_for_purpose_organisation" / analysis
        assert results(report) == []
        assert "no indicators" in (report / "report.html").read_text(encoding="utf-8").lower()
