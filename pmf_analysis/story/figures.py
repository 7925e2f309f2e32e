"""What facts are made of: figures, the series they describe, and how a row is read into them.

A figure is a number with its one spelling. A subject is an own series: its names, unit, polarity.
A class of facts declares its fields by the names of the result table's columns and gets them read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, NamedTuple, Self

import pandas as pd

from pmf_analysis.story import formatting
from pmf_analysis.story.bank import clip_words, say
from pmf_analysis.story.formatting import MINUS, format_frequency, rounded_sign

Row = Mapping[Hashable, Any]

# How figures are spelled that are not values of the indicator, by field.
_SPELLED = {
    **dict.fromkeys(("change", "change_on_year", "slope", "gap", "required_change"), "change"),
    "close_pace": "change",
    **dict.fromkeys(("improvement", "shrunken", "own_improvement", "lead_lower"), "signed"),
    **dict.fromkeys(("lead_upper", "difference", "difference_lower", "difference_upper"), "signed"),
    **dict.fromkeys(("phi", "ratio", "ratio_lower", "ratio_upper", "reliability"), "ratio"),
    **dict.fromkeys(("robust_of", "robust_same", "robust_opposite"), "comparisons"),
    **dict.fromkeys(("rank_best", "rank_worst"), "rank"),
    **dict.fromkeys(("previous_band", "last_year_band"), "about"),
    **dict.fromkeys(("detect_4", "detect_8", "detect_12", "detect_monthly"), "about"),
    **dict.fromkeys(("met_share", "own_share", "peer_share"), "share"),
    **dict.fromkeys(("probability", "lower", "upper", "change_p"), "chance"),
    **{"frequency": "frequency", "chance_alone": "alarm", "rank": "rank", "rank_of": "count"},
}
_SPELLINGS: Mapping[str, Callable[[float], str]] = {
    "share": partial(format_frequency, of_cases=True),
    "frequency": format_frequency,
    "chance": formatting.format_chance,
    "alarm": formatting.format_false_alarm,
    "rank": lambda rank: formatting.ordinal(int(rank)),
    **dict.fromkeys(("count", "comparisons"), lambda count: f"{count:.0f}"),
    "ratio": lambda ratio: formatting.format_number(ratio, 1 if ratio >= 10 else 2),
}


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
        """Make it from a row of the trends table; a breakdown is named by its value."""
        part, decimals = text(row, "dimension_value"), number(row, "decimals")
        title = text(row, "title") or text(row, "indicator")
        short = text(row, "short_title") or clip_words(title, 6)
        names = ("series", "indicator", "area", "unit", "frequency")
        texts: dict[str, Any] = {name: text(row, name) for name in names}
        return cls(
            **texts,
            title=f"{title}: {part}" if part else title,
            short=f"{short} ({part})" if part else short,
            decimals=1 if decimals is None else int(decimals),
            polarity=text(row, "polarity") or "unknown",
            is_city=text(row, "control") == "city",
            year_type=text(row, "year_type") or "financial",
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
        """Spell a value without a unit in words, for lists that name the unit once."""
        if figure.raw is None or self.unit == "%" or self.unit.startswith("£"):
            return figure.text
        return formatting.format_number(figure.raw, self.decimals)

    def range(self, low: Figure, high: Figure) -> str:
        """Spell a range, "11.8 to 15.4 per 1,000 people"; "" where an end is not known."""
        return say("number.range", low=self.plain(low), high=high)


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about one series; fields are read from the columns of the same name.

    ``more`` holds further columns as figures, and ``row`` is the whole row.
    """

    subject: Subject
    verdict: str
    period_label: str
    n: int
    method: str
    evidence: str
    reason: str
    more: dict[str, Figure]
    row: Row

    @classmethod
    def read(cls, row: Row, subject: Subject, numbers: Iterable[str] = (), **known: Any) -> Self:
        """Make facts from a row; an absent cell gives "", 0, False or a figure without number."""
        more = {name: _read(row, name, "Figure", subject) for name in numbers}
        values: dict[str, Any] = {"subject": subject, "row": row, "more": more, **known}
        for each in fields(cls):
            if each.name not in values:
                values[each.name] = _read(row, each.name, str(each.type), subject)
        return cls(**values)

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
        units = {"": unit, "change": "percentage points" if unit == "%" else unit}
        units |= {"rank": "rank", "count": "rank", "about": units["change"], "share": "share"}
        units |= {"ratio": "ratio", "comparisons": "comparisons", "signed": units["change"]}
        names = [each.name for each in fields(self) if str(each.type) == "Figure"]
        found = {name: getattr(self, name) for name in names if name != "frequency"} | self.more
        spelled = {name: _SPELLED.get(name, "") for name in found}
        return {n: (f, units.get(spelled[n], "probability")) for n, f in found.items()}

    def scalars(self) -> dict[str, str | float | None]:
        """Flatten for a block: ``name`` holds the raw number, ``name_text`` its spelling."""
        flat: dict[str, str | float | None] = {"series": self.subject.series}
        known = {each.name: getattr(self, each.name) for each in fields(self)} | self.more
        for name, value in known.items():
            if isinstance(value, Figure):
                flat |= {name: value.raw, f"{name}_text": value.text}
            elif not isinstance(value, Subject | dict):
                flat[name] = "; ".join(value) if isinstance(value, tuple) else value
        return flat


def _read(row: Row, name: str, kind: str, subject: Subject) -> Any:
    column = "probability" if name == "frequency" else name
    if kind == "Figure":
        return subject.figure(number(row, column), _SPELLED.get(name, "value"))
    if kind == "int":
        return int(number(row, column) or 0)
    return bool(number(row, column)) if kind == "bool" else text(row, column)
