"""What a council may declare: frozen models that refuse every setting they do not know.

The fields are the settings of the files under ``parameters/``. A model checks one entry by
itself; what needs more than one, such as the name of a theme, is checked in ``checks``.
"""

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from pmf_analysis import periods, shipped
from pmf_analysis.parameters.judging_rules import ArrowRules, StatusStep, StatusStyle, TrendRules
from pmf_analysis.parameters.settings import Code, Settings, SettingsFile, Slug, Text, Titled

FileName = Annotated[str, Field(pattern=r"^([\w-][\w.-]*)?$", max_length=80)]
Share = Annotated[float, Field(ge=0, le=1)]
Whole = Annotated[int, Field(ge=0)]
Counting = Annotated[int, Field(ge=1)]

Analysis = Literal["trends", "benchmarking", "target_realism"]
Format = Literal["pdf", "word", "workbook", "charts", "slides"]
Polarity = Literal["higher", "lower", "range", "none", "unknown"]
Frequency = Literal["weekly", "monthly", "quarterly", "termly", "half_yearly", "annual", "biennial"]
Percentage = Literal["percentage", "survey_percentage"]
NotCharted = Literal["statement", "milestone", "ordinal"]
Numeric = Literal["rate", "count", "money", "days", "duration", "score", "index", "ratio"]
DataType = Literal[Percentage, Numeric, NotCharted]
# What people write for a unit of things that are only counted.
NO_UNIT = re.compile(r"(?i)\s*((nos?|num|numbers?)\.?|#)\s*")
_Drafted = Literal["title", "themes", "unit", "decimals", "rate_base", "year_type", "period_span"]
_Judging = Literal["data_type", "polarity", "frequency", "accumulation"]
Guessable = Literal[_Drafted, _Judging, "framework_refs", "sdl_ref"]
Statistic = Literal["proportion", "rate", "mean"]
Language = Literal["en", "cy"]

ANALYSES: tuple[Analysis, ...] = get_args(Analysis)
FORMATS: tuple[Format, ...] = get_args(Format)
_CHOICES = shipped.read_shipped("parameters/choices.yml")
VERDICTS: list[str] = _CHOICES["verdicts"]


def _usual_level(level: float) -> float:
    if level not in (95, 99.8):
        raise ValueError("the level of a comparison can be 95 or 99.8")
    return level


class Brand(Settings):
    """A council's own look and last words; ``logo`` and ``word_template`` are files beside it.

    ``contact`` is whom to ask for another format; ``licence`` that of what is published.
    """

    colour: Annotated[str, Field(pattern=r"^(#[0-9a-fA-F]{6})?$")] = ""
    logo: FileName = ""
    logo_alt: str = ""
    footer: str = ""
    contact: str = ""
    licence: str = ""
    licence_url: Annotated[str, Field(pattern=r"^(https://[^\s\"<>]+)?$")] = ""
    word_template: FileName = ""

    def _contradictions(self) -> dict[str, object]:
        return {"logo_without_alt": self.logo and not self.logo_alt.strip()}


class Council(Settings):
    """The council that reports; ``notice`` is printed on every page when it is not empty."""

    id: Slug
    name: Text
    area_code: Code
    notice: str = ""
    brand: Brand = Brand()


class Director(Settings):
    """A director's post, which owns indicators and themes; dates where the post came or went."""

    id: Slug
    role: Text
    valid_from: date | None = None
    valid_to: date | None = None


class Theme(Titled):
    """A theme of the council's plan; it gets one report of each analysis."""

    director: Slug
    description: str = ""


class ScorecardSection(Titled):
    """A part of a theme's scorecard that has no analyses of its own."""

    theme: Slug
    description: str = ""


class TargetBands(Settings):
    """The least chance of meeting a target for each verdict; below the last it is not realistic."""

    too_easy: Share = 0.85
    little_stretch: Share = 0.60
    challenging: Share = 0.30
    stretch: Share = 0.10

    def _contradictions(self) -> dict[str, object]:
        bands = list(self.model_dump().values())
        return {"bands_rise": any(first <= second for first, second in pairwise(bands))}


class ExceptionalPeriod(Settings):
    """Days on which values do not tell of the usual course of things, with the reason."""

    from_: date = Field(alias="from")
    to: date
    reason: Text

    def _contradictions(self) -> dict[str, object]:
        return {"ends_before": self.to < self.from_}


