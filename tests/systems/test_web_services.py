"""LG Inform Plus and Fingertips: what they answer is read, kept, checked, and no key is told."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from systems.replay_server import KEY, Replay, fingertips_csv, metric_csv, metric_rows, replaying

from pmf_analysis.data.raw_zone import RawZone
from pmf_analysis.data.store import Store
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError
from pmf_analysis.systems import fingertips, lginform
from pmf_analysis.systems.importing import ImportOutcome, import_files

web = pytest.importorskip("pmf_analysis.systems.web", reason="the extra http is not installed")

DAY = date(2026, 11, 20)
FRAMEWORK = """
format: 1
title: Plan
council: {id: smallton, name: Smallton, area_code: E06000991}
directors: [{id: director, role: Director}]
themes: [{id: homes, title: Homes, director: director}]
"""
REGISTER = """
format: 1
indicators:
  - {id: homes_built, title: Homes built, themes: [homes], director: director, unit: homes,
     data_type: count, polarity: higher, frequency: annual, aliases: ["LG Inform 4282"],
     leads_to: "SAFEGUARDING:CIN-RATE"}
  - {id: second, title: Second metric, themes: [homes], director: director, unit: homes,
     data_type: count, polarity: higher, frequency: annual, aliases: ["LG Inform 93088"]}
  - {id: lived, title: Years lived well, themes: [homes], director: director, unit: years,
     data_type: score, polarity: higher, frequency: annual, year_type: calendar,
     accumulation: rolling, period_span: 3y, aliases: ["Fingertips 93088"]}
