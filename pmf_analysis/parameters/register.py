"""The register: every indicator of a council, by id, by theme, and as a table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pmf_analysis.parameters import loading, models

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = ("rate_base", "target_low", "target_high", "minimum", "maximum", "publish_lag_days")
_DATES = ("valid_from", "valid_to")
_LISTS = ("themes", "framework_refs", "aliases", "parts", "guessed")
# First words by which a title states a direction; the titles of council plans often begin so.
_RISE = re.compile(r"(increas(e|ing)|rais(e|ing)|maximis(e|ing)|grow(ing)?)\b", re.IGNORECASE)
_FALL = re.compile(r"(reduc(e|ing)|decreas(e|ing)|minimis(e|ing)|cut(ting)?)\b", re.IGNORECASE)
_ROOM_FOR_WORDS = 6


@dataclass(frozen=True)
class Register:
    """All indicators of a council, by their id, in the order of the file."""

    indicators: dict[str, models.Indicator]

    def for_theme(self, theme_id: str) -> list[models.Indicator]:
        """Return the indicators of a theme; a cross-cutting one is in several themes."""
        return [item for item in self.indicators.values() if theme_id in item.themes]

    def themes_of(self, names: Iterable[str]) -> list[str]:
        """Return the themes of each indicator, joined by "; "; blank where it is not known."""
        known = {name: "; ".join(item.themes) for name, item in self.indicators.items()}
        return [known.get(name, "") for name in names]

    def single_list(self, ref: str = "") -> list[dict[str, str]]:
        """Return type, frequency, benchmark, lead and source of each indicator.

        ``lacks`` names what is blank, and the settings that are still guesses. With ``ref``, only
        those of a framework or of a return of the Single Data List.
        """
        rows = []
        for each in self.indicators.values():
            refs = [*each.framework_refs, *filter(None, [each.sdl_ref])]
            if not ref or any(name.casefold().startswith(ref.casefold()) for name in refs):
                row = {"id": each.id, "type": each.data_type, "frequency": each.frequency}
                row |= {"benchmark": "; ".join(refs), "lead": each.owner, "source": each.source}
                lacks = [f"no {name}" for name, text in row.items() if not text]
                guessed = [f"guessed {', '.join(each.guessed)}"] if each.guessed else []
                rows.append({**row, "lacks": "; ".join([*lacks, *guessed])})
        return rows

    def frame(self) -> pd.DataFrame:
        """Return one row an indicator, with a column for each setting.

        The id is in `indicator`; lists, and the names in `guessed`, are joined with "; ";
        `exceptional_periods` holds pairs of first and last day; numbers that are not declared are
        NaN and dates NaT; `statistic` (blank where there is none) and `is_chartable` are those of
        :class:`Indicator`.
        """
        import pandas as pd

        rows = [_row(indicator) for indicator in self.indicators.values()]
        columns = [*models.Indicator.model_fields, "statistic", "is_chartable"]
        frame = pd.DataFrame(rows, columns=columns).rename(columns={"id": "indicator"})
        types = {**dict.fromkeys(_NUMBERS, "float64"), **dict.fromkeys(_DATES, "datetime64[s]")}
        return frame.astype(types)


def _row(indicator: models.Indicator) -> dict[str, object]:
    row: dict[str, object] = dict(indicator)
    row |= {name: "; ".join(getattr(indicator, name)) for name in _LISTS}
    row["exceptional_periods"] = tuple((p.from_, p.to) for p in indicator.exceptional_periods)
    return row | {"statistic": indicator.statistic or "", "is_chartable": indicator.is_chartable}


def review_register(indicators: Iterable[models.Indicator], document: loading.Document) -> None:
    """Add what is allowed but deserves a look, with the line of the indicator."""
    for n, indicator in enumerate(indicators):
        place, title, polarity = ("indicators", n), indicator.title, indicator.polarity
        against = {"lower", "none"} if _RISE.match(title) else set()
        against |= {"higher", "none"} if _FALL.match(title) else set()
        if polarity in against:
            facts = {"word": title.split()[0], "polarity": polarity}
            document.tell((*place, "polarity"), "polarity-contradicts-title", **facts)
        if polarity == "unknown" and indicator.is_chartable:
            document.tell((*place, "id"), "polarity-unknown")
        words = len(indicator.short_title.split())
        if indicator.short_title != title and words > _ROOM_FOR_WORDS:
            long = (*place, "short_title")
            document.tell(long, "short-title-long", words=words, room=_ROOM_FOR_WORDS)
