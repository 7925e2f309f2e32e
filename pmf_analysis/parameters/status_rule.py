"""By which rule a council colours its indicators: named conditions in an order of its own."""

from typing import Annotated, Literal

from pydantic import Field

from pmf_analysis.parameters.settings import Settings

StatusStyle = Literal["spc", "rag", "none"]
Colour = Literal["green", "amber", "red", "grey"]
Condition = Literal[
    "met", "within_pct", "within_tolerance", "improved_on_last_year", "no_target", "otherwise"
]


class StatusStep(Settings):
    """A colour and when it is given; ``pct``, per cent of the target, goes with within_pct."""

    colour: Colour
    when: Condition
    pct: Annotated[float, Field(ge=0)] | None = None

    def _contradictions(self) -> dict[str, object]:
        return {"status_pct": (self.when == "within_pct") != (self.pct is not None)}
