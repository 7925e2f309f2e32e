"""Mapping files: how one system's export becomes rows of the contract, as data and not as code.

A mapping names the table it makes, the files it fits, where the header is, which column is which,
what texts mean, and what is left out on purpose. ``parameters/mappings/`` holds a council's own.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator

from pmf_analysis.data.contract import ABSENT_STATUSES, TABLES, column_names
from pmf_analysis.parameters.loading import read_document, validated
from pmf_analysis.parameters.messages import wording
from pmf_analysis.parameters.settings import Settings, Text
from pmf_analysis.periods import AmbiguousPeriodError, YearType, parse_period
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems, did_you_mean
from pmf_analysis.systems import patterns
from pmf_analysis.systems.patterns import Names
from pmf_analysis.systems.patterns import spelling as spelling  # which others take from here
from pmf_analysis.systems.sources import Source

IGNORE = "ignore"
# What a row of observations may hold besides its value: each makes a row of its own table where one
# of these columns, or any at all, is filled.
BESIDE: dict[str, tuple[str, ...]] = {
    "targets": (),
    "narratives": ("text",),
    "published": ("status", "short_trend", "long_trend"),
}
# The kinds of narratives, each of which may have a column of its own.
KINDS = next(column.choices for column in TABLES["narratives"] if column.name == "kind")
Setting = TypeVar("Setting")
Span = Annotated[str, Field(pattern=r"^([1-9][0-9]?[mqy]|label)$")]


class Match(Settings):
    """Files by name (``*`` and ``?`` as wildcards) and sheets by a regular expression."""

    files: Annotated[Names, Field(min_length=1)]
    sheets: patterns.Pattern = ""


class Header(Settings):
    """Where the header is: a row number, or the first row that holds all of some names.

    Of names listed together, such as those of several sheets, any is enough.
    With ``several`` every such row starts a new table, and rows of one filled cell are headings.
    With ``above`` that many rows over it, whose merged cells span columns, are part of the names;
    so are the rows under it, until one has a cell in the column that ``until`` names.
    """

    row: Annotated[int, Field(ge=1)] | None = None
    containing: tuple[patterns.Name | Names, ...] = ()
    several: bool = False
    above: Annotated[int, Field(ge=0, le=3)] = 0
    until: str = ""

    def _contradictions(self) -> dict[str, object]:
        return {"header_ways": (self.row is None) == (not self.containing)}


class Unpivot(Settings):
    """Column headers that name a period, with the measure the column holds.

    ``measures`` says which of our columns each measure is, or ``ignore``; a period alone is a
    value, and the measure may stand before it ("Target 2026/27"). A measure without a period
    belongs to the last period with a value before it, or, before them all, to the last one; a
    target of the year to date then is the year's. ``pattern`` is for headers of another form: a
    regular expression with the groups ``period`` and ``measure``, matched to the whole header
    without regard to case.
    """

    pattern: patterns.Pattern = ""
    measures: Annotated[dict[str, str], Field(min_length=1)]

    def _contradictions(self) -> dict[str, object]:
        has_groups = {*re.compile(self.pattern).groupindex} == {"period", "measure"}
        return {"pattern_without_groups": self.pattern and not has_groups}

    def read(self, header: str) -> tuple[str, str] | None:
        """Return the period, which may be "", and our column of a header; None for any other."""
        words = "|".join(map(re.escape, self.measures))
        given, year = self.pattern, r"(\b(annual|full.year|year.end)\W+)?"
        ways = [rf"(?P<period>.*?)\W*(?P<measure>\b({words}))?"]
        ways += [rf"(?P<period>.+?)\W*{year}(?P<measure>\b({words}))"]
        ways += [rf"{year}(?P<measure>({words}))\b\W*(?:for )?(?P<period>.+?)\W*"]
        text = " ".join(header.split())[: patterns.LOOKED_AT]
        for pattern in [given] if given else ways:
            if match := re.fullmatch(pattern, text, re.IGNORECASE):
                period, measure = (match["period"] or "").strip(), spelling(match["measure"] or "")
                if (measure and (given or not period)) or is_period(period):
                    break
        else:
            return None
        ours = {spelling(name): ours for name, ours in self.measures.items()} | {"": "value"}
        return period, ours.get(measure, IGNORE)

    def names_period(self, label: str) -> bool:
        """Whether a column's label, such as ``E "Q1 2026/27 Target"``, names a period itself."""
        found = self.read(label.partition('"')[2].removesuffix('"'))
        return bool(found and found[0])


