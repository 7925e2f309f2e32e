"""From a chance to a verdict on a target: bands, and what moves a target to the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BANDS = {"too_easy": 0.85, "little_stretch": 0.60, "challenging": 0.30, "stretch": 0.10}
HARDEST = "not_realistic"
RARE_AMONG_PEERS = 0.05


@dataclass(frozen=True)
class Verdict:
    """`verdict` is "between" where two ways of estimating disagree about the band."""

    verdict: str
    low: str  # band of the smaller chance
    high: str


def verdict_of(
    lower: float,
    upper: float,
    bands: Mapping[str, float],
    *,
    may_be_easy: bool,
    rare_among_peers: bool,
) -> Verdict:
    """Verdict of chances from `lower` to `upper`.

    Parameters
    ----------
    bands
        Smallest chance of each verdict; below them all it is "not_realistic".
    may_be_easy
        False for targets that are never "too easy", whatever their chance.
    rare_among_peers
        True moves the verdict one band harder (target-realism.md 9).
    """
    names = [*sorted(bands, key=lambda name: -bands[name]), HARDEST]

    def band(chance: float) -> str:
        reached = [chance >= bands[name] for name in names[:-1]]
        place = reached.index(True) if any(reached) else len(names) - 1
        if names[place] == "too_easy" and not may_be_easy:
            place += 1
        return names[min(place + rare_among_peers, len(names) - 1)]

    low, high = band(lower), band(upper)
    return Verdict(low if low == high else "between", low, high)
