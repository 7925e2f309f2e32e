"""How long our charts take, and what matplotlib and seaborn take for less, in the same run.

    python benchmarks/charts.py

Prints processor seconds (the best of several rounds, which take turns so that a busy machine slows
all alike), the ratio to our main chart, and bytes. A chart is made and written as SVG; seaborn
draws its line plot of the same series without interval, and with its own. Fails when our main
chart takes more than 0.8 of seaborn's plain line plot, or a sparkline more than 0.1 ms.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from pmf_analysis.story.dots import draw_dots, draw_reliability, draw_trajectory
from pmf_analysis.story.facts import ComparisonFacts, Subject
from pmf_analysis.story.funnel import draw_funnel, draw_quadrant
from pmf_analysis.story.spc import draw_spc
from pmf_analysis.story.strip import (
    Panel,
    StripRow,
    draw_gap,
    draw_multiples,
    draw_spark,
    draw_strip,
)

ROUNDS, MOST, MOST_SPARK = 15, 0.8, 1e-4
RNG = np.random.default_rng(20261031)
SUBJECT = Subject.of(
    {"frequency": "quarterly", "polarity": "higher", "unit": "%", "decimals": 1}, "Westshire"
)
QUANTILES = (5, 10, 25, 40, 50, 55, 60, 70, 75, 90, 95)


def series(count: int = 26) -> pd.DataFrame:
    values = 40 + RNG.normal(0, 1.2, count)
    values[-6:] += 3
    fixed = {"segment": 0, "mean": 40.0, "lower_limit": 36.5, "upper_limit": 43.5, "target": 44.0}
    return pd.DataFrame(
        {
            "period": pd.date_range("2020-04-01", periods=count, freq="QS"),
            "period_label": [f"Quarter {n}" for n in range(count)],
            "value": values,
            "status": ["final"] * (count - 1) + ["provisional"],
            "point_type": np.where(values > 42, "special_cause_improvement", "common_cause"),
            "peer_median": values + 2,
            **fixed,
        }
    )


POINTS = series()
VALUES = list(POINTS["value"])
AHEAD = np.arange(1, 7)
FAN = pd.DataFrame(
    {"period": pd.date_range("2026-10-01", periods=6, freq="QS")}
    | {f"q{q:02d}": 43 + AHEAD**0.5 * (q - 50) / 30 for q in QUANTILES}
)
PEERS = RNG.normal(40, 3, 16).tolist()
COMPARED = {"value": 41.0, "rank": 6, "rank_of": 17, "verdict": "similar", "peer_median": 40.0}
ROWS = [StripRow(ComparisonFacts.of(COMPARED, SUBJECT), PEERS)] * 10

SIZES = np.geomspace(2_000, 90_000, 150)
IS_OWN = np.arange(150) == 75
COUNCILS = pd.DataFrame(
    {"area_name": [f"Council {n}" for n in range(150)], "is_own": IS_OWN, "is_newest": True}
    | {"value": 40 + RNG.normal(0, 500, 150) / SIZES**0.5, "denominator": SIZES}
    | {"label": "within", "year_label": "2025-26"}
    | {f"{what}_percentile": RNG.uniform(0, 100, 150) for what in ("cost", "performance")}
)
LIMITS = pd.DataFrame({"size": SIZES, "benchmark": 40.0}).assign(
    **{f"upper_{level}": 40 + z * 500 / SIZES**0.5 for level, z in (("95", 2), ("998", 3.1))},
    **{f"lower_{level}": 40 - z * 500 / SIZES**0.5 for level, z in (("95", 2), ("998", 3.1))},
)
LEVELS = ("low", "high")
QUARTERS = {f"{a}_cost_{b}_performance": f"{a} cost, {b}" for a in LEVELS for b in LEVELS}
QUARTERS |= {"costs_less": "Costs less", "costs_more": "Costs more"}
QUARTERS |= {"does_worse": "Does worse", "does_better": "Does better"}
MONTHS = np.arange(1, 13)
YEAR = pd.DataFrame(
    {"period": pd.date_range("2026-04-01", periods=12, freq="MS"), "path": 8.0 * MONTHS}
    | {"actual": np.where(MONTHS > 6, np.nan, 8.2 * MONTHS)}
    | {
        f"q{50 + k:02d}": np.where(MONTHS > 6, (8.2 + k / 90) * MONTHS, np.nan)
        for k in (-45, 0, 45)
    }
    | {"chance_on_path": np.where(MONTHS > 6, 0.4, np.nan)}
)
BANDS = [(f"Our forecasts, {n}", "30 of 100", (30.0, 28.0, 20.0, 40.0)) for n in range(9)]


def seaborn_line(**known: object) -> str:
    figure, page = Figure(figsize=(7.6, 3.2)), io.StringIO()
    sns.lineplot(POINTS, x="period", y="value", ax=figure.subplots(), **known)  # type: ignore[arg-type]
    figure.savefig(page, format="svg")
    return page.getvalue()


def matplotlib_line() -> str:
    figure, page = Figure(figsize=(7.6, 3.2)), io.StringIO()
    figure.subplots().plot(POINTS["period"], POINTS["value"])
    figure.savefig(page, format="svg")
    return page.getvalue()


def seaborn_interval() -> str:
    figure, page = Figure(figsize=(7.6, 3.2)), io.StringIO()
    repeated = pd.concat([POINTS.assign(value=POINTS["value"] + k) for k in range(10)])
    sns.lineplot(repeated, x="period", y="value", ax=figure.subplots())
    figure.savefig(page, format="svg")
    return page.getvalue()


WORK: dict[str, Callable[[], str]] = {
    "our main chart (usual range, target)": lambda: draw_spc(POINTS, SUBJECT, id="a"),
    "our main chart with forecast": lambda: draw_spc(POINTS, SUBJECT, id="a", forecast=FAN),
    "our gap": lambda: draw_gap(POINTS, SUBJECT, id="a"),
    "our strip, 10 indicators of 17 councils": lambda: draw_strip(ROWS, id="a"),
    "our twenty dots": lambda: draw_dots(
        VALUES[:20], target=41.0, better="higher", unit="%", decimals=1, id="a"
    ),
    "our panel": lambda: draw_multiples([Panel("Recycling", "40%", "improving", POINTS)], id="a"),
    "our funnel of 150 councils": lambda: draw_funnel(
        COUNCILS, LIMITS, SUBJECT, id="a", own_name="Westshire"
    ),
    "our costs and performance of 150 councils": lambda: draw_quadrant(
        COUNCILS, words=QUARTERS, id="a", own_name="Westshire"
    ),
    "our year so far": lambda: draw_trajectory(YEAR, SUBJECT, id="a"),
    "our reliability, nine bands": lambda: draw_reliability(BANDS, id="a"),
    "our sparkline": lambda: draw_spark(VALUES, 37, 43, id="a"),
    "matplotlib line": matplotlib_line,
    "seaborn line, no interval": lambda: seaborn_line(errorbar=None),
    "seaborn line of 260 rows, its interval": seaborn_interval,
}


def main() -> None:
    best = dict.fromkeys(WORK, np.inf)
    size = {name: len(work().encode()) for name, work in WORK.items()}  # and what is made once
    for _ in range(ROUNDS):
        for name, work in WORK.items():
            repeats = 50 if name == "our sparkline" else 1
            begun = time.process_time()
            for _ in range(repeats):
                work()
            best[name] = min(best[name], (time.process_time() - begun) / repeats)
    own = best["our main chart (usual range, target)"]
    print(f"{'':42}{'ms':>9}{'ratio':>8}{'bytes':>9}")
    for name, taken in best.items():
        print(f"{name:42}{1000 * taken:9.3f}{taken / own:8.2f}{size[name]:9,}")
    against = own / best["seaborn line, no interval"]
    print(f"Our main chart takes {against:.2f} of seaborn's line plot; {MOST} is the most.")
    assert against <= MOST and best["our sparkline"] < MOST_SPARK
    assert max(size[name] for name in WORK if name.startswith("our")) <= 20_000
    assert size["our sparkline"] < 600


if __name__ == "__main__":
    main()