"""
SOURCES = {
    "lginform_table": "{kind: lginform, metrics: [4282, 93088], areas: [E06000991, E92000001]}",
    "fingertips_csv": "{kind: fingertips, indicators: [93088], area_type: 502}",
}
RUN = """
format: 1
council: smallton
period: 2025-26
as_at: 2026-11-20
analyses: [trends]
"""


@pytest.fixture(autouse=True)
def replay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    with replaying() as server:
        monkeypatch.setenv("PMF_LGINFORM_URL", server.address)
        monkeypatch.setenv("PMF_FINGERTIPS_URL", f"{server.address}api/")
        monkeypatch.setenv("PMF_LGINFORM_KEY", KEY)
        monkeypatch.setattr(web, "PATIENCE", PATIENCE)
        yield server


PATIENCE = web.PATIENCE | {"seconds": 2, "attempts": 3, "wait": 0}


@pytest.fixture
def council(tmp_path: Path, repository: Path) -> Workspace:
    folder = tmp_path / "council" / "parameters"
    shutil.copytree(repository / "parameters" / "mappings", folder / "mappings")
    for mapping, source in SOURCES.items():
        text = (folder / "mappings" / f"{mapping}.yml").read_text(encoding="utf-8")
        name = mapping.split("_")[0]
        text = text.replace(f"name: {mapping}", f"name: our_{name}").replace(
            'files: ["', 'files: ["our_'
        )
        (folder / "mappings" / f"our_{name}.yml").write_text(f"{text}source: {source}\n", "utf-8")
    (folder / "framework.yml").write_text(FRAMEWORK, encoding="utf-8")
    (folder / "indicators.yml").write_text(REGISTER, encoding="utf-8")
    (folder / "runs").mkdir()
    (folder / "runs" / "run.yml").write_text(RUN, encoding="utf-8")
    return Workspace(tmp_path / "council")


def fetched(council: Workspace, name: str, day: date = DAY) -> ImportOutcome:
    return import_files(council, [], day, f"our_{name}")


def observed(council: Workspace, day: date = DAY) -> pd.DataFrame:
    return Store(council.store).as_known_on(day, "observations")["observations"]


def told(outcome: ImportOutcome) -> str:
    return "\n".join(problem.line() for problem in outcome.problems)


def raw_copies(council: Workspace) -> list[Path]:
    found = Path(council.store).rglob("raw/*/*/*/*/*")
    return sorted(path for path in found if not path.name.endswith((".csv.json", ".json.json")))


def test_metrics_are_fetched_kept_and_read(council: Workspace, replay: Replay) -> None:
    outcome = fetched(council, "lginform")
    assert not outcome.problems.has_errors, told(outcome)
    rows = observed(council)
    own = rows[(rows["indicator_id"] == "homes_built") & (rows["area_code"] == "E06000991")]
    assert own["value"].tolist() == [100.5, 110.5, 120.5, 130.5]
    assert own["ci_lower"].tolist() == [95.5, 105.5, 115.5, 125.5]
    assert own["period_label"].tolist() == ["2021/22", "2022/23", "2023/24", "2024/25"]
    # The same number in another system is another indicator.
    assert set(rows["indicator_id"]) == {"homes_built", "second"}
    # A group of areas is no area, and is declared ignored, not lost.
    assert set(rows["area_code"]) == {"E06000991", "E06000992", "E92000001"}
    assert [result.record.rows_ignored for result in outcome.results] == [4, 4]
    hidden = rows[(rows["area_code"] == "E06000992") & rows["value"].isna()]
    assert set(hidden["value_status"]) == {"suppressed"}
    first, second = raw_copies(council)
    assert json.loads(first.read_bytes()) == metric_rows("4282")
    assert first.parent == second.parent == Path(council.store) / "raw/lginform/2026/11/20"
    assert all("period=latest%3A8" in path for path in replay.asked)


def test_a_dropped_file_of_the_same_bytes_gives_equal_rows(
    council: Workspace, tmp_path: Path
) -> None:
    for name in ("lginform", "fingertips"):
        fetched(council, name)
        by_web = observed(council)
        for path in raw_copies(council):
            shutil.copy(path, tmp_path)
        dropped = sorted(tmp_path.glob(f"{name}_[0-9]*"))
        assert dropped
        shutil.rmtree(council.store)
        outcome = import_files(council, dropped, DAY)
        assert not outcome.problems.has_errors, told(outcome)
        pd.testing.assert_frame_equal(observed(council), by_web)
        shutil.rmtree(council.store)


def test_a_csv_that_somebody_saved_gives_the_same_values(
    council: Workspace, tmp_path: Path
) -> None:
    mapping = (council.parameters / "mappings" / "lginform_csv.yml").read_text(encoding="utf-8")
    own = mapping.replace("name: lginform_csv", "name: saved").replace(
        "*lginform*.csv", "saved*.csv"
    )
    own += 'constants: {indicator_id: "LG Inform 4282"}\n'
    (council.parameters / "mappings" / "saved.yml").write_text(own, encoding="utf-8")
    register = council.parameters / "indicators.yml"
    text = register.read_text(encoding="utf-8")
    # "(academic)" beside the year is believed, so the register must agree.
    text = text.replace(
        "frequency: annual, aliases", "frequency: annual, year_type: academic, aliases"
    )
    register.write_text(text, encoding="utf-8")
    path = tmp_path / "saved.csv"
    path.write_bytes(metric_csv("4282"))
    outcome = import_files(council, [path], DAY)
    assert not outcome.problems.has_errors, told(outcome)
    rows = observed(council)
    england = rows[rows["area_code"] == "E92000001"]
    assert england["value"].tolist() == [2100.5, 2110.5, 2120.5, 2130.5]
    assert england["period_start"].dt.strftime("%m-%d").unique().tolist() == ["09-01"]
    [result] = outcome.results
    assert result.record.ignored_because["above the header"] == 2
    assert result.record.ignored_because["not kept by the mapping"] == 2  # a group, and the header


def test_groups_never_pass_as_england_and_pooled_years_stay_pooled(council: Workspace) -> None:
    outcome = fetched(council, "fingertips")
    rows = observed(council)
    assert set(rows["indicator_id"]) == {"lived"}
    total = rows[rows["dimension"] == ""]
    assert len(total) == 30 and len(rows) == 100
    assert total.groupby("area_code").size().to_dict() == dict.fromkeys(set(rows["area_code"]), 10)
    groups = set(zip(rows["dimension"], rows["dimension_value"], strict=True)) - {("", "")}
    tenth = "Unitary authority deprivation deciles (IMD 2019)"
    assert groups == {("Sex", "Male"), ("Sex", "Female"), (tenth, "Most deprived decile")}
    months = (total["period_end"] - total["period_start"]).dt.days
    assert months.between(1094, 1096).all()
    hidden = rows[rows["value"].isna()]
    assert hidden[["area_code", "value_status", "value_note"]].to_numpy().tolist() == [
        ["E06000992", "suppressed", "Value suppressed for disclosure control"]
    ]
    # Its metadata say that low is good; the register says otherwise.
    assert [p.code for p in outcome.problems if p.level == "warning"] == ["polarity-differs"]
    assert "Fingertips 93088" in told(outcome)


def test_a_column_named_after_the_parent_is_known_by_any_name(
    council: Workspace, replay: Replay
) -> None:
    replay.parent = "Anyshire and Smallton NHS Integrated Care Board"
    assert "column" not in told(fetched(council, "fingertips"))


def test_pooled_years_of_an_indicator_declared_yearly_are_held_back(
    council: Workspace, tmp_path: Path
) -> None:
    register = council.parameters / "indicators.yml"
    text = register.read_text(encoding="utf-8")
    register.write_text(text.replace("accumulation: rolling, period_span: 3y, ", ""), "utf-8")
    path = tmp_path / "fingertips_93088.csv"
    path.write_bytes(fingertips_csv("93088", "Region"))
    outcome = import_files(council, [path], DAY)
    assert outcome.vintage is None
    assert {problem.code for problem in outcome.problems if problem.level == "error"} == {
        "period-length"
    }


@pytest.mark.parametrize("faults", [["503", "503"], ["429"], ["500", "slow"], ["short"]])
def test_a_service_that_stumbles_is_asked_again(
    council: Workspace, replay: Replay, faults: list[str]
) -> None:
    replay.script = [*faults]
    outcome = fetched(council, "lginform")
    assert not outcome.problems, told(outcome)
    assert len(replay.asked) == len(faults) + 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [("401", "web-key-refused"), ("403", "web-key-refused"), ("404", "web-refused")],
)
def test_a_refusal_is_not_tried_again(
    council: Workspace, replay: Replay, fault: str, code: str
) -> None:
    replay.script = [fault]
    with pytest.raises(PmfError) as caught:
        fetched(council, "lginform")
    assert [problem.code for problem in caught.value.problems] == [code]
    assert len(replay.asked) == 1 and not raw_copies(council)


def test_a_wrong_key_is_refused_in_plain_words(
    council: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMF_LGINFORM_KEY", "not-the-right-key")
    with pytest.raises(PmfError, match="the key is wrong") as caught:
        fetched(council, "lginform")
    assert caught.value.exit_code == 3 and "not-the-right-key" not in str(caught.value)


def test_without_a_key_nothing_is_asked(
    council: Workspace, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PMF_LGINFORM_KEY")
    with pytest.raises(PmfError, match="PMF_LGINFORM_KEY") as caught:
        fetched(council, "lginform")
    assert caught.value.exit_code == 2 and not replay.asked


def test_a_key_follows_no_redirect(council: Workspace, replay: Replay) -> None:
    with replaying() as other:
        replay.script, replay.elsewhere = ["redirect"], other.address.rstrip("/")
        with pytest.raises(PmfError, match="another address"):
            fetched(council, "lginform")
        assert not other.asked


@pytest.mark.parametrize(
    ("name", "fault", "why"),
    [
        ("lginform", "html", "this is a web page"),
        ("lginform", "other", "has no columns"),
        ("lginform", "cut", "damaged"),
        ("lginform", "empty", "empty"),
        ("lginform", "slow", "did not answer within"),
        ("lginform", "503", "status 503"),
        ("fingertips", "html", "this is a web page"),
        ("fingertips", "cut", "broke off"),
        ("fingertips", "short", "broke off"),
    ],
)
def test_what_is_no_answer_is_not_kept_and_the_older_copy_is_used(
    council: Workspace, replay: Replay, name: str, fault: str, why: str
) -> None:
    fetched(council, name, date(2026, 11, 3))
    before, copies = observed(council), raw_copies(council)
    replay.script = [fault] * 20
    patience = web.PATIENCE | {"seconds": 0.3, "attempts": 2, "wait": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web, "PATIENCE", patience)
        outcome = fetched(council, name)
    [*_, problem] = [p for p in outcome.problems if p.code == "web-older-copy"]
    assert "as fetched on 3 November 2026" in problem.line()
    assert re.search(why, problem.line()), problem.line()
    assert raw_copies(council) == copies
    pd.testing.assert_frame_equal(observed(council)[["value"]], before[["value"]])


def test_nobody_at_the_address_and_no_copy(
    council: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with replaying() as gone:
        address = gone.address
    monkeypatch.setenv("PMF_LGINFORM_URL", address)
    with pytest.raises(PmfError, match=r"cannot be reached.*no earlier one is kept") as caught:
        fetched(council, "lginform")
    assert caught.value.exit_code == 3


def test_who_does_not_answer_is_asked_once_for_all_files(
    council: Workspace, replay: Replay
) -> None:
    fetched(council, "lginform")
    replay.asked.clear()
    replay.script = ["503"] * 20
    assert told(fetched(council, "lginform")).count("as fetched on") == 2
    assert len(replay.asked) == PATIENCE["attempts"]


def test_a_damaged_copy_is_not_used(council: Workspace, replay: Replay) -> None:
    fetched(council, "lginform")
    raw_copies(council)[0].write_bytes(b"[]")
    replay.script = ["503"] * 20
    with pytest.raises(PmfError, match="damaged"):
        fetched(council, "lginform")


@pytest.mark.parametrize("address", ["http://example.org/", "ftp://127.0.0.1/", "//127.0.0.1/x"])
def test_an_address_without_tls_is_not_used(
    council: Workspace, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("PMF_LGINFORM_URL", address)
    with pytest.raises(PmfError, match="https://"):
        fetched(council, "lginform")


def test_an_answer_that_is_too_large_is_not_taken(
    council: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(web.PATIENCE, "most_bytes", 2000)
    with pytest.raises(PmfError, match="larger than pmf takes"):
        fetched(council, "lginform")


def test_the_connectors_read_what_their_sources_say(council: Workspace, replay: Replay) -> None:
    from pmf_analysis.systems.sources import FingertipsSource, LgInformSource

    one = LgInformSource(kind="lginform", metrics=(7,), areas=("A b", "C"), periods="latest:3")
    [file] = lginform.read(one, council, DAY)
    assert file.sheets[0].names[0] == "metricTypeIdentifier"
    two = FingertipsSource(kind="fingertips", indicators=(93088,), area_type=502, profile=19)
    fingertips.read(two, council, DAY)
    assert "profile_id=19" in replay.asked[1] and "by_profile_id?profile_id=19" in replay.asked[2]
    assert "metricType=7" in replay.asked[0] and "ApplicationKey" in replay.asked[0]


# No key in anything that is written


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_log_or_exception_of_the_client_holds_the_key(
    council: Workspace, replay: Replay, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    replay.script = ["503", "short", "echo"]
    fetched(council, "lginform")
    assert any(record.name.startswith("httpx") for record in caplog.records)
    assert KEY not in caplog.text
    replay.script = ["403"]
    with pytest.raises(PmfError) as caught:
        fetched(council, "lginform", date(2026, 11, 21))
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in repr(error) + str(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    assert KEY in "".join(replay.asked)  # or this test would prove nothing
    holding = [name for name, content in all_bytes(council.root).items() if KEY.encode() in content]
    assert holding == []


def test_no_file_or_stream_of_an_import_and_a_run_holds_the_key(
    council: Workspace, replay: Replay, repository: Path, tmp_path: Path
) -> None:
    """Everything that a failing and a succeeding import and a run write is searched."""
    shutil.copytree(repository / "notebooks", council.root / "notebooks")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    seen = []

    def pmf(*arguments: str) -> int:
        command = [sys.executable, "-m", "pmf_analysis.cli", *arguments]
        done = subprocess.run(
            command,
            cwd=council.root,
            env={
                **os.environ,
                "PMF_WORKSPACE": str(council.root),
                "TMPDIR": str(temporary),
                "PYTHONPATH": str(repository),
            },
            capture_output=True,
        )
        seen.extend([done.stdout, done.stderr])
        return done.returncode

    replay.script = ["401"]
    assert pmf("import", "--as", "our_lginform", "--as-at", "2026-11-20") == 3
    replay.script = ["503", "echo", "echo"]
    assert pmf("import", "--as", "our_lginform", "--as-at", "2026-11-20", "--json") == 0
    assert pmf("run", "run.yml") == 0, seen[-1].decode()
    written = all_bytes(council.root) | all_bytes(temporary)
    [report] = [text.decode() for name, text in written.items() if name.endswith("report.html")]
    assert "sign of an annual measure: Children in need per 10,000 (Children" in report
    assert any("/raw/lginform/" in name for name in written)
    assert b"key is wrong" in b"".join(seen)
    assert sum(KEY in path for path in replay.asked) >= 4
    assert [name for name, content in written.items() if KEY.encode() in content] == []
    assert KEY.encode() not in b"".join(seen)


def test_the_raw_zone_holds_what_came(council: Workspace) -> None:
    fetched(council, "fingertips")
    [path] = [path for path in raw_copies(council) if "93088" in path.name]
    kept = RawZone(council.store).newest("fingertips", path.name, DAY)
    assert kept == (fingertips_csv("93088", "North East region"), DAY)
