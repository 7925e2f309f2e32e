"""The spread between peers: how often an ordinary council is called out, and what is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pmf_analysis.measures.intervals import two_sided_z
from pmf_analysis.measures.spread import funnels, labels, places, reach

from .funnel_limits import funnel_limits

TAU = 0.06


def ordinary(peers: int, cases: int, size: float) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Peers and one more council of the same spread, as counts."""
    rng = np.random.default_rng(7)
    sizes = rng.lognormal(np.log(size), 0.7, (cases, peers + 1)).round() + 30
    level = np.sin(rng.normal(0.6, TAU, sizes.shape)) ** 2
    count = rng.binomial(sizes.astype(int), level).astype(float)
    names = {"numerator": count, "denominator": sizes, "value": count / sizes}
    names |= dict.fromkeys(["lower", "upper"], sizes * np.nan)
    own = pd.DataFrame({name: matrix[:, -1] for name, matrix in names.items()})
    return {name: matrix[:, :-1] for name, matrix in names.items()}, own


@pytest.mark.parametrize(("peers", "size"), [(15, 100_000), (15, 70), (50, 300), (150, 100_000)])
def test_one_more_ordinary_council_is_seldom_called(peers: int, size: float) -> None:
    panel, own = ordinary(peers, 3000, size)
    found, _ = places(panel, own.assign(scale_of="proportion"), overdispersion=True)
    for level, most in ((0.95, 0.065), (0.998, 0.005)):
        limit = reach(found["freedom"], level)
        assert (found["adjusted_z"].abs() > limit).mean() <= most
    if size > 1000:
        assert found["tau2"].median() == pytest.approx(TAU**2, rel=0.12)
        assert (found["adjusted_z"].abs() > reach(found["freedom"], 0.8)).any()


def test_chance_alone_has_a_dispersion_of_one_and_a_far_council_is_found() -> None:
    rng = np.random.default_rng(3)
    size = np.full((400, 31), 1000.0)
    count = rng.poisson(60, size.shape).astype(float)
    count[:, -1] = 300.0
    names = {"numerator": count, "denominator": size, "value": count / size}
    names |= dict.fromkeys(["lower", "upper"], size * np.nan)
    own = pd.DataFrame({name: matrix[:, -1] for name, matrix in names.items()})
    panel = {name: matrix[:, :-1] for name, matrix in names.items()}
    found, matrices = places(panel, own.assign(scale_of="rate"), overdispersion=True)
    assert found["phi"].mean() == pytest.approx(1, abs=0.05)
    case = found.assign(scale_of="rate")
    assert set(labels(found["adjusted_z"], own["numerator"], case)) == {"high_998"}
    assert set(labels(found["adjusted_z"], own["numerator"] * 0, case)) == {""}
    assert matrices["z"].shape == (400, 30)
    few, _ = places({k: v[:, :4] for k, v in panel.items()}, own.assign(scale_of="rate"),
                    overdispersion=True)  # fmt: skip
    assert few[["adjusted_z", "phi", "centre"]].isna().all(axis=None)


@pytest.mark.parametrize("kind", ["proportion", "rate"])
def test_smooth_limits_are_those_of_the_funnel(kind: str) -> None:
    panel, own = ordinary(30, 1, 500)
    for overdispersion in (False, True):
        asked = own.assign(scale_of=kind)
        found, matrices = places(panel, asked, overdispersion=overdispersion)
        pair = own.join(found).assign(series="a", peer_set="b", scale_of=kind, scale=100.0)
        assert (pair["tau2"] > 0).all() == overdispersion
        drawn = funnels(pair, matrices["size"])
        stretch = [
            (reach(found["freedom"], level).iloc[0] / two_sided_z(level)) ** 2
            for level in (0.95, 0.998)
        ]
        for name, factor in zip(("95", "998"), stretch, strict=True):
            tau2 = pair["tau2"].iloc[0] * (1 + pair["pull"].iloc[0]) * factor
            limits = funnel_limits(drawn["size"] / factor, pair["centre"].iloc[0], tau2, kind)
            for end in (f"lower_{name}", f"upper_{name}"):
                assert drawn[end].to_numpy() == pytest.approx(100 * limits[end].to_numpy())


def test_intervals_are_placed_by_their_widths() -> None:
    rng = np.random.default_rng(2)
    value = rng.normal(50, 2, (300, 20))
    names = {"value": value, "lower": value - 1.96, "upper": value + 1.96}
    names |= dict.fromkeys(["numerator", "denominator"], value * np.nan)
    own = pd.DataFrame({name: matrix[:, -1] for name, matrix in names.items()})
    panel = {name: matrix[:, :-1] for name, matrix in names.items()}
    found, _ = places(panel, own.assign(scale_of="mean"), overdispersion=True)
    assert found["tau2"].median() == pytest.approx(3, abs=0.5)
    assert found["centre"].to_numpy() == pytest.approx(panel["value"].mean(axis=1))
    assert found["adjusted_z"].std() == pytest.approx(1, abs=0.15)
