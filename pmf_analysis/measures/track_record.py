"""What became of past targets and of chances given for them: the record, and how far to trust it.

A small record looks bad by luck alone: a perfect forecaster shows a calibration error of .09 on
120 targets. So every figure stands beside what a perfect forecaster with these very chances would
show, and below FEWEST questions there is no figure at all.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import Column, Day, Frame, Known
from pmf_analysis.measures.polarity import SIGNS, TARGETS, first_text, is_met
from pmf_analysis.measures.questions import live_targets
from pmf_analysis.periods import PERIODS_PER_YEAR, period_from_start
from pmf_analysis.shipped import read_shipped

KNOWN = read_shipped("measures/track_record.yml")
"""`base_rates`: how often councils meet targets; `shipped`: records of our own exam."""
OUTCOMES, RECORDS = KNOWN["outcomes"], KNOWN["records"]
FEWEST, BANDS, THIRDS = 60, ("low", "middle", "high"), (1 / 3, 2 / 3)
_BINS, _TRIALS, _TINY = 10, 1000, 1e-9


def outcomes(
    targets: Frame, own: Frame, sealed: Known, asked: Known, register: Frame, *, as_at: Day
) -> Frame:
    """Every target whose period is over, and every chance given before, with what happened.

    Parameters
    ----------
    targets
        The contract's table of this council, superseded rows too.
    own
        Observations of the council: series, indicator, period, value (NaN: not usable); where
        known denominator.
    sealed, asked
        As `open_seals` and `backtest` give them; None for none.

    Returns
    -------
    DataFrame
        OUTCOMES, a row a target (source "targets", without a chance), sealed chance ("sealed") and
        back-tested question ("backtest"). `met` is 1, 0, or NaN with a reason. Tolerances do not
        count; values count as published.
    """
    parts = [judged(past_targets(targets, own, register, as_at=as_at), own, "targets")]
    if sealed is not None and len(sealed):
        due = sealed[sealed["period_end"] <= pd.Timestamp(as_at)]
        parts.append(judged(due, own, "sealed"))
    parts += [] if asked is None else [asked]
    table = pd.concat([part.reindex(columns=OUTCOMES) for part in parts], ignore_index=True)
    return table[table["series"].isin(own["series"])].reset_index(drop=True)


def past_targets(targets: Frame, own: Frame, register: Frame, *, as_at: Day) -> Frame:
    """Targets whose period is over, as they stood when it ended; baselines are left out.

    One that was replaced only afterwards still counts, and what replaced it then is refused.

    Returns
    -------
    DataFrame
        As `live_targets` and `with_aims` give it.
    """
    ends = targets.set_index("target_id")["period_end"].reindex(targets["supersedes"])
    stood = targets["supersedes"].mask(targets["set_on"] > ends.set_axis(targets.index), "")
    rows = live_targets(targets.assign(supersedes=stood), own, register)
    rows = rows[(rows["period_end"] <= pd.Timestamp(as_at)) & (rows["kind"] != "baseline")]
    late = rows["set_on"] > rows["period_end"]
    refused = rows["refused"].mask(late, "The target was set after its period.")
    return with_aims(rows.assign(refused=refused), register)


def with_aims(rows: Frame, register: Frame) -> Frame:
    """Add to targets what `judged` and `seal` need: better, decimals, frequency, period_end."""
    names = ["decimals", "frequency", "polarity", *TARGETS[1:]]
    declared = register.set_index("indicator").reindex(rows["indicator"]).reindex(columns=names)
    declared = declared.set_axis(rows.index).astype({"decimals": "float64"})
    spans = zip(rows["period"], declared["frequency"], strict=True)
    ends = [period_from_start(start, frequency).end for start, frequency in spans]
    asked = rows.reindex(columns=TARGETS).astype("float64").fillna(declared[TARGETS[1:]])
    kept = declared[names[:3]].set_axis([*names[:2], "better"], axis=1)
    return rows.assign(**asked, **kept, period_end=pd.to_datetime(pd.Series(ends, rows.index)))


def judged(rows: Frame, own: Frame, source: str) -> Frame:
    """Put what happened beside questions: outcome, met and, where that is not known, reason.

    Parameters
    ----------
    rows
        series, period (start of the last base period) and what `with_aims` adds; for totals and
        averages of a year so far first and how ("sum", "mean"); where known refused.
    """
    rows = rows.reset_index(drop=True)
    value, refused = _values(rows, own), rows.get("refused", pd.Series("", rows.index))
    sign = rows["better"].map(SIGNS).fillna(1).astype("float64")
    scale = 10.0 ** rows["decimals"].astype("float64")
    published = sign * np.floor(sign * value * scale + 0.5 + _TINY) / scale
    met = is_met(published.fillna(value), rows["better"], rows[TARGETS])
    texts = [(refused != "", refused), (value.isna(), "There is no value for its period.")]
    reason = first_text(rows.index, [*texts, (met.isna(), "What would meet it is not declared.")])
    told = {name: rows.get(name, "") for name in ("sealed_on", "as_at", "seal")}
    met = met.mask(reason != "")
    return rows.assign(**told, outcome=value, met=met, reason=reason, source=source)


def _values(rows: Frame, own: Frame) -> Column:
    """Value of each period, or sum or mean of the year so far; NaN where any part is missing."""
    how = rows.get("how", pd.Series("", rows.index))
    begins = rows.get("first", rows["period"]).where(how != "", rows["period"])
    asked = rows[["series"]].assign(row=rows.index, begins=begins, ends=rows["period"])
    parts = asked.merge(own.reindex(columns=["series", "period", "value", "denominator"]))
    parts = parts[parts["period"].between(parts["begins"], parts["ends"])]
    parts = parts.assign(number=1.0, weighed=parts["value"] * parts["denominator"])
    names = ["value", "denominator", "weighed", "number"]
    sums = parts.groupby("row")[names].sum(skipna=False).reindex(rows.index)
    rate = rows["frequency"].map(PERIODS_PER_YEAR).astype("float64")
    whole = ((rows["period"] - begins).dt.days / 365.25 * rate).round() + 1
    total = sums["value"].where(sums["number"] == whole)
    average = (sums["weighed"] / sums["denominator"]).fillna(total / whole)
    return total.mask(how == "mean", average.where(total.notna()))


def records(table: Frame, *, groups: Mapping[str, Sequence[str]], seed: int = 0) -> Frame:
    """How the chances of `outcomes` did, whole and by group, beside what perfect ones would show.

    Parameters
    ----------
    groups
        Indicators of each theme, directorate or other group. Beside them "all", and of questions
        put to the past "set_by_people", without those by rule.

    Returns
    -------
    DataFrame
        RECORDS. Band "all" has the scores: mean chance (said), share met (seen), Brier score, skill
        against how often each kind of target was met in this very table (a demanding reference),
        10-bin calibration error. The bars hold, in 95 of 100 cases, the share that a perfect
        forecaster with these chances would see, perfect_error is its mean calibration error;
        questions about one value are met together there. Targets without a chance: n and seen.
        Rows "shipped" tell of our own exam.
    """
    known = table[table["probability"].notna() | (table["source"] == "targets")]
    order = ["sealed_on", "as_at", "seal", "series", "period", "target_id"]
    # of a question sealed in several runs the chance sealed first counts, whatever day it names
    known = known.dropna(subset=["met"]).sort_values(order)
    known = known.drop_duplicates(["source", "target_id", "period"])
    by_people = (known["source"] == "backtest") & ~known["kind"].isin(KNOWN["rules"])
    chosen = {"all": known["met"].notna(), "set_by_people": by_people}
    chosen |= {name: known["indicator"].isin(members) for name, members in groups.items()}
    rows: list[dict[str, object]] = []
    for group, members in chosen.items():
        for source, part in known[members].groupby("source"):
            whose: dict[str, object] = {"source": source, "group": group, "reason": ""}
            rows += [whose | row for row in _scores(part, seed)]
    shipped = [dict(zip(RECORDS, row, strict=True)) for row in KNOWN["shipped"]]
    return pd.DataFrame([*rows, *shipped], columns=RECORDS)


def _scores(part: Frame, seed: int) -> Iterator[dict[str, object]]:
    """Rows of one group, in the order of the bands and with the whole last."""
    n, (chance, met) = len(part), part[["probability", "met"]].to_numpy(float).T
    if n < FEWEST or np.isnan(chance).all():
        few = f"Only {n} chances have come to their end; a record needs {FEWEST}."
        reason = few if np.isfinite(chance).any() else ""
        yield {"band": "all", "n": n, "seen": met.mean(), "reason": reason}
        return
    bins, band = np.minimum((chance * _BINS).astype(int), _BINS - 1), np.digitize(chance, THIRDS)
    members = np.hstack([np.eye(_BINS)[bins], np.eye(len(BANDS))[band], np.ones((n, 1))])
    values, names = pd.factorize(part["series"] + part["period"].astype("str"))
    trials = min(_TRIALS, 20_000_000 // n)
    luck = np.random.default_rng(seed).random((trials, len(names)))[:, values] < chance
    many, said, *seen = np.vstack([np.ones(n), chance, met, luck]) @ members
    low, high = np.quantile(seen[1:], [0.025, 0.975], axis=0, method="inverted_cdf")
    errors = np.abs(np.array(seen) - said)[:, :_BINS].sum(axis=1) / n
    base = part.groupby("kind")["met"].transform("mean").to_numpy(float)
    brier, reference = (((guess - met) ** 2).mean() for guess in (chance, base))
    skill = 1 - brier / reference if reference else np.nan
    scores = dict(zip(RECORDS[8:12], (brier, skill, errors[0], errors[1:].mean()), strict=True))
    for at, name in enumerate([*BANDS, "all"], start=_BINS):
        if many[at]:
            shares = np.array([said, seen[0], low, high])[:, at] / many[at]
            row = {"band": name, "n": int(many[at]), **dict(zip(RECORDS[4:8], shares, strict=True))}
            yield row | (scores if name == "all" else {})
