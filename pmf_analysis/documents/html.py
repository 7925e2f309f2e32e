"""Executed notebooks to report pages, by nbconvert with our own template; the page that joins them.

The page is made from the blocks a notebook has shown, never from its HTML, so that a report can be
rendered again after a change of template. Code, printed text, parameters and analysts' cells stay
behind; a failed cell stops the export. The same notebook gives the same bytes.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import get_ident
from typing import Any

from jinja2 import Environment, FileSystemLoader
from lxml.html import HtmlElement, fragments_fromstring, tostring
from markupsafe import Markup
from nbconvert.exporters.html import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets import List, Unicode

from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems
from pmf_analysis.story import bank, blocks, rendering
from pmf_analysis.story.facts import dated

TEMPLATES = Path(__file__).parent / "templates"
HIDDEN_TAGS = frozenset({"parameters", "injected-parameters", "setup", "analyst"})
_QUIET = re.compile(r"text/plain|application/vnd\.jupyter\.widget.*")
# Verdicts that have a column in every run, and those that have one where any series has them.
_ALWAYS = ("improving", "worsening", "no_clear_change", "cannot_judge")
_UNRATED = ("rising", "falling", "higher", "lower")
_FURTHER = ("better", "worse", *_UNRATED, "no_status")


@dataclass
class Section:
    """A part of the page under its own heading; ``findings`` are ids and titles for contents."""

    id: str
    heading: str
    parts: list[str] = field(default_factory=list)
    findings: list[tuple[str, str]] = field(default_factory=list)

    @property
    def html(self) -> Markup:
        """The section's content; every part of it has been escaped where it was made."""
        return Markup("\n".join(self.parts))