class PeriodRule(Settings):
    """How periods are read: what the file does not say itself, and what other lengths mean.

    ``spans`` gives the length ("1y", "3y") of values whose frequency text says they are pooled or
    rolling; ``label`` means that the label says it, as of windows that grow from one first day.
    ``other_lengths`` decides on values of, say, a year of a quarterly indicator. ``title``,
    ``sheet`` and ``file`` are patterns of what names the period where no column does: a cell above
    the header, the sheet's name, the file's; the group ``period``, or else the whole, is read.
    """

    year_type: YearType | None = None
    frequency: str | None = None
    spans: dict[str, Span] = Field(default_factory=dict)
    other_lengths: Literal["quarantine", "ignore"] = "quarantine"
    title: patterns.Pattern = ""
    sheet: patterns.Pattern = ""
    file: patterns.Pattern = ""

    def said(self, titles: Iterable[str], sheet: str, file: str) -> str:
        """Return the period that a title, the sheet's or the file's name gives; "" for none."""
        places = [*((self.title, each) for each in titles), (self.sheet, sheet), (self.file, file)]
        found = (patterns.find(pattern, text) for pattern, text in places if pattern)
        return next(filter(None, found), "")


class Keep(Settings):
    """Rows to keep, by the text of one source column; the others are declared-ignored.

    ``in: register`` keeps the indicators (or aliases) of the register.
    """

    column: patterns.Name
    in_: Annotated[Names | Literal["register"], Field(alias="in")] = ()
    startswith: Names = ()

    def _contradictions(self) -> dict[str, object]:
        return {"keep_ways": bool(self.in_) == bool(self.startswith)}


class Breakdown(Settings):
    """A column that says of whom a row tells; ``total`` are its texts for all.

    With ``named_by`` the dimension is the text of that column, else this column's name.
    """

    total: Names = ()
    named_by: str = ""


class MappingFile(Settings):
    """One mapping. Keys of ``columns``, ``constants``, ``enums`` and ``multiply`` are our columns.

    ``columns`` lists the source names that each may have, in any case and spacing, or ``column A``
    for one without a name, or a pattern between slashes. ``join`` puts the cells of several
    together. ``indicators`` says, by indicator, which columns are its value, or which each of our
    columns: a table with a column for each indicator. ``values`` lists texts in place of a number,
    by the state they mean; ``...`` at the end stands for anything. ``source`` says where the
    figures are got where no file is given. ``prefix`` is put before the file's indicators, so that
    those of another system are not taken for them. ``breakdowns`` are columns that part rows into
    groups; ``ignore`` may use ``*``. A mapping of observations may name columns of targets,
    narratives and published too: where they are filled, a row of that table is made beside the
    value. ``kind``, which two of them have, is written ``targets.kind`` or ``narratives.kind``, as
    any column may be; ``narratives.action`` is a text of that kind. ``sealed`` is said of the
    workbook of ``pmf collect``, whose rows count as far as they are filled in. ``by_name_only``
    says that files of other names are never tried with it, nor its names proposed for theirs.
    """

    format: Literal[1]
    name: Text
    system: Text
    version: Annotated[int, Field(ge=1)]
    table: Text
    match: Match
    header: Header
    columns: dict[str, Names] = Field(default_factory=dict)
    join: dict[str, Names] = Field(default_factory=dict)
    indicators: dict[Text, Names | dict[str, Names]] = Field(default_factory=dict)
    unpivot: Unpivot | None = None
    period: PeriodRule = PeriodRule()
    values: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    enums: dict[str, dict[str, str]] = Field(default_factory=dict)
    constants: dict[str, str | int | float | date] = Field(default_factory=dict)
    multiply: dict[str, float] = Field(default_factory=dict)
    keep: tuple[Keep, ...] = ()
    ignore: Names = ()
    prefix: str = ""
    sealed: bool = False
    by_name_only: bool = False
    breakdowns: dict[str, Breakdown] = Field(default_factory=dict)
    source: Source | None = None
    on_unknown_column: Literal["error", "warn", "ignore"] = "warn"

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        measures = {*(self.unpivot.measures.values() if self.unpivot else ())}
        measures = measures.union(*self.measures_by_indicator().values()) - {IGNORE}
        used = {*self.columns, *self.join, *self.constants, *self.enums, *self.multiply, *measures}
        known = [name for table in self.tables() for name in _names_in(table, self.table)]
        for names, allowed, what in (
            ([self.table], TABLES, "is no table"),
            (sorted(used), ["period_label", *known], f"is no column of the table {self.table}"),
            (self.values, ABSENT_STATUSES, "is no state of an absent value"),
        ):
            for name in [name for name in names if name not in allowed]:
                raise ValueError(f'"{name}" {what}.{did_you_mean(name, allowed)}')
        for name in sorted(used):
            owners = [table for table in self.tables() if name in column_names(table)]
            if self.table not in owners[:1] and len(owners) > 1:
                raise ValueError(wording("contradictions")["two_tables"].format(name, *owners))
        return self

    def _contradictions(self) -> dict[str, object]:
        return {
            "no_columns": not (self.columns or self.join or self.indicators),
            "wide_twice": self.unpivot and self.indicators,
        }

    def measures_by_indicator(self) -> dict[str, dict[str, Names]]:
        """Return the source columns of each of our columns, by indicator."""
        told = self.indicators.items()
        return {name: each if isinstance(each, dict) else {"value": each} for name, each in told}

    def tables(self) -> list[str]:
        """Return the tables it may fill, its own first; none where that is unknown."""
        beside = BESIDE if self.table == "observations" else ()
        return [table for table in (self.table, *beside) if table in TABLES]

    def of_table(self, settings: Mapping[str, Setting], table: str) -> dict[str, Setting]:
        """Return the settings that are of a table, by the names of its columns."""
        named = {name.removeprefix(f"{table}."): told for name, told in settings.items()}
        columns = {*column_names(table), "period_label"}
        return {name: told for name, told in named.items() if name in columns}

    def constants_of(self, table: str) -> dict[str, str]:
        """Return the constants of a table as text; what a system says bears its name."""
        given = {name: str(told) for name, told in self.of_table(self.constants, table).items()}
        return {"system": self.system} | given if table == "published" else given


