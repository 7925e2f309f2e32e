"""Where the scale of a chart begins and ends, so that history is never flat and nothing is cut."""

import numpy as np

from pmf_analysis.story.canvas import Ends, Floats, Numbers


def scale_ends(low: float, high: float, share: float) -> tuple[float, float]:
    """Return the ends of a scale with some room; one that begins above zero stays above it."""
    room = share * (high - low) or 0.05 * abs(high) or 1.0
    return (0.0 if 0 <= low < room else low - room), high + room


def natural_ends(values: Numbers, unit: str) -> Ends:
    """Return what a scale never passes: 0 where no value lies below, 100 where all are shares."""
    is_share = unit == "%" and np.nanmax(values) <= 100
    return (0.0 if np.nanmin(values) >= 0 else -np.inf, 100.0 if is_share else np.inf)


def scale_for(
    shown: Floats, targets: Floats, room: float, fan: Numbers = (), wide: float = 0
) -> Ends:
    """Return the ends of a scale on which history and usual range always fit.

    Targets fit too unless they lie so far away (as a mistyped one does) that the history would
    become a flat line, and a forecast as far as that. ``wide`` is the least that counts as far.
    """
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    reach = max(wide, 2.0 * max(high - low, 0.25 * max(abs(low), abs(high)), 1e-9))
    bottom, top = low - reach, high + reach
    near = [*targets[(targets >= bottom) & (targets <= top)], *np.clip(fan, bottom, top)]
    return scale_ends(min([low, *near]), max([high, *near]), room)
