"""Executed notebooks as structured reports: what every kind of document is made from.

A report is made from the blocks a notebook has shown, never from its HTML, so that it can be made
again after a change of template. Code, printed text, parameters and analysts' cells stay behind; a
failed cell stops the reading.
"""

import hashlib
import json
import re
from collections import ChainMap, Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import nbformat
from lxml.html import HtmlElement, fragments_fromstring, tostring
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problems
from pmf_analysis.story import bank, blocks, rendering
from pmf_analysis.story.facts import dated

HIDDEN_TAGS = frozenset({"parameters", "injected-parameters", "setup", "analyst"})
_QUIET = re.compile(r"text/plain|application/vnd\.(jupyter\.widget.*|pmf\.page\+json)")
# What open_run leaves in a notebook, and the parts of a brand that are more than text.
_TOLD = ("council", "notice", "theme", "analysis", "period", "as_at", "brand", "wording")
_COLOUR, _LOGO = "#[0-9a-fA-F]{6}", r"data:image/(png|svg\+xml);base64,[\w+/=]*"
_SAFE = {"colour": _COLOUR, "ink": _COLOUR, "logo": _LOGO, "licence_url": r"https://[^\s\"<>]+"}


@dataclass(frozen=True)
class Shown:
    """A block in its place: its number among figures or tables, and its title's heading level."""

    block: blocks.Block
    number: int | None = None
    level: int = 3

    @cached_property
    def html(self) -> str:
        """The block as HTML; every text of it is escaped."""
        return rendering.block_html(self.block, number=self.number, level=self.level)


@dataclass(frozen=True)
class Prose:
    """Text of a notebook's own markdown as HTML: paragraphs and lists, no raw HTML."""

    html: Markup


@dataclass
class Section:
    """A part of the report under its own heading."""

    id: str
    heading: str
    parts: list[Shown | Prose] = field(default_factory=list)

    @property
    def findings(self) -> list[tuple[str, str]]:
        """Ids and titles of the findings, for contents."""
        blocks_ = (part.block for part in self.parts if isinstance(part, Shown))
        return [(each.id, each.title) for each in blocks_ if each.kind == "finding" and each.title]

    @property
    def html(self) -> Markup:
        """The section's content; every part of it has been escaped where it was made."""
        return Markup("\n".join(part.html for part in self.parts))


@dataclass(frozen=True)
class Report:
    """What a document says of itself (see :func:`report_facts`), and its sections in order."""

    facts: dict[str, Any]
    sections: list[Section]

    @property
    def shown(self) -> list[Shown]:
        """All blocks, in order."""
        parts = (part for section in self.sections for part in section.parts)
        return [part for part in parts if isinstance(part, Shown)]


def read_report(notebook: Any, known: Mapping[str, Any] | None = None) -> Report:
    """Return the report that an executed notebook holds.

    Parameters
    ----------
    notebook
        An nbformat node; it is not changed.
    known
        What the report says of itself, before the notebook's metadata ``pmf`` and what
        ``open_run`` has left in it.

    What is said from here on is said in the language of the notebook's blocks, with the council's
    own words where ``wording`` is known.

    Raises
    ------
    PmfError
        When a cell has failed, shows something that is not a block, or repeats a block's id.
    """
    notebook, known = _whole(notebook), _whole(known or {})
    page: Mapping[str, Any] = next(_outputs(notebook, blocks.PAGE_MIME), {})
    told = {name: page[name] for name in _TOLD if name in page}
    facts = {**told, **notebook.metadata.get("pmf", {}), **known}
    bank.speak(_language(notebook), facts.get("wording"))
    sections, title = _sections(notebook)
    return Report(report_facts(facts, sections, title), sections)


def _whole(told: Any) -> Any:
    """Return what was told, with a sign in place of halves of characters, which no file holds."""
    text = json.dumps(told, ensure_ascii=False, default=str)
    whole = rendering.HALF.sub("\ufffd", text)
    made: Any = nbformat.from_dict  # untyped
    return told if whole == text else made(json.loads(whole))


