"""What of a council's reports may be published, and who approved it: ``publication.yml``."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from pmf_analysis.parameters.settings import Settings, SettingsFile, Text

Published = Literal["html", "csv", "pdf", "word", "workbook"]


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
