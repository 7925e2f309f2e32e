"""Everything a council's reports say of its trends: tables in, result tables out.

With the honesty of a whole pack: signals that chance alone would give, and targets missed before.
Among many indicators some show a signal in every quarter though nothing has changed. How many is
found by drawing the order of the periods anew: if nothing changed, the order in which they came is
one of many equally likely ones. Whole periods are moved, so indicators that rise and fall together
still do, which leaves the expected number as it is and makes its range wider.
"""

import numpy as np
import pandas as pd

from pmf_analysis.measures import change_test, events, seasonal_pattern, short_series
from pmf_analysis.measures.arrays import TABLES, Column, Flags, Floats, Frame, Integers, constants
from pmf_analysis.measures.frames import KnownCouncil
from pmf_analysis.measures.polarity import TARGETS, is_met
from pmf_analysis.measures.questions import target_lines
from pmf_analysis.measures.result_tables import clipped, complete_trends, with_labels
from pmf_analysis.measures.spc import spc_chart
from pmf_analysis.measures.special_causes import Rules, rule_set
from pmf_analysis.measures.trend import trend_verdicts
from pmf_analysis.parameters.workspace import Parameters
from pmf_analysis.periods import PERIODS_PER_YEAR

Themes = dict[str, tuple[str, ...]]

_SET = constants("trend_tables")


def trend_tables(
    council: KnownCouncil, live: Frame, parameters: Parameters, *, restated: Frame | None, seed: int
) -> dict[str, Frame]:
    """Trends, points and events of every own series, and what chance makes of the packs.

    Parameters
    ----------
    live, restated
        As `questions.live_targets` and `Store.restatements` give them.
    """
    own, register, changes, as_at = council.own, council.register, council.changes, council.as_at
    lines = target_lines(live, own)
    declared = parameters.framework.trend_rules
    rules = rule_set(declared.profile, **declared.model_dump(exclude={"profile"}))
    frozen, period = events.declared_baselines(parameters, as_at), council.period
    trends, points = trend_verdicts(
        own, register, targets=lines, changes=changes, baselines=frozen, rules=rules, period=period
    )
    recorded = events.recorded_events(changes, frozen, parameters)
    steps = events.suggested_steps(events.independent_levels(trends, points))
    told = events.chart_events(own, register, recorded, restated=restated, suggested=steps)
    trends = complete_trends(trends, own, register, lines, area=council.area, as_at=as_at)
    points = with_labels(points, register).merge(lines, on=["series", "period"], how="left")
    themes = {name: entry.themes for name, entry in parameters.register.indicators.items()}
    ours = trends[trends["control"] != "city"]  # nobody is off target who does not control it
    expected = expected_signals(trends, points, themes, rules=rules, seed=seed)
    return {
        "trends": clipped(fine_figures(trends), register, _SET.shown_limits),
        "points": clipped(points, register, _SET.shown_limits),
        "events": events.with_baselines_used(told, trends),
        "packs": pd.concat([expected, off_target(points, ours, themes)], ignore_index=True),
    }


def expected_signals(
    trends: Frame, points: Frame, themes: Themes, seed: int, draws: int = 200, rules: Rules = "mdc"
) -> Frame:
    """How many series would show a signal in their newest value if nothing had changed.

    Control charts and Mann-Kendall tests are made again for every new order of the periods since
    the last break, seasonal parts taken out and estimated again. Series of one frequency share the
    order; each keeps its own gaps. Where the order cannot be drawn anew (values that depend on the
    one before, tests from counts or intervals) signals are drawn independently by `chance_alone`,
    or with probability 0.05 where that is not known. Against simulation: benchmarks/
    chance_signals.py, which also shows why periods are not drawn with replacement.

    Parameters
    ----------
    trends, points
        Result tables: a row a series (series, indicator, frequency, verdict, method, shape,
        treatment, chance_alone), a row a period (series, period, value, segment, point_type and,
        where seasons were removed, effect).
    themes
        Themes of each indicator; an indicator of several counts in each, in the council once.
    seed, draws, rules
        The same seed gives the same table; number of orders drawn; rules of the charts.

    Returns
    -------
    DataFrame
        theme ("" for the whole council; none where no series is judged), measure "chance_signals",
        period_label "", value (expected number), low and high (5th and 95th percentile, whole
        numbers), n (series judged).
    """
    judged = trends[trends["verdict"] != "cannot_judge"].reset_index(drop=True)
    rng, rows = np.random.default_rng(seed), _reordered_rows(judged, points)
    values = _new_orders(rows, rng, draws)
    signals = rng.random((draws, len(judged))) < judged["chance_alone"].fillna(_SET.most).to_numpy()
    for method, part in rows.groupby("method"):
        code = part["code"].to_numpy()
        found = _signals(values[:, part.index], code, rules if method == "xmr" else None)
        signals[:, np.unique(code)] = found
    told, member = [], _by_theme(judged["indicator"], themes)
    for theme, own in member.groupby(member):
        counts = signals[:, own.index].sum(axis=1)
        low, high = np.quantile(counts, _SET.range, method="inverted_cdf")
        told.append((theme, "chance_signals", "", counts.mean(), low, high, len(own)))
    return pd.DataFrame(told, columns=TABLES["chance_signals"])