def report_facts(
    known: Mapping[str, Any], sections: list[Section], own_title: str = ""
) -> dict[str, Any]:
    """Return what a document says around its sections; texts that are not known are empty.

    ``known`` may hold council, notice, theme and analysis (or title), period (its long label),
    as_at (a date, or ISO text), content_hash (made from facts and sections when absent, so that it
    is no clock), results, home (links), contact, lang, brand; asides (parts in other languages);
    and lists of links, each of href and label: trail (where the document stands), sisters, copies.
    """
    joined = ": ".join(str(known[key]) for key in ("theme", "analysis") if known.get(key))
    names = ("council", "notice", "period", "results", "home")
    facts: dict[str, Any] = {name: str(known.get(name) or "") for name in names}
    given = {name: str(value) for name, value in (known.get("brand") or {}).items()}
    safe = {name: re.fullmatch(_SAFE.get(name, "(?s:.*)"), given[name]) for name in given}
    brand = {name: value if safe[name] else "" for name, value in given.items()}
    facts["contact"] = str(known.get("contact") or brand.get("contact") or "")
    facts["title"] = str(known.get("title") or joined or own_title or bank.say("page.title"))
    facts["period"] = bank.inflected("labels", facts["period"])
    facts["as_at"] = dated(str(known.get("as_at") or "").partition("T")[0])
    facts["council"] = facts["council"] or bank.say("page.title")
    facts["here"] = str(known.get("analysis") or facts["title"])
    content = "\n".join([*sorted(facts.values()), *(part.html for part in sections)])
    digest = known.get("content_hash") or hashlib.sha256(content.encode()).hexdigest()
    lang = {"en": "en-GB"}.get(bank.language(), bank.language())
    facts |= {"lang": str(known.get("lang") or lang), "content_hash": str(digest)[:12]}
    facts |= {name: list(known.get(name) or ()) for name in ("trail", "sisters", "copies")}
    parts = (part for section in sections for part in section.parts if isinstance(part, Shown))
    asides = ChainMap(known.get("asides") or {}, *(dict(each.block.asides) for each in parts))
    return {**facts, "brand": brand, "asides": dict(asides)}


def _language(notebook: Any) -> str:
    """Return the language of a notebook's first block."""
    block: Mapping[str, Any] = next(_outputs(notebook, blocks.BLOCK_MIME), {})
    return str(block.get("lang", "en"))


def _outputs(notebook: Any, mime: str) -> Iterator[Any]:
    """Yield what the cells of a notebook show of a kind."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    found = (output.get("data", {}).get(mime) for output in outputs)
    return filter(None, found)


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
            told = bank.stored(f"grammar_{bank.language()}.yml")["prose"]
            source = "\n\n".join(told.get(each, each) for each in cell.source.split("\n\n"))
            title = _add_markdown(source, sections) or title
        for block in _blocks(cell, problems):
            counts.update((block.kind, f"#{block.id}"))
            if counts[f"#{block.id}"] > 1:
                problems.tell("block-id-repeated", cell=cell.get("id", ""), id=block.id)
            number = counts[block.kind] if block.kind in ("figure", "table") else None
            found = (id.removeprefix("finding") for id, _ in sections[-1].findings)
            is_of_finding = block.kind == "figure" and block.id.endswith(tuple(found))
            level = (3 if sections[-1].heading else 2) + is_of_finding
            sections[-1].parts.append(Shown(block, number, level))
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
            sections[-1].parts.append(Prose(Markup(tostring(node, encoding="unicode"))))
    return title


def _new_id(heading: str, sections: list[Section]) -> str:
    """Return an id made from a heading's words, those of the notebook in every language."""
    told = bank.stored(f"grammar_{bank.language()}.yml")["prose"].items()
    heading = {there: here for here, there in told}.get(f"## {heading}", heading)
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
