"""How many of a set of targets are met if nothing new is done, and how much they stretch.

The number met spreads more than independent targets would: what moves one indicator of a council
in a year moves others. On the Local Government Benchmarking Framework its variance by council and
year grew with the number of targets as the correlation TOGETHER would have it, to 1.6 times that of
independent ones for 52. Targets of one series are taken to be met or missed together.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import TABLES, Frame
from pmf_analysis.measures.realism import NEVER_EASY

TOGETHER = 0.01  # correlation between targets of different series
FEWEST_TARGETS = 5  # fewer say nothing of a set
_Z = 1.2816  # 80 % of a normal distribution lie within so many standard deviations


def portfolio(
    targets: Frame, themes: Mapping[str, Sequence[str]], bands: Mapping[str, float]
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
    groups = [("council", "", rows)]
    for theme in sorted({theme for each in themes.values() for theme in each}):
        inside = rows["indicator"].map(lambda name, wanted=theme: wanted in themes.get(name, ()))
        groups.append(("theme", theme, rows[inside.astype(bool)]))
    groups += [("directorate", str(name), part) for name, part in rows.groupby("director")]
    told = [
        {"group": group, "name": name} | _summary(part, max(bands.values()))
        for group, name, part in groups
        if len(part)
    ]
    return pd.DataFrame(told, columns=TABLES["portfolio"])


def _summary(rows: Frame, easy: float) -> dict[str, object]:
    chance, n = rows["probability"].to_numpy(float), len(rows)
    deviation = pd.Series(np.sqrt(chance * (1 - chance)), rows.index)
    together = deviation.groupby(rows["series"]).sum()
    spread = (
        _Z * np.sqrt((1 + TOGETHER * (n - 1)) * (together**2).sum())
        if n >= FEWEST_TARGETS
        else np.nan
    )
    n_easy = int(((chance >= easy) & ~rows["kind"].isin(NEVER_EASY)).sum())
    q1, middle, q3 = np.quantile(chance, [0.25, 0.5, 0.75])
    return {
        "n": n,
        "expected": chance.sum(),
        "low": np.maximum(np.round(chance.sum() - spread), 0.0),
        "high": np.minimum(np.round(chance.sum() + spread), n),
        "n_easy": n_easy,
        "n_challenging": int((rows["verdict"] == "challenging").sum()),
        "n_out_of_reach": int((rows["verdict"] == "not_realistic").sum()),
        "q1": q1,
        "middle": middle,
        "q3": q3,
        "mostly_easy": n >= FEWEST_TARGETS and n_easy > n / 2,
    }
