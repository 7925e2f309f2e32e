"""The small files beside framework and register: corrections, storage and publication."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from pmf_analysis.parameters.settings import Code, Settings, SettingsFile, Text

# Neither passwords nor signatures; those come from the environment.
Address = Annotated[str, Field(pattern=r"^[a-z]+://[^\s?#:;]+$", max_length=300)]
Published = Literal["html", "csv", "pdf", "word", "workbook"]


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
    """``parameters/corrections.yml``: values that the council puts right by hand."""

    corrections: tuple[Correction, ...]


class StorageFile(SettingsFile):
    """``parameters/storage.yml``: where data and copies of runs are; else all is in the workspace.

    ``store`` holds what was imported, ``runs`` gets a copy of every run that has finished, and
    ``notebooks`` are read from there in place of the workspace's own. ``tables`` adds to the store
    what is known now, as tables for other programs.
    """

    store: Address | None = None
    runs: Address | None = None
    notebooks: Address | None = None
    tables: Literal["parquet", "delta"] | None = None


class Approval(Settings):
    """That one publication, pinned by the hash of its content, may leave the council.

    ``approved_by`` is a post and not a person's name.
    """

    content: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    approved_by: Text
    approved_on: date


class PublicationFile(SettingsFile):
    """``parameters/publication.yml``: ``reports`` are themes, or a theme and an analysis of it."""

    reports: tuple[Text, ...] = ()
    formats: Annotated[tuple[Published, ...], Field(min_length=1)] = ("html", "csv")
    approvals: tuple[Approval, ...] = ()

    def allows(self, report: str) -> bool:
        """Whether a report, named as theme/analysis, or its whole theme is on the list."""
        return bool({report, report.partition("/")[0]} & {*self.reports})