class ComparisonRules(Settings):
    """How sure a comparison with peers must be.

    ``level`` is in per cent; ``overdispersion`` widens the usual spread to what like councils
    differ by; ``gap_years`` close a gap; ``lead_years`` is how far back improvements are sought.
    """

    level: Annotated[float, AfterValidator(_usual_level)] = 95
    overdispersion: bool = True
    gap_years: Counting = 3
    lead_years: Counting = 3


TargetKind = Literal["floor", "improvement", "trajectory", "statutory", "contractual", "ambition"]
FINDING: dict[str, list[str]] = _CHOICES["finding_steps"]
TargetStepName = Literal[
    "required", "neighbours", "nation", "more_challenging", "already_better", "as_challenging",
    "rationale", "comparator", "may_change",
]  # fmt: skip


class TargetStep(Settings):
    """A step of :class:`TargetRule`: a named condition and its settings (see FINDING)."""

    # Kinds that are required; which benchmark (by default the run's), and its greatest age
    step: TargetStepName
    kinds: Annotated[tuple[TargetKind, ...], Field(min_length=1)] = ("statutory", "contractual")
    peer_set: str = ""
    place: Literal["median", "best_quarter"] = "median"
    months: Counting = 24

    def _contradictions(self) -> dict[str, object]:
        return {"step_settings": self.model_fields_set - {"step", *FINDING.get(self.step, [])}}


class TargetRule(Settings):
    """How targets are set, step by step; the default is Brighton & Hove's, of 2020 to 2024."""

    steps: tuple[TargetStep, ...] = tuple(TargetStep(step=x) for x in get_args(TargetStepName))

    def _contradictions(self) -> dict[str, object]:
        names = [step.step for step in self.steps]
        before = names[: next((n for n, name in enumerate(names) if name in FINDING), None)]
        compares = {*before} - {"rationale", "comparator"}
        return {"step_twice": len({*names}) < len(names), "compares_nothing": compares}


class ValuePair(Titled):
    """What a service costs, and what it achieves: two indicators that are read together."""

    cost: Code
    performance: Code


class Framework(SettingsFile):
    """A council's performance framework: its themes, directors and thresholds.

    ``language`` is that of the reports: English, or Welsh (cy); ``data_language`` that of titles,
    commentary and other texts of register and data. ``status_style`` is what a theme's page says of
    each indicator: whether it changed (spc), the council's own colour too (rag) or neither (none).
    The first step of ``status_rule`` that holds gives the colour.
    """

    title: Text
    council: Council
    themes: Annotated[tuple[Theme, ...], Field(min_length=1)]
    directors: Annotated[tuple[Director, ...], Field(min_length=1)]
    language: Language = "en"
    data_language: Language = "en"
    year_type: periods.YearType = "financial"
    analyses: tuple[Analysis, ...] = ANALYSES
    target_bands: TargetBands = TargetBands()
    trend_rules: TrendRules = TrendRules()
    arrows: ArrowRules = ArrowRules()
    comparison: ComparisonRules = ComparisonRules()
    target_rule: TargetRule = TargetRule()
    value_for_money: tuple[ValuePair, ...] = ()
    status_style: StatusStyle = "spc"
    status_rule: tuple[StatusStep, ...] = ()
    status_words: dict[str, Text] = Field(default_factory=dict)
    exceptional_periods: tuple[ExceptionalPeriod, ...] = ()
    scorecard: tuple[ScorecardSection, ...] = ()

    def _contradictions(self) -> dict[str, object]:
        whens, last = [step.when for step in self.status_rule], "otherwise"
        return {
            "rag_without_rule": self.status_style == "rag" and not whens,
            "status_otherwise": whens and (whens[-1] != last or whens.count(last) > 1),
        }


