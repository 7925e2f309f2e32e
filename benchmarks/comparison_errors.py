"""How often an ordinary council is called better or worse than its peers.

    python benchmarks/comparison_errors.py

Draws one more council from the spread of its peers, as binomial counts, and asks the rule of the
comparison: interval beyond the pooled value and the median, and place beyond the spread. Printed:
per cent called better or worse by that rule, and by the funnel of the peers with the published
adjustment (winsorised, normal limits, peers' pooled value taken as known); and per cent for whom
anything is said, somewhat better or worse included, of councils whose true level is exactly the
peers' pooled one, so that only chance sets them apart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from pmf_analysis.measures.intervals import wilson
from pmf_analysis.measures.ranks import ordered_quantile
from pmf_analysis.measures.spread import places, reach, spread_between

TYPICAL = 400  # median denominator
RATE = 0.3
LEVELS = (0.95, 0.998)


def called(
    peers: int,
    ratio: float,
    cases: int,
    seed: int = 1,
    size: int = TYPICAL,
    at_pooled: bool = False,
) -> list[float]:
    """Per cent called, at each level: by our rule, by the published adjustment, or somewhat so.

    `at_pooled`: our true level is the pooled true level of the peers.
    """
    rng = np.random.default_rng(seed)
    sizes = np.maximum(rng.lognormal(np.log(size), 0.7, (cases, peers + 1)).round(), 40)
    error = 0.5 / np.sqrt(size)
    level = rng.normal(np.arcsin(np.sqrt(RATE)), error * np.sqrt(ratio), sizes.shape)
    share = np.sin(np.clip(level, 0, np.pi / 2)) ** 2
    if at_pooled:
        share[:, -1] = (share * sizes)[:, :-1].sum(axis=1) / sizes[:, :-1].sum(axis=1)
    count = rng.binomial(sizes.astype(int), share).astype(float)
    value = count / sizes
    names = {"numerator": count, "denominator": sizes, "value": value}
    names |= dict.fromkeys(["lower", "upper"], value * np.nan)
    panel = {name: matrix[:, :-1] for name, matrix in names.items()}
    own = pd.DataFrame({name: matrix[:, -1] for name, matrix in names.items()})
    found, _ = places(panel, own.assign(scale_of="proportion"), overdispersion=True)
    median = ordered_quantile(np.sort(panel["value"], axis=1), 0.5)
    high, low = np.maximum(found["centre"], median), np.minimum(found["centre"], median)
    root, middle = np.arcsin(np.sqrt(value)), np.arcsin(np.sqrt(found["centre"].to_numpy()))
    distance, errors = root - middle[:, None], 0.5 / np.sqrt(sizes)
    tau2 = [spread_between(*pair)[1] for pair in zip(distance[:, :-1], errors[:, :-1], strict=True)]
    plain = np.abs(distance[:, -1] / np.sqrt(errors[:, -1] ** 2 + tau2))
    shares = []
    for confidence in LEVELS:
        lower, upper = wilson(count[:, -1], sizes[:, -1], confidence)
        outside = (lower > high) | (upper < low)
        limit = reach(found["freedom"], confidence)
        ours = outside & (found["adjusted_z"].abs() > limit)
        theirs = outside & (plain > float(ndtri((1 + confidence) / 2)))
        shares += [100 * float(flags.mean()) for flags in (ours, theirs, outside)]
    return shares


def main() -> None:
    print("variance between peers over sampling variance; % called, ours (published adjustment)")
    print("last: % of councils at the peers' pooled level called at all, somewhat included")
    print("peers  ratio      at 95 %          at 99.8 %        at all, 95 and 99.8 %")
    for peers in (15, 50, 150):
        for ratio, size in ((0, 400), (0.5, 400), (1, 400), (3, 400), (100, 100_000)):
            cases = 20_000 if peers < 100 else 8_000
            found = called(peers, ratio, cases, size=size)
            texts = [f"{a:5.2f} ({b:5.2f})" for a, b in (found[:2], found[3:5])]
            level = called(peers, ratio, cases, size=size, at_pooled=True)
            texts += [f"{level[2]:5.2f} {level[5]:5.2f}"]
            print(f"{peers:5}  {ratio:5}  ", "   ".join(texts))


if __name__ == "__main__":
    main()