def _names_in(table: str, main: str) -> list[str]:
    """Return how a mapping of the table `main` may call the columns of a table."""
    names = column_names(table)
    kinds = [f"{table}.{kind}" for kind in KINDS if table == "narratives" and table != main]
    return [*names, *(f"{table}.{name}" for name in names), *kinds]


def is_period(text: str) -> bool:
    """Whether a text is the label of a period, be it one with several meanings."""
    try:
        parse_period(text)
    except PmfError as error:
        return isinstance(error, AmbiguousPeriodError)
    return True


def load_mappings(folder: Path) -> dict[str, MappingFile]:
    """Read every mapping of a folder, by its name.

    Raises
    ------
    PmfError
        Exit 2, with all faults of all files, each with its line.
    """
    problems = Problems()
    mappings: dict[str, MappingFile] = {}
    for path in sorted(folder.glob("*.yml")):
        name = f"parameters/mappings/{path.name}"
        mapping = validated(MappingFile, read_document(path, name, problems), problems)
        if mapping and mappings.setdefault(mapping.name, mapping) is not mapping:
            problems.tell("mapping-twice", name=mapping.name, file=name)
    problems.raise_if_errors()
    return mappings


def choose_mapping(
    file_name: str, mappings: Mapping[str, MappingFile], chosen: str | None = None
) -> MappingFile:
    """Return the mapping of a file: the one asked for, or the one whose pattern fits best.

    Raises
    ------
    PmfError
        Exit 2: there is no such mapping; exit 3: none, or several equally well, fit the file.
    """
    if chosen is not None:
        if chosen not in mappings:
            raise PmfError(f'There is no mapping "{chosen}".{did_you_mean(chosen, mappings)}')
        return mappings[chosen]
    fits = [
        (len(pattern), name)
        for name, mapping in mappings.items()
        for pattern in mapping.match.files
        if fnmatch(file_name.casefold(), pattern.casefold())
    ]
    # The most particular mapping wins, which is the one with the longest pattern.
    best = dict.fromkeys(name for length, name in fits if length == max(fits)[0])
    if len(best) == 1:
        return mappings[next(iter(best))]
    fault = "several-mappings" if best else "mapping-not-found"
    problem = Problem.of(fault, file=file_name, names=", ".join(best or mappings))
    raise PmfError(problem, EXIT_DATA_UNUSABLE)
