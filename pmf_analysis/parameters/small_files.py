"""The files beside framework and register, most of which there may be none of.

Days in ``charts.yml`` are compared with the first day of each period: a rebase from 1 November
begins with the first period that starts on that day or later, and a baseline until 31 March ends
with the last period that starts on that day or before. Each decision says why, who answers for it
and since when, since a usual range that is drawn anew can hide a failure. In ``wording.yml`` stand
under a language the entries of its bank that the council says in its own way: each has the slots
of the entry in whose place it stands, is as short, and says nothing that no page may say.
"""

from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field

from pmf_analysis.parameters.settings import Code, Settings, SettingsFile, Slug, Text, Titled

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


class Decision(Settings):
    """What was decided on one indicator: why, by which post, and recorded on which day."""

    indicator: Code
    reason: Text
    owner: Text
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


class Annotation(Settings):
    """Something that happened, named on the chart; it changes no figure."""

    indicator: Code
    on: date
    text: Text
    owner: str = ""


class ChartFile(SettingsFile):
    """``parameters/charts.yml``: its rows are plain, for whoever makes tables of them."""

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


class PeerSetSpec(Titled):
    """Councils compared with, in one of three ways, or imported and only described here.

    ``members`` lists them in order of likeness; ``characteristics`` are indicators by which the
    ``size`` likest councils are found, ``among`` those of another set; ``everyone`` is every
    council with figures.
    """

    source: Text
    as_at: date
    members: dict[Code, Text] = Field(default_factory=dict, min_length=1)
    characteristics: Annotated[tuple[Code, ...], Field(min_length=1)] = ()
    size: Annotated[int, Field(ge=5)] = 15
    among: Slug | Literal[""] = ""
    everyone: bool = False

    def _contradictions(self) -> dict[str, object]:
        ways = bool(self.members) + bool(self.characteristics) + self.everyone
        not_built = {"size", "among"} & self.model_fields_set and not self.characteristics
        return {"several_ways": ways > 1, "size_of_no_built_set": not_built}

    @property
    def is_described(self) -> bool:
        """Whether its members are not known from here, so that they must come with the data."""
        return not (self.members or self.characteristics or self.everyone)


class PeerSetFile(SettingsFile):
    """``parameters/peer_sets.yml``."""

    peer_sets: tuple[PeerSetSpec, ...]


class WordingFile(SettingsFile):
    """Entries of the banks by their dotted names, in a council's own words."""

    en: dict[str, Text] = Field(default_factory=dict)
    cy: dict[str, Text] = Field(default_factory=dict)

    def of(self, language: str) -> dict[str, str]:
        """Return the council's own words in a language."""
        found: dict[str, str] = getattr(self, language)
        return found


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
