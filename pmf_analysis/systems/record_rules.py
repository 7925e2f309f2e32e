"""Rules for the period, value and target of a record.

Its period comes from its first day and frequency, else from its label. Values and targets are
judged by their state, bounds, counts and day, and by what looks odd.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from pmf_analysis import periods
from pmf_analysis.data.contract import ABSENT_STATUSES, column_names
from pmf_analysis.period_spans import (
    KIND_OF_FREQUENCY,
    MONTHS_A_PERIOD,
    YEAR_STARTS,
    months_of_span,
)
from pmf_analysis.problems import PmfError
from pmf_analysis.systems import mapping, values
from pmf_analysis.systems.results import LAYOUT, RULES, Case

_FREQUENCY_OF_KIND = {str(kind): frequency for frequency, kind in KIND_OF_FREQUENCY.items()}
_DAY = "datetime64[us]"
_OUTSIDE = "the period is outside the calendar."
_ANSWER = {"start": _DAY, "end": _DAY, "frequency": "str", "fits": "bool", "reason": "str"}
_COUNTS = ["numerator", "denominator"]
_LIMITS = ["ci_lower", "ci_upper"]
# Where all other percentages of an indicator are above 10, one of 1 or less is a fraction if 100
# times it is not far outside their range.
_PLAIN, _NEAR = 10, 1.5
_HISTORY = 5  # and where the middle of what is known of it is above this


def set_periods(case: Case) -> pd.Series[bool]:
    """Set start, end and frequency of each record; returns which are of a length to be ignored.

    A first day and frequency decide where the file carries them; the label is then only shown.
    Values of, say, a whole year among those of a quarterly indicator are held back, or ignored
    where the mapping says so; targets and texts may well be for a year.
    """
    raw, typed = case.raw, case.typed
    nothing = pd.Series(False, index=raw.index)
    columns = column_names(case.records.table)
    if "period_start" not in columns:
        return nothing
    found = _answers(case)
    failed = (found["reason"] != "") & ~case.bad
    case.tell(failed, "period", "period-of-record", reason=found["reason"])
    dated, typed["period_start"] = typed["period_start"].notna(), found["start"]
    if "period_end" in columns:
        # The first day of a target does not say whether it is for a month or a year.
        is_open = case.records.table == "targets" and "frequency" not in case.mapping.columns
        guessed = dated & is_open & (_spans(case) != "label")
        typed["period_end"] = typed["period_end"].fillna(found["end"].mask(guessed))
    case.hold_to("periods", period_end=typed.get("period_end", found["end"]), reason=_OUTSIDE)
    if "frequency" not in columns:  # only observations have one, and only they must fit it
        return nothing
    given = typed["frequency"]
    typed["frequency"] = found["frequency"]
    declared = case.facts["frequency"]
    is_other = given.isin(periods.PERIODS_PER_YEAR) & declared.notna() & (given != declared)
    other = ~(found["fits"] & _has_length_of_register(case)) | is_other
    other &= ~failed & (typed["period_end"] >= typed["period_start"])
    if case.mapping.period.other_lengths == "ignore":
        return other & ~case.bad
    frequency, span = (case.facts[name].fillna("") for name in ("frequency", "period_span"))
    wanted = frequency.astype("str") + (" or spans " + span.astype("str")).where(span != "", "")
    case.tell(other, "period", "period-length", wanted=wanted)
    return nothing


def widen_to_years(case: Case) -> pd.Series[bool]:
    """Give targets beside values to date the year as their period; returns which are spare.

    A running figure aims at its year's end. Where the header or `target_basis` says what the
    target is for, or the targets of a year differ, as milestones do, they keep their periods.
    """
    typed, facts, beside = case.typed, case.facts, case.mapping.table == "observations"
    start = typed["period_start"]
    running = beside & (facts["accumulation"] == "ytd") & start.notna() & ~case.bad
    running &= case.raw_text("target_basis").str.strip() == ""
    if case.mapping.unpivot is not None:
        labels = pd.Series(case.records.labels("target", running | True), index=start.index)
        has_own = {label: case.mapping.unpivot.names_period(label) for label in labels.unique()}
        running &= ~labels.map(has_own).astype(bool)
    first = facts["year_type"].map(YEAR_STARTS).fillna(4).astype("int64")
    of = pd.DataFrame({"year": start.dt.year - (start.dt.month < first), "month": first, "day": 1})
    key = [typed["indicator_id"], typed["area_code"], of["year"]]
    running &= typed["target"].where(running).groupby(key).transform("nunique") <= 1
    begins: Any = pd.to_datetime(of[running])
    typed.loc[running, "period_start"] = begins
    typed.loc[running, "period_end"] = begins + pd.DateOffset(years=1, days=-1)
    spare = typed[running & typed["target"].notna()].duplicated(
        ["indicator_id", "area_code", "period_start"]
    )
    return spare.reindex(start.index, fill_value=False)


def _has_length_of_register(case: Case) -> pd.Series[bool]:
    """Whether each record lasts as long as its indicator's frequency or period span says.

    A rolling value may be named by the last period of its window, unless its indicator has values
    of both lengths in the file.
    """
    facts, start = case.facts, case.typed["period_start"]
    after = case.typed["period_end"] + pd.Timedelta(days=1)
    days = (after - start).dt.days
    months = (after.dt.year - start.dt.year) * 12 + after.dt.month - start.dt.month
    months = months.where(after.dt.day == start.dt.day, 0)
    usual = facts["frequency"].map(MONTHS_A_PERIOD | {"weekly": 0}).astype("float64")
    spans = facts["period_span"].where(facts["period_span"] != "")
    span = spans.map(months_of_span, na_action="ignore").astype("float64")
    pooled = (months == span) & (span != usual)
    both = pooled.groupby(case.typed["indicator_id"]).transform("any") & ~pooled
    known = {"months": months, "days": days, "usual": usual, "span": span, "pooled": pooled}
    known |= {"both": both, "grows": _spans(case) == "label", "usual_name": facts["frequency"]}
    return case.where(RULES["length"], **known).astype(bool)


def _answers(case: Case) -> pd.DataFrame:
    """Return the period of each record, or the reason why there is none; asked once of the same."""
    facts, rule = case.facts, case.mapping.period
    rolling = facts["period_span"].where(facts["accumulation"] == "rolling")
    declared = facts["year_type"].astype("object").where(facts["year_type"].notna(), None)
    asked = case.typed[["period_start"]].assign(
        label=case.raw_text("period_label").str.strip(),
        given=case.typed.get("frequency", ""),
        declared=facts["frequency"].astype("object").fillna(rule.frequency or ""),
        span=_spans(case).fillna(rolling).fillna(""),
        year_type=declared if rule.year_type is None else rule.year_type,
    )
    number = asked.groupby([*asked], dropna=False, sort=False).ngroup()
    distinct = asked.drop_duplicates().itertuples(index=False, name=None)
    answers = pd.DataFrame([_answer(*question) for question in distinct], columns=[*_ANSWER])
    return answers.astype(_ANSWER).iloc[number].set_axis(asked.index)


def _spans(case: Case) -> pd.Series[Any]:
    """Return the length that the mapping gives for each record's frequency text, NaN for none."""
    spans = {mapping.spelling(text): span for text, span in case.mapping.period.spans.items()}
    return case.raw_text("frequency").map(mapping.spelling).map(spans).astype("object")


