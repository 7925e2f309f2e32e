"""What the council decides about its charts: ``parameters/charts.yml``, which there may be none of.

Days are compared with the first day of each period: a rebase from 1 November begins with the first
period that starts on that day or later, and a baseline until 31 March ends with the last period
that starts on that day or before. Each decision says why, who answers for it and since when, since
a usual range that is drawn anew can hide a failure.
"""

from datetime import date
from itertools import pairwise
from typing import Any

from pydantic import Field

from pmf_analysis.parameters import checks, loading, settings


class Decision(settings.Settings):
    """What was decided on one indicator: why, by which post, and recorded on which day."""

    indicator: settings.Code
    reason: settings.Text
    owner: settings.Text
    recorded_on: date


class Rebase(Decision):
    """A new usual range begins with the first period that starts on ``from`` or later."""

    period_start: date = Field(alias="from")


class Baseline(Decision):
    """The usual range stays that of some periods, or three numbers, whatever comes later.

    Either ``until``, and ``from`` where not all earlier periods count; or ``mean``, ``lower_limit``
    and ``upper_limit`` in the unit of the indicator.
    """

    period_from: date | None = Field(None, alias="from")
    period_until: date | None = Field(None, alias="until")
    mean: float | None = None
    lower_limit: float | None = None
    upper_limit: float | None = None

    def _contradictions(self) -> dict[str, object]:
        given = (self.lower_limit, self.mean, self.upper_limit)
        numbers = [number for number in given if number is not None]
        is_rising = all(below < above for below, above in pairwise(numbers))
        first, last = self.period_from or date.min, self.period_until
        return {
            "periods_and_numbers": last and numbers,
            "no_periods_nor_numbers": not last and not numbers,
            "numbers_not_in_order": numbers and (None in given or not is_rising),
            "from_without_until": numbers and self.period_from,
            "until_out_of_order": last and not first < last <= self.recorded_on,
        }


class Annotation(settings.Settings):
    """Something that happened, named on the chart; it changes no figure."""

    indicator: settings.Code
    on: date
    text: settings.Text
    owner: str = ""


class ChartFile(settings.SettingsFile):
    """``parameters/charts.yml``; the rows are plain, for whoever makes tables of them."""

    rebases: tuple[Rebase, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    annotations: tuple[Annotation, ...] = ()

    def rebase_rows(self) -> list[dict[str, Any]]:
        """Return rows of the table `changes`, of kind "rebase"."""
        kind = {"kind": "rebase", "comparable": True}
        return [{**entry.model_dump(), **kind} for entry in self.rebases]

    def baseline_rows(self) -> list[dict[str, Any]]:
        """Return indicator, period_from, period_until, mean, limits, reason, owner, recorded_on.

        What is not given is None.
        """
        return [entry.model_dump() for entry in self.baselines]

    def annotation_rows(self) -> list[dict[str, Any]]:
        """Return indicator, on, text and owner of each annotation."""
        return [entry.model_dump() for entry in self.annotations]


def check_charts(document: loading.Document, register: loading.Document | None) -> None:
    """Check that indicators exist and that nothing is decided twice."""
    if register is not None:
        checks.check_indicators(document, register)
    checks.check_unique(document, "rebases.*.indicator", "from")
    checks.check_unique(document, "baselines.*.indicator")
    checks.check_unique(document, "annotations.*.indicator", "on", "text")
