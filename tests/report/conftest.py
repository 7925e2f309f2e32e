"""Folders of built pages for the report tests: a small one made here, and any that is named.

``PMF_REPORTS`` may name further folders (separated as in PATH); every ``.html`` below them is then
held to the same rules. ``PMF_REQUIRE_BROWSER=1`` makes a missing Chromium a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat.v4 as v4
import numpy as np
import pandas as pd
import pytest

from pmf_analysis.documents.html import render_index, render_report
from pmf_analysis.parameters.brand import ink_on
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.dots import draw_dots
from pmf_analysis.story.facts import ComparisonFacts
from pmf_analysis.story.figures import Subject
from pmf_analysis.story.spc import draw_spc
from pmf_analysis.story.strip import (
    Panel,
    StripRow,
    draw_gap,
    draw_multiples,
    draw_spark,
    draw_strip,
)

META = {
    "council": "Westshire Council",
    "notice": "Westshire is a fictional council. Its figures are made up.",
    "period": "Quarter 2 (July to September) 2026-27",
    "as_at": "2026-10-31",
}
COLOUR = "#e8b500"  # a council's own, on which white cannot be read
WORDS = {"improving": "Improving", "worsening": "Worsening", "no_clear_change": "No clear change"}
_SHOWN = list(enumerate([*WORDS.items(), *WORDS.items()], start=1))
QUANTILES = (5, 10, 25, 40, 50, 55, 60, 70, 75, 90, 95)


def _strip_row(title: str, own: float, rank: int, verdict: str, peers: list[float]) -> StripRow:
    named = {"short_title": title, "polarity": "higher", "unit": "%", "decimals": 1}
    quartiles = {"peer_q1": 39.0, "peer_q3": 44.0, "peer_median": 41.5}
    row = {"value": own, **quartiles, "rank": rank, "rank_of": 16, "verdict": verdict}
    return StripRow(ComparisonFacts.of(row, Subject.of(named, "Us")), peers)


def _points() -> pd.DataFrame:
    values = 40 + np.random.default_rng(7).normal(0, 1.2, 26)
    values[-6:] += 3
    return pd.DataFrame(
        {
            "period": pd.date_range("2020-04-01", periods=26, freq="QS"),
            "value": values,
            "status": ["final"] * 25 + ["provisional"],
            "segment": 0,
            "mean": 40.0,
            "lower_limit": 37.0,
            "upper_limit": 43.0,
            "point_type": np.where(values > 42, "special_cause_improvement", "common_cause"),
            "target": 44.0,
            "peer_median": 45 + np.arange(26) * 0.05,
        }
    )


def _fan(points: pd.DataFrame) -> pd.DataFrame:
    starts = pd.date_range("2026-10-01", periods=6, freq="QS")
    last = float(points["value"].iloc[-1])
    spread = np.sqrt(np.arange(1, 7))
    quantiles = {f"q{q:02d}": last + spread * (q - 50) / 40 for q in QUANTILES}
    return pd.DataFrame({"period": starts, **quantiles})


def _table(caption: str, rows: list[tuple[str, str]]) -> Table:
    columns = (Column("a", "Period"), Column("b", "Value", "right", "number"))
    return Table(caption, columns, tuple({"a": a, "b": b} for a, b in rows))


def _figure(id: str, title: str, svg: str, rows: list[tuple[str, str]]) -> Block:
    return Block(
        "figure",
        id,
        title,
        subtitle="Household waste recycled or composted, Westshire, April 2020 to September 2026",
        alt=f"{title}. The newest of {len(rows)} values is {rows[-1][1]}.",
        svg=svg,
        table=_table(f"{title}, data", rows),
        source="WasteDataFlow",
    )


def _events(points: pd.DataFrame) -> pd.DataFrame:
    kinds = ["definition", "exceptional", "annotation", "suggested_step", "restatement"]
    starts = points["period"].iloc[[4, 8, 9, 20, 24]]
    rows = {"period": starts, "until": starts + pd.DateOffset(months=6), "kind": kinds}
    return pd.DataFrame({**rows, "number": range(1, 6)})


def _blocks() -> list[Block]:
    points, unit = _points(), {"unit": "%", "decimals": 1}
    rows = [
        (f"{p:%B %Y}", f"{v:.1f}%") for p, v in zip(points["period"], points["value"], strict=True)
    ]
    series = Subject.of({**unit, "polarity": "higher", "frequency": "quarterly"}, "Us")
    spc = draw_spc(points, series, id="spc", forecast=_fan(points))
    told = draw_spc(points, series, id="told", events=_events(points))
    named = points.assign(period_label=[label for label, _ in rows])
    panels = [Panel(f"Indicator {n}", "39.8%", code, named, word) for n, (code, word) in _SHOWN]
    peers = list(np.linspace(36, 47, 15))
    strip_rows = [
        _strip_row(title, own, rank, verdict, peers)
        for title, own, rank, verdict in [
            ("Household recycling", 37.0, 15, "worse"),
            ("Fly-tipping cleared within a day", 46.0, 2, "better"),
        ]
    ]
    dots = [39 + i * 0.4 for i in range(20)]
    return [
        _figure("figure-spc", "Recycling has risen but 44% is unlikely", spc, rows),
        _figure(
            "figure-strip", "Recycling is lower than most", draw_strip(strip_rows, id="strip"), rows
        ),
        _figure(
            "figure-dots",
            "About 7 in 20 outcomes reach the target",
            draw_dots(dots, target=44.0, better="higher", id="dots", **unit),  # type: ignore[arg-type]
            rows,
        ),
        _figure("figure-events", "A contract started in October 2025", told, rows),
        _figure("overview", "Every trend", draw_multiples(panels, id="overview"), rows),
        _figure("figure-gap", "The gap is steady", draw_gap(points, series, id="gap"), rows),
    ]


def _key_figures() -> Block:
    columns = (
        Column("name", "Indicator"),
        Column("trend", "Trend", kind="spark"),
        Column("value", "Latest", "right", "number"),
        Column("change", "Change", kind="status"),
        Column("chance", "Chance of meeting the target"),
    )
    rows = tuple(
        {
            "name": f"Household recycling in area {number}",
            "trend": draw_spark(list(_points()["value"]), 37, 43, id=f"spark-{number}"),
            "value": "39.8%",
            "change": verdict,
            "chance": "" if number == 1 else "Around 1 in 6",
        }
        for number, verdict in enumerate(WORDS)
    )
    table = Table("Place, quarter 2 2026-27", columns, rows, WORDS)
    return Block("table", "key-figures", "Key figures", table=table)


def make_notebook() -> Any:
    """An executed notebook with every kind of block, as a run leaves it."""

    def cell(*blocks: Block) -> Any:
        outputs = [v4.new_output("display_data", data=each._repr_mimebundle_()) for each in blocks]
        return v4.new_code_cell("show(blocks)", outputs=outputs)

    findings = [
        Block(
            "finding", f"finding-{tone or 'plain'}", "1 of 3 has improved", text=("A.",), tone=tone
        )
        for tone in ("", "better", "worse", "neutral")
    ]
    note = Block("note", "reading", "Chances are estimates", text=("They are not promises.",))
    cells = [
        v4.new_markdown_cell("# Trends\n\nWhich indicators have really changed?"),
        v4.new_markdown_cell("## At a glance"),
        cell(*findings, _key_figures()),
        v4.new_markdown_cell("## Pictures\n\nSee [how to read](https://example.org/guide)."),
        cell(*_blocks()),
        v4.new_markdown_cell("## How to read this report"),
        cell(note),
    ]
    return v4.new_notebook(cells=cells)


def _write_sample(folder: Path) -> None:
    about = META | {"theme": "Place", "analysis": "Trends", "results": "results.csv"}
    report = render_report(make_notebook(), meta=about | {"home": "index.html"})
    (folder / "report.html").write_text(report, encoding="utf-8")
    own = about | {"brand": {"colour": COLOUR, "ink": ink_on(COLOUR)}}
    branded = render_report(make_notebook(), meta=own)
    (folder / "branded.html").write_text(branded, encoding="utf-8")
    place, trends = {"id": "place", "title": "Place"}, {"id": "trends", "title": "Trends"}
    made = {"theme": "place", "analysis": "trends", "status": "made", "href": "report.html"}
    run = META | {
        "themes": [place],
        "analyses": [trends],
        "reports": [made],
        "summary": {"place": {"improving": 1, "worsening": 1, "no_clear_change": 1}},
        "rows": {"read": 78, "accepted": 78, "quarantined": 0, "ignored": 0},
        "problems": {},
        "problems_href": "problems.csv",
    }
    (folder / "index.html").write_text(render_index(run), encoding="utf-8")


@pytest.fixture(scope="session")
def report_pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every page of the sample and of the folders in ``PMF_REPORTS``."""
    sample = tmp_path_factory.mktemp("reports")
    _write_sample(sample)
    named = [Path(name) for name in os.environ.get("PMF_REPORTS", "").split(os.pathsep) if name]
    pages = [page for folder in (sample, *named) for page in sorted(folder.rglob("*.html"))]
    assert len(pages) > 1
    return pages


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium of the machine; nothing is downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome", "msedge")
    program = os.environ.get("PMF_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if program is None:
        reason = "no Chromium found: install chromium, or name one in PMF_CHROMIUM"
        if os.environ.get("PMF_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