class Indicator(Settings):
    """What an indicator is and how it is judged.

    ``polarity`` says which direction is good; ``unknown`` is not judged. ``minimum`` and
    ``maximum`` bound its values: 0 to 100 for percentages and from 0 for counts, rates, money,
    days and durations, unless declared or ``allow_negative``. ``standard_population`` weighs the
    members of ``standardised_by``, a dimension such as age; ``reference_groups`` says for a
    dimension which group the others are compared with. ``parts`` are the indicators that make it
    up: their totals add up to its own, and a rate or share lies between theirs. ``guessed`` are the
    settings that a draft has guessed and nobody has confirmed, each with the reason.
    """

    id: Code
    title: Text
    short_title: str = ""
    definition: str = ""
    definition_version: Counting = 1
    valid_from: date | None = None
    valid_to: date | None = None
    themes: Annotated[tuple[Slug, ...], Field(min_length=1)]
    tier: Literal["corporate", "service", "statutory", "operational", "context"] = "corporate"
    kind: Literal["input", "activity", "output", "outcome", "perception"] = "outcome"
    data_type: DataType
    unit: str = ""
    decimals: Annotated[int, Field(ge=0, le=6)] = 1
    rate_base: Counting | None = None
    polarity: Polarity = "unknown"
    target_low: float | None = None
    target_high: float | None = None
    frequency: Frequency
    year_type: periods.YearType = "financial"
    accumulation: Literal["discrete", "ytd", "rolling", "snapshot"] = "discrete"
    period_span: Annotated[str, Field(pattern=r"^([1-9][0-9]?[mqy])?$")] = ""
    control: Literal["council", "shared", "city"] = "council"
    owner: str = ""
    director: Slug
    source: str = ""
    source_url: str = ""
    licence: str = ""
    framework_refs: tuple[str, ...] = ()
    leads_to: str = ""
    sdl_ref: str = ""
    aliases: tuple[str, ...] = ()
    publish_lag_days: Whole | None = None
    allow_negative: bool = False
    minimum: float | None = None
    maximum: float | None = None
    price_basis: Literal["", "current", "constant"] = ""
    small_counts: Literal["hide", "show"] = "hide"
    standardised_by: Slug | Literal[""] = ""
    standard_population: dict[Text, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    reference_groups: dict[Text, Text] = Field(default_factory=dict)
    parts: tuple[Code, ...] = ()
    quality_note: str = ""
    exceptional_periods: tuple[ExceptionalPeriod, ...] = ()
    guessed: dict[Guessable, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fill_by_data_type(cls, given: Any) -> Any:
        """Fill unit, short title and bounds that follow from the data type."""
        if not isinstance(given, dict):
            return given
        if NO_UNIT.fullmatch(str(given.get("unit", ""))):
            given = given | {"unit": "number"}  # which no page writes behind a figure
        follows = _CHOICES["follows"].get(str(given.get("data_type")), {})
        if given.get("allow_negative") is True:
            follows = {name: value for name, value in follows.items() if name != "minimum"}
        return {"short_title": given.get("title", ""), **follows, **given}

    def _contradictions(self) -> dict[str, object]:
        low, high = self.target_low, self.target_high
        first, last = self.valid_from or date.min, self.valid_to or date.max
        is_ytd_rate = self.data_type == "rate" and self.accumulation == "ytd"
        is_weighed = len(self.standard_population) > 1
        return {
            "range_without_targets": self.polarity == "range" and None in (low, high),
            "targets_crossed": low is not None and high is not None and low > high,
            "no_unit": self.is_chartable and not self.unit,
            "no_rate_base": is_ytd_rate and self.rate_base is None,
            "no_period_span": self.accumulation == "rolling" and not self.period_span,
            "half_standardised": bool(self.standardised_by) != is_weighed,
            "valid_to_before": last < first,
        }

    @property
    def is_chartable(self) -> bool:
        """Whether it has numbers; statements, milestones and judgements are only printed."""
        return self.data_type not in get_args(NotCharted)

    @property
    def statistic(self) -> Statistic | None:
        """The statistic of which a value with counts is an estimate; None where there is none."""
        found: Statistic | None = _CHOICES["statistics"].get(self.data_type)
        return None if found == "rate" and not self.rate_base else found


class IndicatorFile(SettingsFile):
    """``parameters/indicators.yml``, or ``parameters/register.xlsx``."""

    indicators: tuple[Indicator, ...]


class RunSpec(SettingsFile):
    """A run: which council, period and themes, as known on which day.

    ``accepted_notebooks`` holds the fingerprints of the council's own notebooks that
    ``pmf check --accept`` has let in; any other notebook than the shipped ones is refused.
    Without a ``peer_set`` the benchmarking pages say what could be compared, and with whom.
    ``formats`` are those in which copies of the pages are made.
    """

    council: Slug
    framework: Text = "framework.yml"
    period: Text
    as_at: date
    themes: Annotated[
        Annotated[Literal["all"], Tag("word")] | Annotated[tuple[Slug, ...], Tag("list")],
        Discriminator(lambda given: "word" if given == "all" else "list"),
    ] = "all"
    analyses: tuple[Analysis, ...] = ANALYSES
    formats: tuple[Format, ...] = ()
    peer_set: str = ""
    peer_sets_by_theme: dict[Slug, Text] = Field(default_factory=dict)
    seed: Whole = 0
    accepted_notebooks: dict[str, str] = Field(default_factory=dict)
