"""What facts are made of: figures, the series they describe, and how a row is read into them.

A figure is a number with its one spelling. A subject is an own series: its names, unit, polarity.
A class of facts declares its fields by the names of the result table's columns and gets them read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, NamedTuple, Self

import pandas as pd

from pmf_analysis.story import formatting
from pmf_analysis.story.bank import clip_words, say, stored
from pmf_analysis.story.formatting import MINUS, format_frequency, rounded_sign

Row = Mapping[Hashable, Any]

_SPELLINGS: Mapping[str, Callable[[float], str]] = {
    "share": partial(format_frequency, of_cases=True),
    "chance": formatting.format_chance,
    # From whole twentieths, so that words, tables and dots agree.
    "frequency": lambda chance: format_frequency(formatting.twentieths(chance) / 20),
    "twentieths": lambda chance: formatting.format_chance(formatting.twentieths(chance) / 20),
    "alarm": formatting.format_false_alarm,
    "rank": lambda rank: formatting.ordinal(int(rank)),
    # Whole numbers, of which none is "-0".
    **dict.fromkeys(("count", "comparisons"), lambda count: f"{round(count)}"),
    "cases": lambda count: f"{round(count):,}",
    "percent": lambda share: f"{round(100 * share)}%",
    "points": lambda share: formatting.format_change(100 * share, "%", 1),
    "ratio": lambda ratio: formatting.format_number(ratio, 1 if ratio >= 10 else 2),
}


_COLUMNS = {"frequency": "probability"}  # of figures that repeat another in other words
_PLAIN = ("text", "int", "bool")
_NAMED = ("rank", "share", "ratio", "comparisons")  # spellings that name what is counted


class Figure(NamedTuple):
    """A number and its one spelling: None and "" where there is no number."""

    raw: float | None
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def is_known(self) -> bool:
        """Whether there is a number."""
        return self.raw is not None


def raw(figure: Figure) -> float:
    """Return the number of a figure for a chart; NaN where there is none."""
    return float("nan") if figure.raw is None else figure.raw


def number(row: Row, column: str) -> float | None:
    """Return a cell as a number; None where the column is absent or the cell holds no number."""
    value = row.get(column)
    if isinstance(value, str) or pd.isna(value) or not math.isfinite(value):
        return None
    return float(value)


def text(row: Row, column: str) -> str:
    """Return a cell as text; "" where the column is absent or the cell is missing."""
    value = row.get(column)
    return "" if pd.isna(value) else str(value).strip()


@dataclass(frozen=True, slots=True)
class Subject:
    """What an own series is: its names, unit, polarity and who answers for it."""

    series: str
    indicator: str
    area: str
    member: str
    title: str
    short: str
    unit: str
    decimals: int
    polarity: str
    is_city: bool
    frequency: str
    year_type: str
    council: str

    @classmethod
    def of(cls, row: Row, council: str) -> Self:
        """Make it from a row of the trends table; a breakdown is named by its value.

        Where its figures would all be written as 0, they have two figures that tell them apart.
        """
        part, decimals = text(row, "dimension_value"), number(row, "decimals")
        if decimals == 1 and re.match(r"£(?! *(thousand|million|billion))", text(row, "unit")):
            decimals = 2  # pounds and pence
        decimals = 1 if decimals is None else int(decimals)
        sizes = [abs(number(row, name) or 0.0) for name in ("value", "mean", "target")]
        if 1e-9 < max(sizes) < 0.5 * 10**-decimals:  # all of them would be written as 0
            decimals = 1 - math.floor(math.log10(max(sizes)))
        title = text(row, "title") or text(row, "indicator")
        short = text(row, "short_title") or clip_words(title, 6)
        defaults = {"polarity": "unknown", "year_type": "financial"}
        names = ("series", "indicator", "area", "unit", "frequency", *defaults)
        texts: dict[str, Any] = {name: text(row, name) or defaults.get(name, "") for name in names}
        return cls(
            **texts,
            member=part,
            title=f"{title}: {part}" if part else title,
            short=f"{short} ({part})" if part else short,
            decimals=decimals,
            is_city=text(row, "control") == "city",
            council=council,
        )

    @property
    def better_sign(self) -> int:
        """1 where higher is better, -1 where lower is, 0 where neither holds."""
        return {"higher": 1, "lower": -1}.get(self.polarity, 0)

    @property
    def is_ranked_by_merit(self) -> bool:
        """Whether 1st is the most favourable; else it is the highest figure."""
        return self.polarity in ("higher", "lower", "range") and not self.is_city

    @property
    def scale(self) -> tuple[str, int]:
        """Unit and decimals of the values."""
        return self.unit, self.decimals

    def figure(self, raw: float | None, spelling: str = "value") -> Figure:
        """Spell a number: a value or (signed) change in the unit, a share, chance or rank.

        A size that is only known roughly ("about") is a change to two figures.
        """
        if raw is None:
            return Figure(None, "")
        if spelling == "value":
            return Figure(raw, formatting.format_value(raw, self.unit, self.decimals))
        if spelling in _SPELLINGS:
            return Figure(raw, _SPELLINGS[spelling](raw))
        if spelling == "about":
            places = min(self.decimals, max(0, 1 - math.floor(math.log10(abs(raw) or 1))))
            rough = formatting.format_change(float(f"{raw:.2g}"), self.unit, places)
            return Figure(raw, rough)
        signs = {1: "+", -1: MINUS, 0: ""} if spelling == "signed" else {}
        sign = signs.get(rounded_sign(raw, self.decimals), "")
        return Figure(raw, sign + formatting.format_change(raw, self.unit, self.decimals))

    def plain(self, figure: Figure) -> str:
        """Spell a value without a unit in words, for lists that name the unit once.

        Of money what it is counted in stays: thousand, million.
        """
        if figure.raw is None:
            return figure.text
        scale = re.match(r"%|£( thousand| million| billion)?|", self.unit)
        return formatting.format_value(figure.raw, scale[0] if scale else "", self.decimals)

    def size(self, change: Figure) -> str:
        """Spell the size of a change beside the value, whose unit in words is not said again."""
        is_named = self.unit == "%" or self.unit.startswith("£") or change.raw is None
        return change.text if is_named else self.plain(change._replace(raw=abs(change.raw or 0)))

    def range(self, low: Figure, high: Figure) -> str:
        """Spell a range, "11.8 to 15.4 per 1,000 people"; "" where an end is not known."""
        return say("number.range", low=self.plain(low), high=high)


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about one series; fields are read from the columns of the same name.

    ``more`` holds columns as figures and ``plain`` those that are no figures; both are attributes
    by their names too. ``row`` is the whole row.
    """

    subject: Subject
    verdict: str
    period_label: str
    n: int
    method: str
    evidence: str
    reason: str
    more: dict[str, Figure]
    plain: dict[str, Any]
    row: Row

    @classmethod
    def read(cls, row: Row, subject: Subject, kind: str, **known: Any) -> Self:
        """Make facts from a row; an absent cell gives "", 0, False or a figure without number.

        The columns that are read, and how, are those of ``figures.yml`` for rows of this kind.
        """
        more, plain = dict[str, Figure](), dict[str, Any]()
        for name, how in stored("figures.yml")[kind].items():
            if how in _PLAIN:
                plain[name] = known.pop(name) if name in known else _read(row, name, how)
            else:
                figure = subject.figure(number(row, _COLUMNS.get(name, name)), how)
                more[name] = known.pop(name, None) or figure
        values = {"subject": subject, "row": row, "more": more, "plain": plain, **known}
        for each in fields(cls):
            if each.name not in values:
                values[each.name] = _read(row, each.name, str(each.type))
        return cls(**values)

    def __getattr__(self, name: str) -> Any:
        """Return the figure, text, number or flag of a column."""
        if name not in self.more and name not in self.plain:
            raise AttributeError(name)
        return self.more[name] if name in self.more else self.plain[name]

    @property
    def level(self) -> str:
        """Verdict as it is told."""
        return self.verdict

    @property
    def shown(self) -> str:
        """Code of the status that readers are shown; a city measure has none."""
        is_judged = self.level not in ("cannot_judge", "position_only")
        return "no_status" if self.subject.is_city and is_judged else self.level

    def sign(self, change: Figure) -> int:
        """Direction of a change as it is shown: 0 where it rounds to nothing or is not known."""
        return 0 if change.raw is None else rounded_sign(change.raw, self.subject.decimals)

    def figures(self) -> dict[str, tuple[Figure, str]]:
        """Every figure that was read from a column of its own, with what it is counted in."""
        unit = self.subject.unit
        change = "percentage points" if unit == "%" else unit
        units = {"value": unit, "count": "rank", "change": change, "about": change}
        units |= {"signed": change} | {name: name for name in _NAMED}
        spelled = {n: how for kind in stored("figures.yml").values() for n, how in kind.items()}
        found = {name: figure for name, figure in self.more.items() if name not in _COLUMNS}
        return {n: (figure, units.get(spelled[n], "probability")) for n, figure in found.items()}

    def scalars(self) -> dict[str, str | float | None]:
        """Flatten for a block: ``name`` holds the raw number, ``name_text`` its spelling."""
        flat: dict[str, str | float | None] = {"series": self.subject.series, **self.plain}
        for name, figure in self.more.items():
            flat |= {name: figure.raw, f"{name}_text": figure.text}
        for each in fields(self):
            value = getattr(self, each.name)
            if not isinstance(value, Subject | dict):
                flat[each.name] = "; ".join(value) if isinstance(value, tuple) else value
        return flat


def _read(row: Row, name: str, kind: str) -> Any:
    if kind == "int":
        return int(number(row, name) or 0)
    return bool(number(row, name)) if kind == "bool" else text(row, name)
