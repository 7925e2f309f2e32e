"""Mapping files: how one system's export becomes rows of the contract, as data and not as code.

A mapping names the table it makes, the files it fits, where the header is, which column is which,
what texts mean, and what is left out on purpose. ``parameters/mappings/`` holds a council's own.
"""

import re
from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pmf_analysis.data.contract import ABSENT_STATUSES, TABLES, column_names
from pmf_analysis.parameters.loading import read_document, validated
from pmf_analysis.parameters.settings import Settings, Text
from pmf_analysis.periods import AmbiguousPeriodError, YearType, parse_period
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problems, did_you_mean
from pmf_analysis.systems.results import problem_of

IGNORE = "ignore"
Names = tuple[Text, ...]
Span = Annotated[str, Field(pattern=r"^([1-9][0-9]?[mqy]|label)$")]


class Match(Settings):
    """Files by name (``*`` and ``?`` as wildcards) and sheets by a regular expression."""

    files: Annotated[Names, Field(min_length=1)]
    sheets: str = ""


class Header(Settings):
    """Where the header is: a row number, or the first row that holds all of some names.

    With ``several`` every such row starts a new table, and rows of one filled cell are headings.
    With ``above`` that many rows over it, whose merged cells span columns, are part of the names.
    """

    row: Annotated[int, Field(ge=1)] | None = None
    containing: Names = ()
    several: bool = False
    above: Annotated[int, Field(ge=0, le=3)] = 0

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.row is None) == (not self.containing):
            raise ValueError("give either row, a number, or containing, a list of column names")
        return self


class Unpivot(Settings):
    """Column headers that name a period, with the measure the column holds.

    ``measures`` says which of our columns each measure is, or ``ignore``; a period alone is a
    value. A measure without a period belongs to the last period before it, or, before them all,
    to the last one. ``pattern`` is for headers of another form: a regular expression with the
    groups ``period`` and ``measure``, matched to the whole header without regard to case.
    """

    pattern: str = ""
    measures: Annotated[dict[str, str], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_groups(self) -> Self:
        try:
            groups = set(re.compile(self.pattern).groupindex)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from error
        if self.pattern and groups != {"period", "measure"}:
            raise ValueError("pattern needs the two groups (?P<period>...) and (?P<measure>...)")
        return self

    def read(self, header: str) -> tuple[str, str] | None:
        """Return the period, which may be "", and our column of a header; None for any other."""
        words = "|".join(map(re.escape, self.measures))
        pattern = self.pattern or rf"(?P<period>.*?)\W*(?P<measure>\b({words}))?"
        match = re.fullmatch(pattern, " ".join(header.split()), re.IGNORECASE)
        if match is None:
            return None
        period, measure = (match["period"] or "").strip(), spelling(match["measure"] or "")
        is_bare = not measure
        if (is_bare or (period and not self.pattern)) and not is_period(period):
            return None
        ours = {spelling(name): ours for name, ours in self.measures.items()}
        return period, "value" if is_bare else ours.get(measure, IGNORE)


class PeriodRule(Settings):
    """How periods are read: what the file does not say itself, and what other lengths mean.

    ``spans`` gives the length ("1y", "3y") of values whose frequency text says they are pooled or
    rolling; ``label`` means that the label says it, as of windows that grow from one first day.
    ``other_lengths`` decides on values of, say, a year of a quarterly indicator.
    """

    year_type: YearType | None = None
    frequency: str | None = None
    spans: dict[str, Span] = Field(default_factory=dict)
    other_lengths: Literal["quarantine", "ignore"] = "quarantine"


class Keep(Settings):
    """Rows to keep, by the text of one source column; the others are declared-ignored.

    ``in: register`` keeps the indicators (or aliases) of the register.
    """

    column: Text
    in_: Annotated[Names | Literal["register"], Field(alias="in")] = ()
    startswith: Names = ()

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if bool(self.in_) == bool(self.startswith):
            raise ValueError("give either in or startswith")
        return self


class MappingFile(Settings):
    """One mapping. Keys of ``columns``, ``constants``, ``enums`` and ``multiply`` are our columns.

    ``columns`` lists the source names that each may have, in any case and spacing. ``values``
    lists texts in place of a number, by the state they mean; ``...`` at the end stands for
    anything. A mapping of observations may name columns of targets too: where one is filled, a
    target is made beside the value.
    """

    format: Literal[1]
    name: Text
    system: Text
    version: Annotated[int, Field(ge=1)]
    table: Text
    match: Match
    header: Header
    columns: Annotated[dict[str, Names], Field(min_length=1)]
    unpivot: Unpivot | None = None
    period: PeriodRule = PeriodRule()
    values: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    enums: dict[str, dict[str, str]] = Field(default_factory=dict)
    constants: dict[str, str | int | float | date] = Field(default_factory=dict)
    multiply: dict[str, float] = Field(default_factory=dict)
    keep: tuple[Keep, ...] = ()
    ignore: Names = ()
    on_unknown_column: Literal["error", "warn", "ignore"] = "warn"

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        if self.table not in TABLES:
            raise ValueError(f'no table "{self.table}".{did_you_mean(self.table, TABLES)}')
        measures = self.unpivot.measures.values() if self.unpivot else ()
        used = {*self.columns, *self.constants, *self.enums, *self.multiply, *measures} - {IGNORE}
        for name in sorted(used - set(self.known_columns)):
            hint = did_you_mean(name, self.known_columns)
            raise ValueError(f'the table {self.table} has no column "{name}".{hint}')
        for state in self.values:
            if state not in ABSENT_STATUSES:
                hint = did_you_mean(state, ABSENT_STATUSES)
                raise ValueError(f'"{state}" is no state of an absent value.{hint}')
        return self

    @property
    def known_columns(self) -> list[str]:
        """Columns this mapping may fill; those of targets too where it maps observations."""
        targets = column_names("targets") if self.table == "observations" else []
        return list(dict.fromkeys([*column_names(self.table), "period_label", *targets]))


def spelling(text: str) -> str:
    """Return a header so that case, spaces, underscores and line breaks do not count."""
    return re.sub(r"[\s_]+", " ", text).strip().casefold()


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
        if mapping is not None and mapping.name in mappings:
            problems.add(message=f'the name "{mapping.name}" is used twice.', file=name)
        elif mapping is not None:
            mappings[mapping.name] = mapping
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
            hint = did_you_mean(chosen, mappings)
            raise PmfError(f'There is no mapping "{chosen}".{hint}')
        return mappings[chosen]
    closeness = {name: _closeness(file_name, mapping) for name, mapping in mappings.items()}
    closest = max(closeness.values(), default=0)
    best = [name for name, length in closeness.items() if 0 < length == closest]
    if len(best) == 1:
        return mappings[best[0]]
    fault = "several-mappings" if best else "mapping-not-found"
    problem = problem_of(fault, {"names": ", ".join(best or mappings)}, file=file_name)
    raise PmfError(problem, EXIT_DATA_UNUSABLE)


def _closeness(file_name: str, mapping: MappingFile) -> int:
    """Length of the longest pattern that fits, 0 for none: the most particular mapping wins."""
    patterns = (pattern.casefold() for pattern in mapping.match.files)
    return max((len(text) for text in patterns if fnmatch(file_name.casefold(), text)), default=0)