def _answer(
    start: Any, label: str, given: str, declared: str, span: str, year_type: Any
) -> tuple[Any, Any, str, bool, str]:
    """Return first and last day, frequency, whether it fits the register's, and why there is none.

    `declared` is the frequency of the register.
    """
    try:
        if pd.notna(start) and span != "label":
            day, frequency = start.date(), given or declared
            period = periods.period_from_start(day, frequency, year_type or "financial", span)
        else:
            period = _of_label(label, given, declared, year_type)
    except PmfError as error:
        return pd.NaT, pd.NaT, "", True, error.problems[0].message
    except (ValueError, OverflowError):  # of a period that ends after the year 9999
        return pd.NaT, pd.NaT, "", True, _OUTSIDE
    frequency = given or _FREQUENCY_OF_KIND.get(period.kind, declared)
    days = pd.Timestamp(period.start), pd.Timestamp(period.end)
    return *days, frequency, period.fits(declared), ""


def _of_label(label: str, given: str, declared: str, year_type: Any) -> periods.Period:
    if not label:
        raise PmfError("the period is missing.")
    try:
        return periods.parse_period(label, year_type=year_type, frequency=given or declared or None)
    except PmfError as error:
        # A year's target of a quarterly indicator: the register's frequency is only a hint.
        if given or not declared or isinstance(error, periods.AmbiguousPeriodError):
            raise
        return periods.parse_period(label, year_type=year_type)


def judge_observations(case: Case, as_at: date) -> None:
    """Set the state of each value, quarantine what cannot be, and note what looks odd."""
    case.typed["value_status"] = _statuses(case)
    _blank_beside_absent(case)
    case.hold_to("values")
    _refuse_percentages(case, ["value", *_LIMITS, *_COUNTS])
    derived = _derived(case)
    _refuse_fractions(case, "value", derived)
    case.hold_to("fractions")
    case.hold_to("observations", today=pd.Timestamp(as_at), as_at=as_at, derived=derived)


