"""How long charts and trend tables take, and other packages beside them on the same series.

    python benchmarks/trends_speed.py

Prints wall and processor seconds (they differ where other programs keep the machine busy; ratios
are of processor time). Other packages come with the extra `bench`; without it they are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.spc import PROFILES, signals, spc_chart
from pmf_analysis.measures.trend import trend_verdicts

SERIES, POINTS = 100_000, 24
COMPARED = 200  # series that the slower packages are given
INDICATORS, PERIODS = 300, 40
RNG = np.random.default_rng(20261031)


def seconds(work: Callable[[], Any], repeats: int = 3) -> tuple[float, float]:
    """Best wall and best processor seconds."""
    taken = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - wall, time.process_time() - processor))
    return min(pair[0] for pair in taken), min(pair[1] for pair in taken)


def table_of(values: np.ndarray, named: bool) -> pd.DataFrame:
    count, length = values.shape
    names = np.array([f"indicator_{number}|A|||v1" for number in range(count)])
    periods = pd.date_range("2020-01-01", periods=length, freq="MS")
    return pd.DataFrame(
        {
            "series": np.repeat(names if named else np.arange(count), length),
            "period": np.tile(periods if named else np.arange(length), count),
            "value": values.ravel(),
        }
    )


def charts(values: np.ndarray) -> None:
    for profile in PROFILES:
        for named in (False, True):
            table = table_of(values, named)
            wall, processor = seconds(partial(spc_chart, table, rules=profile))
            kind = "named series, dated" if named else "numbered"
            print(f"{SERIES} x {POINTS}, {profile:<9} {kind:<19} {wall:.2f} s ({processor:.2f} s)")


def by_abspc(values: np.ndarray) -> None:
    """Limits, rules, what every point means, and the icon: what `spc_chart` gives."""
    from abspc import (
        calculate_control_limits,
        detect_special_causes,
        determine_point_colours,
        determine_variation_type,
    )

    for row in values:
        limits = calculate_control_limits(pd.DataFrame({"value": row}), "XmR")
        found = detect_special_causes(limits)
        determine_point_colours(found)
        determine_variation_type(found)


def by_statprocon(values: np.ndarray) -> None:
    """Limits and all three rules as columns; no words, icons or targets."""
    from statprocon import XmR

    for row in values:
        chart = XmR(row.tolist())
        chart.to_dict()
        chart.rule_1_x_indices_beyond_limits()
        chart.rule_2_runs_about_central_line()
        chart.rule_3_runs_near_limits()


def side_by_side(values: np.ndarray) -> None:
    table = table_of(values, named=False)
    chart = seconds(lambda: spc_chart(table))[1] / len(values)
    bare = seconds(lambda: signals(values, PROFILES["mdc"]))[1] / len(values)
    print(f"own chart {chart * 1e6:.1f} us a series; limits and rules alone {bare * 1e6:.1f} us")
    for package, work in (("abspc", by_abspc), ("statprocon", by_statprocon)):
        if find_spec(package) is None:
            print(f"{package}: not installed (extra bench)")
            continue
        each = seconds(partial(work, values[:COMPARED]))[1] / COMPARED
        print(
            f"{package} {each * 1e6:.0f} us a series: {each / chart:.0f} times our chart, ", end=""
        )
        print(f"{each / bare:.0f} times our limits and rules alone")


def council() -> None:
    """All methods: a third each monthly, quarterly (half of them seasonal) and annual."""
    parts, rows = [], []
    for number in range(INDICATORS):
        frequency, months = [("monthly", 1), ("quarterly", 3), ("annual", 12)][number % 3]
        name, length = f"indicator_{number}", PERIODS if number % 3 < 2 else 10
        values = RNG.normal(50, 5, length) + 8 * (number % 2) * np.cos(
            np.arange(length) * np.pi / 2
        )
        start = pd.Timestamp("2016-04-01")
        periods = pd.date_range(start, periods=length, freq=f"{months}MS")
        part = pd.DataFrame({"period": periods, "value": values, "status": "final"})
        if frequency == "annual":
            part["denominator"] = 2000.0
            part["numerator"] = (part["value"] * 20).round()
        parts.append(part.assign(series=f"{name}|A|||v1", indicator=name, area="A"))
        rows.append((name, "higher", "proportion", frequency, "discrete", np.nan, np.nan))
    names = ["indicator", "polarity", "statistic", "frequency", "accumulation"]
    register = pd.DataFrame(rows, columns=[*names, "target_low", "target_high"])
    observations = pd.concat(parts, ignore_index=True)
    wall, processor = seconds(lambda: trend_verdicts(observations, register))
    print(f"trend table of {INDICATORS} indicators: {wall:.2f} s ({processor:.2f} s)")


if __name__ == "__main__":
    drawn = RNG.normal(50, 5, (SERIES, POINTS)).round(2)
    charts(drawn)
    side_by_side(drawn)
    council()
