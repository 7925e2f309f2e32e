"""What an import knows beside the files: the register, the council's own area, the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pmf_analysis.parameters.models import Indicator

_FACTS = (
    *("year_type", "frequency", "data_type", "minimum", "maximum", "rate_base"),
    *("accumulation", "period_span", "valid_to"),
)


@dataclass(frozen=True)
class Context:
    """Facts of the register by id (`facts`), its ids and aliases in lower case, and the council."""

    facts: pd.DataFrame
    ids: Mapping[str, str]
    own_area: str
    own_name: str
    as_at: date

    @classmethod
    def of(
        cls, indicators: Mapping[str, Indicator], own_area: str, own_name: str, as_at: date
    ) -> Context:
        """Gather the facts of the register that rules ask for; ids and aliases in any case."""
        rows = {i: [getattr(entry, name) for name in _FACTS] for i, entry in indicators.items()}
        facts = pd.DataFrame.from_dict(rows, orient="index", columns=list(_FACTS))
        for name in ("minimum", "maximum", "rate_base"):
            facts[name] = facts[name].astype("float64")
        names = {alias: i for i, entry in indicators.items() for alias in entry.aliases}
        names |= {i: i for i in indicators}
        ids = {name.casefold(): i for name, i in names.items()}
        return cls(facts, ids, own_area, own_name, as_at)
