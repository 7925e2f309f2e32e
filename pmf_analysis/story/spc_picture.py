"""What the main chart shows: points, target steps and forecast, their scales and their labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pmf_analysis.story.canvas import (
    Floats,
    Words,
    nothing_to_draw,
    scale_ends,
    short_range,
    short_value,
)
from pmf_analysis.story.style import BLUE, INK, TARGET
from pmf_analysis.story.timeline import MONTHS, positions

LIMITS = ["lower_limit", "upper_limit", "mean"]
Label = tuple[Words, float]
"""Words and the value they stand for."""


@dataclass(frozen=True)
class Picture:
    """What is to be drawn; ``x`` and every column ``x`` are places on the time axis."""

    points: pd.DataFrame
    x: Floats
    step: float
    targets: pd.DataFrame
    fan: pd.DataFrame
    unit: str
    decimals: int

    def text(self, value: float) -> str:
        """Write a value of this series for a label."""
        return short_value(value, self.unit, self.decimals)

    def range_text(self, low: float, high: float) -> str:
        """Write a range of values of this series for a label."""
        return short_range(low, high, self.unit, self.decimals)

    @property
    def last(self) -> tuple[float, float]:
        """Position and value of the newest point that has a value."""
        known = np.flatnonzero(self.points["value"].notna())[-1]
        return float(self.x[known]), float(self.points["value"].iloc[known])

    @property
    def span(self) -> tuple[float, float]:
        """Ends of the time axis: whole periods, with forecast and future targets."""
        latest = [frame["x"].max() for frame in (self.fan, self.targets) if len(frame)]
        half = self.step / 2
        return float(self.x[0]) - half, float(max([self.x[-1], *latest])) + half


def build_picture(
    points: pd.DataFrame,
    targets: pd.DataFrame | None,
    forecast: pd.DataFrame | None,
    unit: str,
    decimals: int,
    frequency: str,
) -> Picture:
    """Order and place what is to be drawn, up to the newest value; arguments as ``draw_spc``."""
    ordered = points.sort_values("period").reset_index(drop=True)
    known = np.flatnonzero(ordered["value"].notna())
    if not len(known):
        raise nothing_to_draw()
    ordered = ordered.iloc[: known[-1] + 1]
    x, step = positions(ordered["period"], frequency), float(MONTHS.get(frequency, 1))
    fan = pd.DataFrame()
    if forecast is not None and forecast["q50"].notna().any():
        fan = forecast.dropna(subset=["q50"]).sort_values("period")
        fan = fan.assign(x=positions(fan["period"], frequency))
    steps = _target_steps(points, targets, frequency)
    # A target years away (or mistyped) must not squeeze the history into a corner.
    end = max([x[-1], *fan.get("x", [])])
    farthest = end + max(8 * step, 0.5 * (x[-1] - x[0]))
    steps = steps[steps["x"] >= x[0]].assign(x=lambda rows: rows["x"].clip(upper=farthest))
    return Picture(ordered, x, step, steps, fan, unit, decimals)


def _target_steps(
    points: pd.DataFrame, targets: pd.DataFrame | None, frequency: str
) -> pd.DataFrame:
    """Return the target of each period that has one, low and high the same unless it is a range."""
    own = pd.DataFrame({"period": points["period"], "high": points.get("target")})
    parts = [own.assign(low=own["high"])]
    if targets is not None and len(targets):
        goal, ranged = targets["target"].astype(float), pd.DataFrame({"period": targets["period"]})
        for side in ("low", "high"):
            ranged[side] = targets.get(f"target_{side}", goal).astype(float).fillna(goal)
        parts.append(ranged)
    steps = pd.concat([part.astype({"low": float, "high": float}) for part in parts])
    steps = steps.dropna(subset=["low"]).drop_duplicates("period", keep="last")
    steps = steps.sort_values("period").reset_index(drop=True)
    return steps.assign(x=positions(steps["period"], frequency))


def value_range(picture: Picture) -> tuple[float, float]:
    """Return the ends of the vertical scale.

    History and usual range always fit. Forecast and target fit too unless they lie so far away
    (as a mistyped target does) that the history would become a flat line.
    """
    limits = picture.points[["value", "lower_limit", "upper_limit"]].to_numpy(float)
    low, high = float(np.nanmin(limits)), float(np.nanmax(limits))
    reach = 2.0 * max(high - low, 0.25 * max(abs(low), abs(high)), 1e-9)
    fan, beyond = picture.fan, picture.targets[["low", "high"]].to_numpy(float).ravel()
    if not fan.empty:
        reach = max(reach, 2.0 * float((fan["q75"] - fan["q25"]).max()))
        ends = fan[["q05", "q95"]].to_numpy(float).clip(low - reach, high + reach)
        beyond = np.concatenate([beyond, ends.ravel()])
    near = beyond[(beyond >= low - reach) & (beyond <= high + reach)]
    return scale_ends(min([low, *near]), max([high, *near]), 0.08)


def end_labels(picture: Picture) -> list[Label]:
    """Return the labels of lines that end at the right edge, with the values they stand for."""
    labels: list[Label] = []
    if not picture.targets.empty:
        low, high = (float(picture.targets[side].iloc[-1]) for side in ("low", "high"))
        text = picture.text(high) if low == high else picture.range_text(low, high)
        labels.append((Words(f"Target {text}", TARGET, bold=True), high))
    if not picture.fan.empty:
        last = picture.fan.iloc[-1]
        middle = float(last["q50"])
        # The band's label stands at the edge farther from the target, where there is more room.
        edge = "q95" if labels and labels[0][1] <= middle else "q05"
        labels.append((Words(f"Forecast {picture.text(middle)}", BLUE, bold=True), middle))
        labels.append((Words("Likely range\n(9 times in 10)"), float(last[edge])))
    return labels


def history_labels(picture: Picture) -> list[Label]:
    """Return the labels of newest value, average and usual range, most important first."""
    value = picture.last[1]
    latest = (Words(f"{picture.text(value)} latest", INK, bold=True), value)
    lower, upper, mean = picture.points[LIMITS].iloc[-1].astype(float)
    if np.isnan(lower):
        return [latest]
    newest = picture.points["segment"] == picture.points["segment"].iloc[-1]
    is_seasonal = picture.points.loc[newest, "mean"].nunique() > 1
    name = "Usual range\nfor the time of year" if is_seasonal else "Usual range"
    usual = f"{name}\n{picture.range_text(lower, upper)}"
    average = picture.text(mean)
    if not picture.fan.empty:
        # The fan stands between these lines and the right edge, so one label by the band has both.
        return [latest, (Words(f"{usual},\naverage {average}"), upper)]
    return [latest, (Words(usual), upper), (Words(f"Average {average}"), mean)]
