"""National frameworks: those that ship, files that make one, references and what is covered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pmf_analysis import cli
from pmf_analysis.parameters.frameworks import SHIPPED, Frameworks, MetricFramework
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError, Problems
from pmf_analysis.systems.frameworks import coverage_of, import_framework

DAY = date(2026, 11, 20)
# A page as a browser saves it, with an outcome to come, a placeholder, a list in a list, and menus.
PAGE = """<!DOCTYPE html><html><head><script>alert(1)</script></head><body>
<nav><h2>Menu</h2><ul><li>Home</li></ul></nav>
<h1>Local Outcomes Framework: metrics</h1>
<h2>1. Housing supply</h2><p>Metrics will be confirmed.</p>
<h2>2. Homelessness &amp; rough sleeping</h2>
<h3>Outcome metrics</h3><ul>
<li>Number of families in B&amp;B over 6 weeks (<a href="https://example.org/h-clic">MHCLG</a>)</li>
<li>Share of duties prevented (<a href="https://example.org/a">MHCLG</a>) by cohort
  <ul><li>Households with several needs [Placeholder]</li></ul></li>
</ul>
<h3>Output metrics</h3><p>No output metrics included.</p>
<h2>3. Environment</h2>
<p><strong>Outcome metrics</strong></p>
<ul><li><a href="https://example.org/r">Recycling rate</a> (Defra)</li></ul>
<p><strong>Output metrics</strong></p>
<ul><li>Fly-tipping enforcement <a href="javascript:alert(1)">WasteDataFlow</a></li>
<li>Number of families in B&amp;B over 6 weeks (<a href="https://example.org/x">MHCLG</a>)</li></ul>
<h2>Support links</h2><ul><li>Cookies</li></ul></body></html>"""


def made(workspace: Workspace, path: Path, content: str | bytes) -> MetricFramework:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    framework, _ = import_framework(path, workspace, DAY)
    read = Frameworks(workspace.parameters, problems := Problems()).get(framework.name)
    assert read == framework, problems  # what was written is read again
    return framework


def register(workspace: Workspace, **settings: str) -> None:
    """Give the first indicator, PCT, some settings."""
    path = workspace.parameters / "indicators.yml"
    lines = "".join(f"    {name}: {text}\n" for name, text in settings.items())
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("  - id: PCT\n", f"  - id: PCT\n{lines}"), encoding="utf-8")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yml")), ids=lambda path: path.stem)
def test_a_shipped_framework_is_sound(path: Path) -> None:
    problems = Problems()
    framework = Frameworks(Path("nowhere"), problems).get(path.stem.upper())
    assert framework and not problems and framework.name == path.stem.upper()
    ids = [metric.id for metric in framework.metrics]
    assert len(ids) == len(set(ids)) and framework.edition
    assert framework.note  # says what is not certain


def test_the_catalogue_page_becomes_a_framework(workspace: Workspace, tmp_path: Path) -> None:
    framework = made(workspace, tmp_path / "page.html", PAGE)
    rows = [(m.group, m.kind, m.id, m.source, m.is_placeholder) for m in framework.metrics]
    homeless = "Homelessness & rough sleeping"
    assert rows == [
        (homeless, "outcome", "number-of-families-in-b-b-over-6-weeks", "MHCLG", False),
        (homeless, "outcome", "share-of-duties-prevented-by-cohort", "MHCLG", False),
        (homeless, "outcome", "households-with-several-needs", "", True),
        ("Environment", "outcome", "recycling-rate-defra", "", False),
        ("Environment", "output", "fly-tipping-enforcement", "WasteDataFlow", False),
    ]
    assert framework.metrics[0].source_url == "https://example.org/h-clic"
    assert framework.metrics[4].source_url == ""  # no address but of a page
    assert framework.read_on == DAY and len(framework.sha256) == 64
    assert framework.file == "page.html"


def test_the_shipped_framework_and_the_page_agree_on_ids(
    workspace: Workspace, tmp_path: Path
) -> None:
    shipped = Frameworks(workspace.parameters, Problems()).get("LOF")
    assert shipped is not None
    items = "".join(f"<li>{m.title.replace('&', '&amp;')}</li>" for m in shipped.metrics)
    page = f"<html><h2>1. All</h2><h3>Outcome metrics</h3><ul>{items}</ul></html>"
    read = made(workspace, tmp_path / "page.html", page)
    assert [m.id for m in read.metrics] == [m.id for m in shipped.metrics]


def test_titles_that_begin_alike_are_all_kept(workspace: Workspace, tmp_path: Path) -> None:
    words = "A very long title of a measure that goes on and on before it says what it is"
    page = "<h2>1. A</h2><h3>Outcome metrics</h3><ul><li>{0} one</li><li>{0} two</li></ul>"
    read = made(workspace, tmp_path / "page.html", page.format(words))
    assert len(read.metrics) == 2


@pytest.mark.parametrize(
    "content",
    [
        "<html><body><p>Nothing here</p></body></html>",
        "<",
        "a,b\n1,2\n",
        "<html>" + "<div>" * 50_000 + "</html>",
        '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><html>&c;</html>',
        b"%PDF-1.7",
        b"\x00\x01<html>",
    ],
    ids=["no metric", "a sign", "another table", "deep", "entities", "pdf", "bytes"],
)
def test_what_is_no_framework_is_refused_in_plain_words(
    workspace: Workspace, tmp_path: Path, content: str | bytes
) -> None:
    with pytest.raises(PmfError) as caught:
        made(workspace, tmp_path / "x.html", content)
    assert caught.value.exit_code == 3
    assert not list((workspace.parameters / "frameworks").glob("*"))


def test_hostile_text_stays_text(workspace: Workspace, tmp_path: Path) -> None:
    title = "=cmd|' /C calc'!A0: &quot;{x}&quot; # !!python/object \u202e evil"
    page = f"<h2>1. A: b # c</h2><h3>Outcome metrics</h3><ul><li>{title}</li></ul>"
    [metric] = made(workspace, tmp_path / "page.html", page).metrics
    assert "\u202e" not in metric.title and metric.title.startswith("=cmd|")


METADATA = (
    "Indicator ID,Indicator,Indicator number,Frequency,Polarity,Rationale\n"
    '93088,"C16 - Overweight adults",C16,Annual,RAG - Low is good   ,"Long, with commas"\n'
    "90366,Life expectancy,A01b,Annual,RAG - High is good,\n"
    "108,No number,,Annual,BOB - Blue orange blue,\n"
)


def test_metadata_of_fingertips_make_phof_and_show_contradictions(
    workspace: Workspace, tmp_path: Path
) -> None:
    register(workspace, polarity="higher", aliases='["Fingertips 93088"]')
    text = (workspace.parameters / "indicators.yml").read_text(encoding="utf-8")
    (workspace.parameters / "indicators.yml").write_text(
        text.replace("    aliases: [old pct]\n", ""), encoding="utf-8"
    )
    path = tmp_path / "metadata.csv"
    path.write_text(METADATA, encoding="utf-8")
    framework, problems = import_framework(path, workspace, DAY)
    found = [(m.id, m.polarity, m.alias, m.period) for m in framework.metrics]
    assert found == [
        ("C16", "lower", "Fingertips 93088", "Annual"),
        ("A01b", "higher", "Fingertips 90366", "Annual"),
        ("108", "none", "Fingertips 108", "Annual"),
    ]
    assert [(p.code, p.indicator) for p in problems] == [("polarity-differs", "PCT")]
    [(_, row)] = [
        (m["id"], m) for m in coverage_of(workspace, "PHOF")[0]["PHOF"] if m["indicators"]
    ]
    assert row["indicators"] == ["PCT"]


def test_metrics_of_esd_standards_are_added_one_file_at_a_time(
    workspace: Workspace, tmp_path: Path
) -> None:
    text = (
        "Identifier,Label,Polarity,Collection,Mapped type,Mapped label\n"
        "{id},Metric {id},{polarity},Collection A,Service,Bins\n"
        "{id},Metric {id},{polarity},Collection A,Period,Financial year\n"
    )
    for id, polarity in (("4282", "Low value is good"), ("11", "Not a word we know")):
        content = text.format(id=id, polarity=polarity)
        framework = made(workspace, tmp_path / f"{id}.csv", content)
    found = [(m.id, m.title, m.polarity, m.period, m.alias) for m in framework.metrics]
    assert found == [
        ("4282", "Metric 4282", "lower", "Financial year", "LG Inform 4282"),
        ("11", "Metric 11", "unknown", "Financial year", "LG Inform 11"),
    ]


@pytest.mark.parametrize(
    ("refs", "said"),
    [
        ("[ASCOF, LOF]", []),
        ('["ASCOF:2A", "PHOF:C16"]', []),
        ("[ASKOF]", ['framework "ASKOF" is not known', 'Did you mean "ASCOF"']),
        ('["SAFEGUARDING:CPP-SECONDS"]', ["CPP-SECONDS", 'Did you mean "CPP-SECOND"']),
        ('["LOF:number of families in b&b over 6 weeks"]', ["Did you mean", "amilies"]),
    ],
)
def test_references_that_nobody_knows_are_a_warning(
    workspace: Workspace, refs: str, said: list[str]
) -> None:
    register(workspace, framework_refs=refs)
    found = [p for p in workspace.load().problems if p.code.startswith("unknown-")]
    assert bool(found) == bool(said)
    for problem in found:
        assert problem.level == "warning" and problem.row
        assert all(words in problem.line() for words in said), problem.line()


def test_an_in_year_indicator_is_tied_to_an_annual_metric(workspace: Workspace) -> None:
    register(workspace, leads_to='"ASCOF:2B"')
    parameters = workspace.load()
    tied = parameters.register.indicators["PCT"].leads_to
    assert tied.startswith("Adults aged 18 to 64") and "Adult Social Care Outcomes" in tied
    assert any(name.endswith("ascof.yml") for name in parameters.files)
    rows = {row["id"]: row for row in coverage_of(workspace, "ascof")[0]["ASCOF"]}
    assert rows["2B"]["leading"] == ["PCT"] and rows["2B"]["indicators"] == []


def test_the_commands_list_and_read(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--workspace", str(workspace.root)]
    register(workspace, framework_refs='["SAFEGUARDING:CIN-RATE", LOF]')
    assert cli.main(["register", "frameworks", *where]) == 0
    shown = capsys.readouterr().out
    assert "SAFEGUARDING: Children's safeguarding" in shown
    assert "1 of 26 metrics have an indicator" in shown and "1 more name no metric" in shown
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    assert cli.main(["register", "framework", str(tmp_path / "page.html"), *where]) == 0
    assert "LOF: 5 metrics" in capsys.readouterr().out
    assert cli.main(["register", "frameworks", "LOF", *where]) == 0
    assert "recycling-rate-defra Recycling rate (Defra): no indicator" in capsys.readouterr().out
    assert cli.main(["register", "frameworks", "PHOFF", *where]) == 2
    assert 'Did you mean "PHOF"' in capsys.readouterr().err
