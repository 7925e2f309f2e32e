"""From the tables of the store to the frames that measures take: one row a series and period."""

from dataclasses import dataclass

import pandas as pd

from pmf_analysis import period_spans, periods
from pmf_analysis.data import contract, disclosure
from pmf_analysis.data.accumulation import to_discrete
from pmf_analysis.measures.arrays import Column, Day, Frame, Known, Names
from pmf_analysis.parameters.workspace import Parameters

# Codes of nations (92), regions (12; in Scotland those are councils) and combined or metropolitan
# counties (13, 11, 47): sums over councils, never peers of one. Source: ONS Register of Geographic
# Codes.
AGGREGATE_AREA = r"^(?:[A-Z](?:92|13|11|47)\d{6}|[A-RT-Z]12\d{6}|K\d+)$"

_NAMES = {"indicator_id": "indicator", "area_code": "area", "value_status": "status"}


@dataclass(frozen=True)
class KnownCouncil:
    """What is known of one council at one date, ready to be measured."""

    register: Frame
    panel: Frame
    own: Frame
    changes: Frame
    targets: Frame
    peer_sets: Frame
    lists: Frame
    notes: Frame
    area: str
    period: periods.Period
    as_at: Day

    @property
    def evidence(self) -> Frame:
        """Totals of single councils: what is known of changes, here and elsewhere."""
        whole = self.panel["dimension"] == ""
        return self.panel[whole & ~is_aggregate(self.panel["area"])]


def is_aggregate(areas: Column) -> Column:
    """Whether each area code names a nation, region or county sum and not a council."""
    return areas.astype("str").str.match(AGGREGATE_AREA)


def base_starts(ends: Column, frequency: Column, otherwise: Column) -> Column:
    """First day of the last base period (month, quarter, year) of spans that end on `ends`.

    Weeks have seven days; frequencies without a fixed length give `otherwise`.
    """
    starts = otherwise.mask(frequency == "weekly", ends - pd.Timedelta(days=6))
    for name, months in period_spans.MONTHS_A_PERIOD.items():
        chosen = frequency == name
        starts[chosen] = ends[chosen] + pd.Timedelta(days=1) - pd.DateOffset(months=months)
    return starts


def measure_frame(observations: Frame, register: Frame) -> Frame:
    """Give observations the names that measures use, and no value that cannot be used.

    Parameters
    ----------
    observations
        Rows of the contract's table, after accumulation and disclosure. A column `accumulation`,
        where present, says how a row accumulates after differencing.
    register
        One row an indicator, keyed by `indicator`.

    Returns
    -------
    DataFrame
        series, indicator, area, area_name, dimension, dimension_value, period (start of the last
        base period: a rolling or year-to-date window moves, its first day may not), period_end,
        period_label, value (NaN unless its status is usable), numerator, denominator, ci_lower,
        ci_upper, sample_size, status, value_note, accumulation, decimals; sorted by series and
        period. Indicators that are not in the register are left out, and of several spans of one
        series that start together (a year, and three years pooled) all but the shortest.
    """
    known = observations[observations["indicator_id"].isin(register["indicator"])]
    frame = known.assign(series=contract.series_key(known)).rename(columns=_NAMES)
    columns = ["accumulation", "decimals", "frequency"]
    declared = frame[["indicator"]].join(register.set_index("indicator")[columns], on="indicator")
    said = frame.get("accumulation", declared["accumulation"])
    accumulation = said.mask(said.isna() | (said == ""), declared["accumulation"])
    windows, starts = accumulation.isin(["rolling", "ytd"]), frame["period_start"]
    lasts = base_starts(frame["period_end"], declared["frequency"], starts)
    value = frame["value"].where(frame["status"].isin(contract.USABLE_STATUSES))
    told = {"period": starts.mask(windows, lasts), "accumulation": accumulation}
    frame = frame.assign(**told, value=value, decimals=declared["decimals"])
    ordered = frame.sort_values(["series", "period", "period_end"], kind="stable")
    return ordered.drop_duplicates(["series", "period"], ignore_index=True)


def own_totals(frame: Frame, area: str) -> Frame:
    """Rows of one council that are not broken down by anything, by the newest definition.

    Values by an earlier definition are another series; they are kept, and not judged.
    """
    totals = frame[(frame["area"] == area) & (frame["dimension"] == "")]
    newest = totals.groupby("indicator")["definition_version"].transform("max")
    return totals[totals["definition_version"] == newest]


def judged_register(parameters: Parameters) -> Frame:
    """The register without what is never charted or scored, with the framework's exceptions."""
    frame = parameters.register.frame()
    frame = frame[frame["is_chartable"]].reset_index(drop=True)
    common = tuple((span.from_, span.to) for span in parameters.framework.exceptional_periods)
    spans = [(*common, *own) for own in frame["exceptional_periods"]]
    rate = frame["frequency"].map(periods.PERIODS_PER_YEAR).astype("float64")
    return frame.assign(exceptional_periods=pd.Series(spans, dtype="object"), periods_per_year=rate)


def in_exceptional_period(panel: Frame, register: Frame) -> Column:
    """Whether the middle of each row's period falls in a span that a person declared exceptional.

    Of a year that begins before the span and ends in it, the greater part decides. Without
    `period_end` the first day does.
    """
    declared = register.reindex(columns=["indicator", "exceptional_periods"])
    spans = declared.explode("exceptional_periods").dropna()
    inside = pd.Series(False, index=panel.index)
    middle = panel["period"] + (panel.get("period_end", panel["period"]) - panel["period"]) / 2
    for (first, last), who in spans["indicator"].groupby(spans["exceptional_periods"].map(tuple)):
        days = middle.between(pd.Timestamp(first), pd.Timestamp(last))
        inside |= days & panel["indicator"].isin(who)
    return inside


def shown_observations(
    observations: Frame, register: Frame, published: Known = None
) -> tuple[Frame, Frame]:
    """Make observations discrete and hide small counts, also across vintages; with the notes.

    Parameters
    ----------
    published
        Observations of the vintage before: what they showed may not give away what is hidden now.
    """
    harmless = set(register.loc[register["small_counts"] == "show", "indicator"])
    before = None
    if published is not None:
        known = published[published["indicator_id"].isin(register["indicator"])]
        before = disclosure.suppress(to_discrete(known, register)[0], exempt=harmless)
    discrete, notes = to_discrete(observations, register)
    return disclosure.suppress(discrete, exempt=harmless, history=before), notes


def sets_by_indicator(parameters: Parameters, peer_set: str, by_theme: Names) -> dict[str, str]:
    """Say which peer set each indicator is compared with: its theme's own, else the run's."""
    return {
        name: next((by_theme[theme] for theme in entry.themes if theme in by_theme), peer_set)
        for name, entry in parameters.register.indicators.items()
    }