def _by_theme(indicators: Column, themes: Themes) -> Column:
    """Themes of every row, one below the other; "", the whole council, among them."""
    return indicators.map(lambda name: ("", *themes.get(name, ()))).explode()


def _reordered_rows(judged: Frame, points: Frame) -> Frame:
    """Periods since the last break of series whose order can be drawn anew, sorted by series.

    `code` is the row of the series in `judged`; rows with the same `key` move together.
    """
    free = judged["method"].isin(["xmr", "mann_kendall"]) & ~judged["treatment"].isin(_SET.bound)
    free &= judged["chance_alone"].notna() | (judged["shape"] == "constant")
    chosen = judged.loc[free, ["series", "frequency", "method", "treatment"]]
    rows = points.merge(chosen.rename_axis("code").reset_index(), on="series")
    values = (rows["value"] - rows.get("effect", 0.0)).mask(rows["point_type"] == "missing")
    newest = rows["segment"].where(values.notna()).groupby(rows["code"]).transform("max")
    rows = rows.assign(value=values, key=rows.groupby(["frequency", "period"]).ngroup())
    return rows[rows["segment"] == newest].sort_values(["code", "period"], ignore_index=True)


def _new_orders(rows: Frame, rng: np.random.Generator, draws: int) -> Floats:
    """Values (draws, rows) in new orders: those of a series in the places where it has values."""
    known = rows[rows["value"].notna()]
    place = rng.random((draws, rows["key"].max() + 1 if len(rows) else 0))[:, known["key"]]
    order = np.argsort(place + 2 * known["code"].to_numpy(), axis=1)
    values = np.full((draws, len(rows)), np.nan)
    values[:, known.index] = known["value"].to_numpy()[order]
    for _, part in rows[rows["treatment"] == "season_means_removed"].groupby("code"):
        member = part["period"].dt.month.to_numpy()[:, None] == np.arange(1, 13)
        own = np.repeat(member[None].astype(float), draws, axis=0)
        effect = seasonal_pattern.line_and_seasons(values[:, part.index], own)[1]
        values[:, part.index] -= np.nan_to_num(effect) @ member.T
    return values


def _signals(values: Floats, code: Integers, rules: Rules | None) -> Flags:
    """Whether charts (without rules: tests) give a signal: draws down, series (sorted) across."""
    found = []
    for part in np.array_split(values, values.size // _SET.rows_at_once + 1):
        draw, row = np.indices(part.shape)
        columns = {"series": draw * (code.max() + 1) + code, "period": row, "value": part}
        table = pd.DataFrame({name: column.ravel() for name, column in columns.items()})
        if rules is None:
            tests = short_series.mann_kendall(table)
            words = tests.sort_values("series", key=pd.to_numeric)["direction"]
        else:
            words = spc_chart(table, improvement="none", rules=rules).segments["variation"]
        found.append(words.isin(_SET.signals).to_numpy().reshape(len(part), -1))
    return np.vstack(found)


def off_target(points: Frame, trends: Frame, themes: Themes) -> Frame:
    """How many indicators missed their target now, and in the same period of earlier years.

    "Now" is the newest period of each indicator, for an annual one its newest year; a year earlier
    is the same quarter or month then. A series counts in a year if it has a value and a target
    (a band where near a value is best) in that very period.

    Parameters
    ----------
    points
        series, period, value, target and, where known, target_low and target_high: the band of
        `trends` stands in for one that is not there.
    trends
        series, indicator, period (newest), frequency, polarity and, where known, target_low and
        target_high.

    Returns
    -------
    DataFrame
        theme ("" for the whole council), measure "off_target", period_label ("0" now, "1" a year
        earlier, to "4"; only years with at least half as many counted as now), value (number off
        target), low and high (not applicable: NaN), n (number with value and target).
    """
    columns = ["series", "indicator", "period", "frequency", "polarity", *TARGETS[1:]]
    rows = points.merge(trends.reindex(columns=columns), on="series", suffixes=("", "_now"))
    bands = {name: rows[name].fillna(rows.get(f"{name}_now", np.nan)) for name in TARGETS[1:]}
    rate = rows["frequency"].map(PERIODS_PER_YEAR).astype(float)
    rows["lag"] = change_test.years_before(rows["period"], rows["period_now"], rate)
    rows["missed"] = 1 - is_met(rows["value"], rows["polarity"], rows.assign(**bands))
    rows = rows[rows["lag"].between(0, _SET.earlier_years) & rows["missed"].notna()]
    rows = rows.join(_by_theme(rows["indicator"], themes).rename("theme"))
    found = rows.groupby(["theme", "lag"])["missed"].agg(value="sum", n="count").reset_index()
    now = found["theme"].map(found[found["lag"] == 0].set_index("theme")["n"]).astype(float)
    found = found[found["n"] >= now / 2]  # a year of which little is known compares with nothing
    found["period_label"] = found["lag"].astype(int).astype(str)
    return found.assign(measure="off_target", low=np.nan, high=np.nan)[TABLES["chance_signals"]]


def fine_figures(trends: Frame) -> Frame:
    """Trends without `chance_alone` of coarse figures: charts give two to three times as much.

    It is simulated with values that are not rounded (benchmarks/chance_signals.py compares).
    """
    coarse = trends["features"].str.contains("rounded")
    return trends.assign(chance_alone=trends["chance_alone"].mask(coarse))
