"""Whether a target for several periods together will be met, from the part that is known.

The periods that are known are joined to sample paths of those to come, drawn together: errors that
would last make a year's total far less certain than months drawn one by one (target-realism.md
6.1). The second way takes last year's same periods, moved by past changes on the year.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from pmf_analysis.measures import forecast, realism
from pmf_analysis.measures.arrays import SHIPPED, TYPES, Floats, Frame
from pmf_analysis.measures.calibration import Factors, shipped_factors
from pmf_analysis.measures.chance import quantiles
from pmf_analysis.measures.outlook import NO_TREND, Found, panels
from pmf_analysis.measures.placement import places
from pmf_analysis.measures.realism import Answer, Question, Row
from pmf_analysis.measures.trajectory import Window, carried_forward

SPAN = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
PATHS = ["target_id", "series", "period", "actual", "path", "chance_on_path", *SPAN]


def assess_outturns(
    observations: Frame,
    questions: Frame,
    *,
    register: Frame,
    origin: object = None,
    factors: Factors | None = None,
    seed: int = 0,
    bands: Mapping[str, float] = realism.BANDS,
) -> tuple[Frame, Frame]:
    """Chance of each target for several periods together, and the way there.

    Parameters
    ----------
    observations, register, origin, factors, bands
        As in `assess_targets`; values of base periods, not running totals. Where `denominator` is
        known for all values, a mean is the pooled ratio, with last year's denominators to come.
    questions
        target_id, series, indicator, area, kind, target, first and period (starts of the first and
        the last base period), how ("sum", "mean" or "last": the value of the last period), and for
        indicators with a best range target_low and target_high.

    Returns
    -------
    tuple
        A row a question: target_id, `answers` of tables.yml and done (periods known), of (all),
        required_rate (value per period to come with which the target is just met; in a range the
        one nearest to what is expected), rate_share (of rate_n own past stretches as long, in the
        same part of the year where there are enough, that reached it), outturn_low, _mid and
        _high (quantiles .05, .5 and .95). last_value is the sum, mean or value so far, n the values
        used and horizon the periods to come. Then a row a period of each target with an answer:
        PATHS, in all numbers cumulative: the value so far (`actual`, NaN to come), the `path` to
        the target (for a range to its middle), the chance of being on it, and quantiles.
    """
    found = panels(observations, register, origin=origin)
    declared, rows = register.set_index("indicator").to_dict("index"), questions.to_dict("records")
    factors, ways = factors or shipped_factors(), [pd.DataFrame(columns=PATHS)]
    answers = []
    for row in rows:
        answer = _window(row, declared.get(row["indicator"]), found, observations)
        if isinstance(answer, Window):
            answer, way = _judged(answer, factors, seed, bands)
            if len(way):
                ways.append(way.assign(target_id=row["target_id"], series=row["series"])[PATHS])
        answers.append(SHIPPED["no_answer"] | answer)
    table = pd.DataFrame(answers, columns=list(TYPES["answers"])).astype(TYPES["answers"])
    table.insert(0, "target_id", questions["target_id"].to_numpy())
    return table, pd.concat(ways[1:] or ways, ignore_index=True)


def _window(row: Row, indicator: Row | None, found: Found, observations: Frame) -> Window | Answer:
    """Periods of a target with what they count for, or why it cannot be judged."""
    question = realism.question_of(row, indicator, found)
    if not isinstance(question, Question):
        return question
    panel, place, after = question.panel, question.row, question.due + 1
    first = panel.known.place_of(pd.Timestamp(row["first"]))
    so_far = panel.known.values[place, max(first, 0) : panel.known.last[place] + 1][: after - first]
    missing = [first] if first < 0 else first + np.flatnonzero(np.isnan(so_far))
    if len(missing):
        day = panel.known.start(int(missing[0]))
        reason = f"There is no usable value for the period that starts on {day.day} {day:%B %Y}."
        return question.known | realism.refusal(reason)
    history = np.append(panel.usable.values[place], np.full(after, np.nan))[:after]
    window = Window(question, first, str(row["how"]), so_far, history, np.ones(after))
    if row["how"] == "mean" and "denominator" in observations.columns:
        own = observations[observations["series"] == question.series]
        return replace(window, weights=_weights(window, own))
    return window


def _weights(window: Window, own: Frame) -> Floats:
    """Denominators at each place, those to come as last year; ones where any is not known."""
    line, ones = window.question.panel.known, window.weights
    known, weights = min(int(line.last[window.question.row]) + 1, len(ones)), ones * np.nan
    where = places(pd.to_datetime(own["period"]), line.anchor, line.periods_per_year)
    inside = where < known
    weights[where[inside]] = own["denominator"].to_numpy(dtype=float)[inside]
    needed = weights[:known][np.isfinite(line.values[window.question.row, :known])]
    if not (needed > 0).all():
        return ones
    filled = carried_forward(weights, window.season_length)
    return np.where(np.isfinite(filled), filled, needed[-1])


def _paths(window: Window, factors: Factors, seed: int) -> forecast.Forecast:
    """Joint paths of a series to the end of its window, whatever else is asked."""
    panel, row, horizon = window.question.panel, window.question.row, window.question.horizon
    given = ([panel.usable.history(row)], [window.question.series], panel.usable.periods_per_year)
    settings = (*given, horizon, [panel.bounds], factors, seed)
    seasonal = [not panel.seasonal_vote < 0]
    return next(forecast.sample_paths(*settings, no_trend=NO_TREND, seasonal=seasonal))[1]


def _judged(
    window: Window, factors: Factors, seed: int, bands: Mapping[str, float]
) -> tuple[Answer, Frame]:
    """Answer for one window and its rows of the table of paths, none where it cannot be judged."""
    question, ahead, done = window.question, window.to_come, len(window.so_far)
    draws = actual = window.cumulative(np.full((ahead, 1), np.nan))
    starts = [question.panel.known.start(at) for at in range(window.first, question.due + 1)]
    answer = question.known | {"method": "outturn", "done": done, "of": len(starts)}
    answer |= {"horizon": ahead, "last_period": min(answer["last_period"], starts[-1])}
    if window.how != "last" or not ahead:
        answer["last_value"] = actual[done - 1, 0] if done else float("nan")
    if ahead:
        record = _paths(window, factors, seed)
        if record.reason:
            return answer | realism.refusal(record.reason), pd.DataFrame()
        draws = window.draws(record.draws[-ahead:], calibrated=True)
    path = window.path()
    chances = window.chances(draws, path)
    spans = quantiles(draws, list(SPAN.values()))
    answer |= dict(zip(["outturn_low", "outturn_mid", "outturn_high"], spans[-1], strict=True))
    if ahead:
        answer |= _chances(window, draws[-1], path, chances[-1], factors.source)
        ends = window.reach[0][-1], window.reach[1][-1]
        within = replace(question, panel=replace(question.panel, bounds=ends))
        answer |= realism.verdict_of(within, answer, question.aim.certainty(ends), bands)
    else:
        answer |= realism.already_known(question.aim, float(actual[-1, 0]))
    way = pd.DataFrame(spans, columns=list(SPAN)).assign(period=starts, actual=actual[:, 0])
    return answer, way.assign(path=path.mean(axis=0), chance_on_path=chances)


def _chances(window: Window, draws: Floats, path: Floats, own: float, source: str) -> Answer:
    """Chance of a window that is not over, in two ways, and what the periods to come require."""
    last_year, aim, other, note = window.last_years(), window.question.aim, own, ""
    if np.isfinite(last_year).all() and last_year.size:
        other = window.chances(window.draws(last_year, calibrated=False), path)[-1]
        note = f"last year's profile {other:.2f}; "
    evidence = f"own paths {own:.2f} from {window.question.known['n']} values; {note}"
    answer = {"probability": own, "lower": min(own, other), "upper": max(own, other)}
    answer |= {f"value_{c}": aim.value_at(draws, c / 100) for c in (60, 45, 30)}
    answer |= window.required(float(np.median(draws)))
    more = {"evidence": f"{evidence}calibrated on: {source}", "peer_n": 0, "peer_share": np.nan}
    return answer | more