def judge_targets(case: Case) -> None:
    """Quarantine targets that their indicator can never reach, or that show another unit."""
    case.hold_to("targets")
    for name in RULES["aims"]:
        _refuse_percentages(case, [name])
        _refuse_fractions(case, name, float("nan"))


def _blank_beside_absent(case: Case) -> None:
    """Leave out counts and limits beside a value that is not shown; they would give it away."""
    beside = [*_COUNTS, *_LIMITS]
    absent = case.typed["value_status"].isin(ABSENT_STATUSES)
    filled = absent & case.typed[beside].drop(columns="denominator").notna().any(axis=1)
    names = [name for name in beside if case.typed.loc[filled, name].notna().any()]
    case.typed.loc[absent, beside] = float("nan")
    case.tell(filled, (*names, "value")[0], "beside-absent-value", names=", ".join(names))


def _shows_percent(case: Case, name: str) -> pd.Series[bool]:
    """Whether a reader of each cell sees a per-cent sign."""
    return case.records.marked(name, "percent") | case.raw_text(name).str.strip().str.endswith("%")


def _refuse_percentages(case: Case, names: list[str]) -> None:
    """Quarantine percentages where the register, or the column itself, is of something else."""
    unit = case.facts["unit"].fillna("").astype("str")
    is_percent = case.facts["is_percentage"] | unit.str.contains("%|per ?cent", case=False)
    for name in [name for name in names if name in case.raw]:
        shown, is_count = _shows_percent(case, name), name in _COUNTS
        wrong = shown if is_count else shown & ~is_percent & (unit != "")
        meant = unit.where(unit == "", "a count") if is_count else unit
        case.tell(wrong, name, "shown-as-percentage", meant=meant)


def _refuse_fractions(case: Case, name: str, derived: pd.Series[float] | float) -> None:
    """Quarantine what looks like a fraction among percentages: 0.76 beside 75, or beside 75 %.

    A cell that shows a per-cent sign is none, nor is a value that its counts give, nor one whose
    neighbours are small too.
    """
    shown, typed = _shows_percent(case, name), case.typed
    value = typed[name].where(case.facts["is_percentage"] & ~case.bad)
    small = (value > 0) & (value <= 1) & ~shown & ~((derived - value).abs() <= 0.6)
    above = value.where(value > 1).groupby(typed["indicator_id"])
    low, high = above.transform("min"), above.transform("max")
    odd = small & (low > _PLAIN) & (value * 100).between(low / _NEAR, high * _NEAR)
    with_sign = shown & value.notna()
    for beside in (case.raw[LAYOUT], typed["indicator_id"]):
        odd |= small & with_sign.groupby(beside).transform("any")
    case.tell(odd, name, "stored-as-fraction")
    usual = case.facts["usual"]
    beside = small & ~odd & (usual > _HISTORY) & (value * 10 < usual)  # nearer to it as 100 times
    case.tell(beside, name, "fraction-beside-history", usual=usual)


def _derived(case: Case) -> pd.Series[float]:
    """Return the percentage or rate that the counts give; NaN where there are none."""
    facts, below = case.facts, case.typed["denominator"]
    scale = facts["rate_base"].where(facts["data_type"] == "rate")
    scale = scale.mask(facts["is_percentage"], 100.0)
    return scale * case.typed["numerator"] / below.where(below > 0)


def _statuses(case: Case) -> pd.Series[str]:
    """Return the state of each value: as its text, the file or its label says, else final.

    Without a value, a text in the cell decides, then the status the file declares, then what the
    mapping says of empty cells.
    """
    value, cells = case.typed["value"], case.raw["value"]
    declared = case.typed["value_status"].where(case.raw_text("value_status").str.strip() != "", "")
    is_absent = declared.isin(ABSENT_STATUSES)
    case.tell(value.notna() & is_absent, "value", "value-not-for-use")
    # Some systems leave the cell empty and say why in a note.
    said = cells.astype("str").mask(values.is_blank(cells), case.raw_text("value_note"))
    in_text = values.state_of_text(said.where(value.isna(), ""), case.mapping.values)
    absent = in_text.mask(is_absent & (values.is_blank(cells) | (in_text == "")), declared)
    label = case.raw_text("period_label")
    marks = label.map({text: periods.split_mark(text)[1] for text in label.unique()})
    marks = marks.where(marks.isin(["revised", "provisional"]), "final")
    return declared.where(declared != "", marks).where(value.notna(), absent.replace("", "missing"))
