"""How many of a set of targets are met if nothing new is done, and how much they stretch.

The number met spreads more than independent targets would: what moves one indicator of a council
in a year moves others. On the Local Government Benchmarking Framework its variance by council and
year grew with the number of targets as the correlation TOGETHER would have it, to 1.6 times that of
independent ones for 52. Targets of one series are taken to be met or missed together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import TABLES, Frame
from pmf_analysis.measures.realism import NEVER_EASY

TOGETHER = 0.01  # correlation between targets of different series
FEWEST_TARGETS = 5  # fewer say nothing of a set
_Z = 1.2816  # 80 % of a normal distribution lie within so many standard deviations


def portfolio(
    targets: Frame, themes: Mapping[Any, Sequence[str]], bands: Mapping[str, float]
) -> Frame:
    """Expected number of targets met, of the council, by theme and by directorate.

    Parameters
    ----------
    targets
        The result table, with director.
    themes
        Themes of each indicator; one in several counts in each.
    bands
        The least chance of each verdict.

    Returns
    -------
    DataFrame
        group ("council", "theme" or "directorate"), name ("" for the council), n (targets with a
        chance), expected, low, high (80 % range; NaN below FEWEST_TARGETS), n_easy (at or above
        the highest band, standards to keep left out), n_challenging, n_out_of_reach, q1, middle
        and q3 of the chances, mostly_easy.
    """
    judged = targets["probability"].notna() & ~targets["is_reference"].astype(bool)
    rows = targets[judged & (targets["verdict"] != "no_verdict")]
    named = rows["indicator"].map(dict(themes))
    sets = {"council": rows.assign(name=""), "theme": rows.assign(name=named).explode("name")}
    sets["directorate"] = rows.assign(name=rows["director"])
    told = [
        {"group": group, "name": str(name)} | _summary(part, max(bands.values()))
        for group, members in sets.items()
        for name, part in members.groupby("name")
    ]
    return pd.DataFrame(told, columns=TABLES["portfolio"])


def _summary(rows: Frame, easy: float) -> dict[str, object]:
    chance, n = rows["probability"].to_numpy(float), len(rows)
    deviation = pd.Series(np.sqrt(chance * (1 - chance)), rows.index)
    together = deviation.groupby(rows["series"]).sum()
    spread = _Z * np.sqrt((1 + TOGETHER * (n - 1)) * (together**2).sum())
    spread = spread if n >= FEWEST_TARGETS else np.nan
    n_easy = int(((chance >= easy) & ~rows["kind"].isin(NEVER_EASY)).sum())
    expected, quarters = chance.sum(), np.quantile(chance, [0.25, 0.5, 0.75])
    low, high = max(np.round(expected - spread), 0.0), min(np.round(expected + spread), n)
    hard = [int((rows["verdict"] == code).sum()) for code in ("challenging", "not_realistic")]
    mostly_easy = n >= FEWEST_TARGETS and n_easy > n / 2
    told = (n, expected, low, high, n_easy, *hard, *quarters, mostly_easy)
    return dict(zip(TABLES["portfolio"][2:], told, strict=True))
