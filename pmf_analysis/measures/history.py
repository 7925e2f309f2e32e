"""Own series made ready for a method: declared settings beside, gaps shown, windows thinned."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import Column, Floats, Frame, Places, constants
from pmf_analysis.measures.intervals import poisson, wilson
from pmf_analysis.periods import PERIODS_PER_YEAR

_SET = constants("history")
COUNTS = ["numerator", "denominator", "ci_lower", "ci_upper"]
RATIOS = ["proportion", "rate"]  # statistics that counts can give
SAMPLED = ["percentage", "survey_percentage"]
COUNTS_AGREE = 0.02  # largest relative difference between a value and its own counts


def with_register(observations: Frame, register: Frame) -> Frame:
    """Put what the register declares beside every row; what a row says itself stays.

    Adds polarity, statistic, data_type, rate_base, frequency, accumulation, periods_per_year,
    target_low, target_high and span_years (length of a rolling window, 1 unless `period_span` says
    more), and empty columns for counts and intervals where there are none. Sorted by series and
    period.
    """
    settings = register.reindex(columns=["indicator", *_SET.undeclared, *_SET.numbers])
    settings[_SET.numbers] = settings[_SET.numbers].astype(float)
    for name, default in _SET.undeclared.items():
        settings[name] = settings[name].astype("str").fillna(default).replace("", default)
    rate = settings["frequency"].map(PERIODS_PER_YEAR).astype(float)
    settings["periods_per_year"] = settings["periods_per_year"].fillna(rate)
    years = settings["period_span"].str.extract(r"^(\d+)y$", expand=False)
    settings["span_years"] = years.astype(float).fillna(1.0)
    own = [name for name in settings.columns if name not in observations.columns]
    known = observations.reindex(columns=observations.columns.union(COUNTS, sort=False))
    beside = known.merge(settings[["indicator", *own]], on="indicator", how="left")
    return beside.sort_values(["series", "period"], kind="stable", ignore_index=True)


def with_intervals(frame: Frame, confidence: float = 0.95) -> Frame:
    """Add each value's interval in its own unit (lower, upper) and what it comes from.

    Whole counts are used where `statistic` is "proportion" (percentages, Wilson) or "rate" (per
    `rate_base`, Poisson), reproduce the value to 2 % and are not grossed up; else given limits;
    else Wilson limits of a percentage with a sample size, as of a simple random sample; else NaN.
    `interval_from`: counts, interval, sample or none; `scale`: unit of a share or rate;
    `counts_differ`: whether counts do not give the value they are published with.
    """
    count, size = frame["numerator"].to_numpy(float), frame["denominator"].to_numpy(float)
    value = frame["value"].to_numpy(float)
    is_rate = (frame["statistic"] == "rate").to_numpy()
    scale = np.where(is_rate, frame["rate_base"].astype(float), 100.0)
    size = np.where(size > 0, size, np.nan)
    wanted = frame["statistic"].isin(RATIOS) & ~frame["data_type"].isin(_SET.never_counts)
    differ = np.abs(scale * count / size - value) > np.maximum(COUNTS_AGREE * np.abs(value), 0.1)
    # money or weights are none
    wanted = wanted.to_numpy() & (count == np.round(count)) & (size == np.round(size))
    # Grossed-up counts of a survey are no answers: its interval or its sample speaks.
    sample = frame.get("sample_size", pd.Series(np.nan, frame.index)).to_numpy(float)
    wanted &= ~(sample < size)
    answers = np.where(sample > 0, sample, np.nan)
    rates = poisson(np.where(is_rate & wanted, count, np.nan), confidence)
    shares = wilson(np.where(is_rate | ~wanted, np.nan, count), size, confidence)
    sampled = np.where(frame["data_type"].isin(SAMPLED), value / 100 * answers, np.nan)
    drawn = wilson(sampled, answers, confidence)
    counted = [scale * np.where(is_rate, r / size, s) for r, s in zip(rates, shares, strict=True)]
    given = [frame[f"ci_{name}"].to_numpy(float) for name in ("lower", "upper")]
    use = [~np.isnan(counted[0]) & ~differ, ~np.isnan(given[0]), ~np.isnan(drawn[0])]
    found = [(counted[i], given[i], 100 * drawn[i]) for i in (0, 1)]
    lower, upper = (np.select(use, ends, np.nan) for ends in found)
    kind = np.select(use, ["counts", "interval", "sample"], "none")
    bounds = {"lower": lower, "upper": upper, "interval_from": kind}
    return frame.assign(**bounds, scale=scale, counts_differ=wanted & differ)


def independent_points(observations: Frame) -> Frame:
    """Keep of every series the points whose windows share no data, counted back from the newest.

    Columns series, period (dates), value and span_years; one point every so many years.
    """
    known = observations.dropna(subset=["value"])
    newest = known.groupby("series")["period"].transform("max")
    apart = (newest.dt.year - known["period"].dt.year) % known["span_years"] == 0
    kept: Frame = known[apart & (known["period"].dt.month == newest.dt.month)]
    return kept


def complete_periods(observations: Frame, months: Column) -> Frame:
    """Add a row without value for every period that a series leaves out between first and last.

    `months`: length of a period beside each row. Series where it is missing, or whose dates are
    not in even steps of it (terms, weeks), stay as they are. Added rows have series and period.
    """
    series, periods = observations["series"], observations["period"]
    length = months.astype(float)
    index = periods.dt.year * 12 + periods.dt.month
    step = (index - index.groupby(series).transform("min")) / length
    even = (step % 1 == 0).groupby(series).transform("all").astype(bool)
    last = step[even].groupby(series[even]).max().astype(int)
    grid = pd.DataFrame({"series": np.repeat(last.index.to_numpy(), last + 1)})
    grid["step"] = grid.groupby("series").cumcount()
    known = pd.DataFrame({"series": series[even], "step": step[even].astype(int)})
    missing = grid.merge(known, how="left", indicator="found").query("found == 'left_only'")
    if missing.empty:
        return observations
    starts = missing["series"].map(periods.groupby(series).min()).dt.to_period("M")
    ahead = missing["step"] * missing["series"].map(length.groupby(series).first())
    dates = (starts + ahead.to_numpy(int)).dt.to_timestamp().astype(periods.dtype)
    return pd.concat([observations, missing[["series"]].assign(period=dates)], ignore_index=True)


def by_length(observations: Frame) -> Iterator[tuple[list[str], Places, Floats]]:
    """Names, (k, n) places of rows in order and (k, n) values of the series of each length.

    So that one call judges many series and none is padded: what is found of a series does not
    depend on the others. What is missing or infinite is NaN, whatever the dtype.
    """
    value = observations["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    value = np.where(np.isfinite(value), value, np.nan)
    codes, labels = pd.factorize(observations["series"], sort=True)
    order = np.lexsort((value, pd.factorize(observations["period"], sort=True)[0], codes))
    order = order[codes[order] >= 0]
    lengths = np.bincount(codes[order], minlength=len(labels))
    names, starts = np.asarray(labels, dtype=object), np.cumsum(lengths) - lengths
    for length in np.unique(lengths):
        chosen = np.flatnonzero(lengths == length)
        rows = order[starts[chosen][:, None] + np.arange(length)]
        yield [str(name) for name in names[chosen]], rows, value[rows]
