"""Values that the council puts right by hand: ``corrections.yml``."""

from datetime import date
from typing import Literal

from pmf_analysis.parameters.settings import Code, Settings, SettingsFile, Text


class Correction(Settings):
    """One value put right by hand, with the reason.

    ``expect`` is the value that the source still shows; when the source is mended the correction
    no longer fits and is reported, so that none outlives its cause.
    """

    indicator: Code
    period: Text
    area: str = ""
    action: Literal["replace", "drop", "note"]
    expect: float | None = None
    value: float | None = None
    reason: Text
    provided_by: Text
    recorded_on: date
    status: Literal["open", "reported_to_source", "closed"] = "open"

    def _contradictions(self) -> dict[str, object]:
        return {
            "replace_without_value": self.action == "replace" and self.value is None,
            "without_expect": self.action != "note" and self.expect is None,
        }


class CorrectionFile(SettingsFile):
    """``parameters/corrections.yml``."""

    corrections: tuple[Correction, ...]