class PmfHtmlExporter(HTMLExporter):
    """nbconvert exporter ``pmf-html``: a report page without code, scripts or outside requests."""

    export_from_notebook = "Report (pmf)"

    template_name = Unicode("pmf").tag(config=True, affects_template=True)
    extra_template_basedirs = List([str(TEMPLATES)]).tag(config=True, affects_environment=True)

    def _create_environment(self) -> Any:
        environment = super()._create_environment()  # type: ignore[no-untyped-call]
        environment.autoescape = True
        environment.trim_blocks = environment.lstrip_blocks = True
        return environment

    def from_notebook_node(  # type: ignore[override]  # as HTMLExporter itself does
        self, nb: Any, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the page and nbconvert's resources.

        ``resources["pmf"]`` goes before the notebook's metadata ``pmf``; see :func:`render_report`.

        Raises
        ------
        PmfError
            When a cell has failed, or shows something that is not a block.
        """
        resources = self._init_resources(resources)  # type: ignore[no-untyped-call]
        known = {**nb.metadata.get("pmf", {}), **(resources.get("pmf") or {})}
        resources["pmf_page"] = make_page(known, *_sections(nb))
        # HTMLExporter's own method is passed over: it sends the page through BeautifulSoup, which
        # lower-cases SVG names (viewBox), and the pictures are then no SVG for any other reader.
        # Cells stay behind, because nbconvert would copy and check all that is in the page already.
        shell = NotebookNode({**nb, "cells": []})  # type: ignore[no-untyped-call]
        page, resources = super(HTMLExporter, self).from_notebook_node(shell, resources, **kw)
        return page.strip() + "\n", resources


def render_report(notebook: Any, *, meta: Mapping[str, Any] | None = None) -> str:
    """Return the report page of an executed notebook.

    Parameters
    ----------
    notebook
        An nbformat node; it is not changed.
    meta
        What the page says of itself, before the notebook's metadata ``pmf``: council, notice,
        theme and analysis (or title), period (its long label), as_at (a date, or ISO text),
        content_hash (made from the content when absent), results, home (links), contact, lang.

    Raises
    ------
    PmfError
        When a cell has failed, shows something that is not a block, or repeats a block's id.
    """
    return _exporter(get_ident()).from_notebook_node(notebook, {"pmf": dict(meta or {})})[0]


@lru_cache(maxsize=64)
def _exporter(thread: int) -> PmfHtmlExporter:
    """Return the exporter of a thread, which compiles its templates once."""
    return PmfHtmlExporter()  # type: ignore[no-untyped-call]  # nbconvert is half typed


def make_page(
    known: Mapping[str, Any], sections: list[Section], own_title: str = ""
) -> dict[str, Any]:
    """Return what the layout shows around and with the sections; empty texts are left out there.

    Its hash is of facts and sections, so it is no clock.
    """
    joined = ": ".join(str(known[key]) for key in ("theme", "analysis") if known.get(key))
    names = ("council", "notice", "period", "results", "home", "contact")
    facts = {name: str(known.get(name) or "") for name in names}
    facts["title"] = str(known.get("title") or joined or own_title or "Performance report")
    facts["as_at"] = dated(str(known.get("as_at") or "").partition("T")[0])
    facts["council"] = facts["council"] or "Performance report"
    content = "\n".join([*sorted(facts.values()), *(part.html for part in sections)])
    digest = known.get("content_hash") or hashlib.sha256(content.encode()).hexdigest()
    facts |= {"lang": str(known.get("lang") or "en-GB"), "content_hash": str(digest)[:12]}
    return {**facts, "sections": sections}


def _sections(notebook: Any) -> tuple[list[Section], str]:
    """Return the sections of a notebook, and the text of its first-level heading."""
    sections, title, problems = [Section("start", "")], "", Problems()
    counts = Counter[str]()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                what, why = output.get("ename", "an error"), output.get("evalue", "")
                problems.tell("cell-failed", cell=cell.get("id", ""), what=what, why=why)
        if HIDDEN_TAGS & set(cell.metadata.get("tags", ())):
            continue
        if cell.cell_type == "markdown":
            title = _add_markdown(cell.source, sections) or title
        for block in _blocks(cell, problems):
            counts.update((block.kind, f"#{block.id}"))
            if counts[f"#{block.id}"] > 1:
                problems.tell("block-id-repeated", cell=cell.get("id", ""), id=block.id)
            section, is_numbered = sections[-1], block.kind in ("figure", "table")
            if block.kind == "finding" and block.title:
                section.findings.append((block.id, block.title))
            number, level = counts[block.kind] if is_numbered else None, 3 if section.heading else 2
            section.parts.append(rendering.block_html(block, number=number, level=level))
    problems.raise_if_errors(EXIT_DATA_UNUSABLE)
    return [part for part in sections if part.heading or part.parts], title


def _add_markdown(source: str, sections: list[Section]) -> str:
    """Add a markdown cell, a new section at each second-level heading; return its first-level one.

    Text under a first-level heading, which the page's band replaces, begins the page in large.
    """
    renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
    title = ""
    for node in fragments_fromstring(MarkdownWithMath(renderer=renderer).render(source) or "<p>"):
        if not isinstance(node, HtmlElement):
            continue
        words, node.tail = " ".join(node.text_content().split()), None
        node.attrib.pop("id", None)
        if node.tag == "h1":
            title = words
        elif node.tag == "h2":
            sections.append(Section(_new_id(words, sections), words))
        elif words or len(node):
            if node.tag == "p" and title and not sections[-1].parts and not sections[-1].heading:
                node.set("class", "lede")
            sections[-1].parts.append(tostring(node, encoding="unicode"))
    return title


def _new_id(heading: str, sections: list[Section]) -> str:
    base = "part-" + (re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "of-report")
    taken = sum(part.id == base or part.id.startswith(f"{base}--") for part in sections)
    return f"{base}--{taken + 1}" if taken else base


def _blocks(cell: Any, problems: Problems) -> Iterator[blocks.Block]:
    """Yield the blocks a cell shows; printed text and bare values are passed over."""
    for output in cell.get("outputs", ()):
        shown = output.get("data", {})
        if blocks.BLOCK_MIME in shown:
            try:
                yield blocks.Block.from_json(shown[blocks.BLOCK_MIME])
            except PmfError as error:
                problems.extend(error.problems)
        elif any(not _QUIET.fullmatch(mime) for mime in shown):
            problems.tell("output-not-a-block", cell=cell.get("id", ""))


# The page that joins the reports of a run


def render_index(run: Mapping[str, Any]) -> str:
    """Return the index page of a run; it holds no run id and no clock.

    Parameters
    ----------
    run
        ``council, notice, title, period, as_at, content_hash, contact`` as for a report;
        ``themes`` and ``analyses``: lists of ``id`` and ``title``, in order;
        ``reports``: a list of ``theme, analysis`` (ids), ``status`` (Made, Failed, ...),
        ``href`` where it was made, ``reason`` where it was not;
        ``summary``: by theme id, how many series are improving, worsening, no_clear_change,
        cannot_judge and whatever else a trends page shows as a status;
        ``portfolio``: how many targets would be met, as HTML that was escaped where it was made;
        ``rows``: read, accepted, quarantined, ignored;
        ``problems``: how many of each level (error, warning, info);
        ``problems_href``: link to all of them.

    Raises
    ------
    PmfError
        When rows read are not those accepted, quarantined and ignored: then some were lost.
    """
    rows, summary = run["rows"], run["summary"]
    if rows["read"] != rows["accepted"] + rows["quarantined"] + rows["ignored"]:
        raise PmfError(Problem.of("rows-lost"), EXIT_DATA_UNUSABLE)
    headings = {"themes": "Themes", "reports": "Reports", "data": "Data"}
    headings |= {"targets": "Targets"} if run.get("portfolio") else {}
    sections = [Section(id, heading) for id, heading in headings.items()]
    found = {verdict for counts in summary.values() for verdict, n in counts.items() if n}
    words = bank.words_of("status") | bank.words_of("level_status")
    words |= {code: f"{words[code]}, not rated" for code in _UNRATED}
    verdicts = [*_ALWAYS, *(code for code in _FURTHER if code in found)]
    loader = FileSystemLoader(TEMPLATES / "pmf")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    reports = {(report["theme"], report["analysis"]): report for report in run["reports"]}
    shown = {"reports": reports, "verdicts": {code: words[code] for code in verdicts}}
    page = make_page({"title": "Performance reports", **run}, sections)
    text = environment.get_template("run.html.j2").render({**run, **shown}, page=page)
    return text.strip() + "\n"
