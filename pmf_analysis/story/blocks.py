"""Blocks: the pieces a report is made of, as data that every kind of document can read.

A notebook shows blocks; JupyterLab draws their HTML, a terminal prints their text, and our
exporters read the structured form, so that no document is ever scraped from another.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

from pmf_analysis.parameters.drawings import check_svg
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.story import asides, bank

BLOCK_MIME = "application/vnd.pmf.block+json"
PAGE_MIME = "application/vnd.pmf.page+json"
SCHEMA_VERSION = 1

Kind = Literal["finding", "figure", "table", "note", "method", "provenance"]
Scalar = str | int | float | bool | None

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TONES = ("better", "worse", "neutral", "")


@dataclass(frozen=True)
class Column:
    """A column of a table: the key into its rows, its heading, and how its cells are shown."""

    key: str
    label: str
    align: Literal["left", "right"] = "left"
    kind: Literal["text", "number", "status", "spark"] = "text"


@dataclass(frozen=True)
class Table:
    """A table of text that has been formatted already; a story computes nothing.

    The first column names the row. A cell of a ``status`` column is a verdict code, shown as mark
    and word of ``status_words``; a cell of a ``spark`` column is the SVG of a sparkline. A key
    that a row lacks, or an empty text, is shown as a dash that is read out as "no value". What a
    row holds as ``<key>_link`` is the address, beside or below the page, to which the cell leads,
    ``<key>_said`` says to those who cannot see it what a sparkline shows, and ``<key>_why`` is the
    state of a figure that is not there, as the data contract names it.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, str], ...]
    status_words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require(self.caption.strip(), "table-without-caption")
        _require(self.columns, "table-without-columns")
        for column in self.columns:
            for row in self.rows if column.kind == "spark" else ():
                check_svg(row.get(column.key, ""))

    @property
    def plain_text(self) -> str:
        """The table as aligned plain text: what a terminal shows and nbval compares."""
        words = self.status_words
        shown = [column for column in self.columns if column.kind != "spark"]
        lines = [[column.label for column in shown]]
        lines += [[words.get(row[c.key], row[c.key]) or "-" for c in shown] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
        return "\n".join(aligned)


@dataclass(frozen=True)
class Block:
    """One finding, figure, table or note, or what the method is and where data come from.

    Parameters
    ----------
    kind, id, title
        ``id`` is in kebab-case and unique in its page; ``title`` is the headline.
    subtitle
        What is measured, where and when: the statistical title under the headline.
    text
        Sentences or paragraphs; plain text, escaped when it is rendered.
    alt
        What a figure means, with its numbers; a figure must have it.
    facts
        Numbers and codes that words, picture and table were made from.
    table, svg, source, notes
        A figure's table is its data; ``svg`` is checked to hold drawing and nothing active.
    tone
        ``better``, ``worse``, ``neutral`` or none: the bar beside a finding.
    commentary
        What the owner of the figures wrote about them, each with role and date.
    lang
        The language of its words, if nothing else is said the one in which they were said.
    asides
        Parts of its texts in other languages, with these; if nothing else is said, those noted.

    Raises
    ------
    PmfError
        When the block could not be published: a malformed id, a figure without alternative text,
        a table block without a table, an SVG with script or an outside address.
    """

    kind: Kind
    id: str
    title: str
    subtitle: str = ""
    text: tuple[str, ...] = ()
    alt: str = ""
    facts: Mapping[str, Scalar] = field(default_factory=dict)
    table: Table | None = None
    svg: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    tone: str = ""
    commentary: tuple[str, ...] = ()
    lang: str = field(default_factory=bank.language)
    asides: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require(self.kind in get_args(Kind), "block-kind", kind=self.kind)
        _require(_ID.fullmatch(self.id), "block-id", id=self.id)
        _require(self.tone in _TONES, "block-tone", id=self.id, tone=self.tone)
        is_complete = self.kind != "figure" or (self.svg and self.alt.strip())
        _require(is_complete, "figure-incomplete", id=self.id)
        _require(self.kind != "table" or self.table, "table-missing", id=self.id)
        check_svg(self.svg)
        object.__setattr__(self, "asides", {**asides.found_in(self._texts()), **self.asides})

    def _texts(self) -> Iterator[str]:
        """Yield every text that the block shows."""
        yield from (self.title, self.subtitle, self.source)
        yield from (*self.text, *self.notes, *self.commentary)
        if self.table:
            yield self.table.caption
            for column in self.table.columns:
                rows = self.table.rows if column.kind != "spark" else ()
                yield from (column.label, *(row.get(column.key) or "" for row in rows))

    @property
    def plain_text(self) -> str:
        """The block for front ends without pictures: its alternative text, or title and text."""
        return self.alt or "\n".join((self.title, *self.text))

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str | dict[str, Any]]:
        from pmf_analysis.story.rendering import block_html

        texts = {"text/html": block_html(self), "text/plain": self.plain_text}
        return {**texts, BLOCK_MIME: self.to_json()}

    def to_json(self) -> dict[str, Any]:
        """Return the block as JSON values with its schema version; NaN facts become null."""
        facts = {key: _json_scalar(value) for key, value in self.facts.items()}
        stored = asdict(self) | {"facts": facts, "schema_version": SCHEMA_VERSION}
        # A round trip turns tuples and mappings into the lists and dicts that a reader will see.
        plain: dict[str, Any] = json.loads(json.dumps(stored, allow_nan=False))
        return plain

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Make a block again from :meth:`to_json`; what it refuses to make, it refuses to read."""
        fields = dict(stored)
        version = fields.pop("schema_version", None)
        _require(version == SCHEMA_VERSION, "block-version", version=version)
        try:
            if table := fields["table"]:
                columns = tuple(Column(**column) for column in table["columns"])
                rows = tuple(table["rows"])
                fields["table"] = Table(table["caption"], columns, rows, table["status_words"])
            lists = {key: tuple(fields.get(key, ())) for key in ("text", "notes", "commentary")}
            return cls(**{"lang": "en", **fields, **lists, "asides": fields.get("asides", {})})
        except (KeyError, TypeError, AttributeError) as error:
            raise _refusal("block-malformed", error=error) from error


def _json_scalar(value: Any) -> Scalar:
    """Turn numpy numbers into Python's, and every NaN and infinity into null."""
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    return plain if isinstance(plain, str | int | float | bool | None) else str(plain)


def _require(holds: object, fault: str, **facts: Any) -> None:
    if not holds:
        raise _refusal(fault, **facts)


def _refusal(fault: str, **facts: Any) -> PmfError:
    return PmfError(Problem.of(fault, **facts), EXIT_DATA_UNUSABLE)
