"""By which rules a council judges: trends, the arrows of another system, and its own colours."""

from typing import Annotated, Literal

from pydantic import Field

from pmf_analysis.parameters.settings import Code, Settings

StatusStyle = Literal["spc", "rag", "none"]
Colour = Literal["green", "amber", "red", "grey"]
Condition = Literal[
    "met", "within_pct", "within_tolerance", "improved_on_last_year", "no_target", "otherwise"
]


class TrendRules(Settings):
    """Which signals of change count: a profile, and where the council departs from it.

    ``shift`` and ``trend`` are run lengths; ``ties`` is what a repeated value does to a trend;
    ``screen`` leaves outstanding jumps out of the usual range.
    """

    profile: Literal["mdc", "mdc-excel", "wheeler", "anhoej"] = "mdc"
    shift: Literal[6, 7, 8] | None = None
    trend: Literal[6, 7, 8] | None = None
    ties: Literal["break", "skip"] | None = None
    screen: bool | None = None

    def _contradictions(self) -> dict[str, object]:
        has_no_trend = self.profile in ("wheeler", "anhoej") and not self.trend
        return {
            "shift_of_anhoej": self.profile == "anhoej" and self.shift,
            "ties_without_trend": self.ties and has_no_trend,
        }


class ArrowRules(Settings):
    """How Pentana is set up, so that its arrows and statuses can be worked out again.

    ``values`` are averaged for the long arrow; ``year_to_year`` are the indicators whose Trend
    Calculation Type is not Ongoing; ``tolerance_pct`` is that of targets without one of their own.
    """

    values: Annotated[int, Field(ge=1)] = 4
    year_to_year: tuple[Code, ...] = ()
    tolerance_pct: Annotated[float, Field(gt=0)] | None = None


class StatusStep(Settings):
    """A colour and when it is given; ``pct``, per cent of the target, goes with within_pct."""

    colour: Colour
    when: Condition
    pct: Annotated[float, Field(ge=0)] | None = None

    def _contradictions(self) -> dict[str, object]:
        return {"status_pct": (self.when == "within_pct") != (self.pct is not None)}
