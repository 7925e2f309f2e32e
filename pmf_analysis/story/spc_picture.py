"""What the main chart shows: points, target steps and forecast, their scales and their labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.story.canvas import Floats, Words, short_value
from pmf_analysis.story.style import BLUE, INK, TARGET
from pmf_analysis.story.timeline import MONTHS, positions

Label = tuple[Words, float]
"""Words and the value they stand for."""


@dataclass(frozen=True)
class SpcLabels:
    """The words on the chart; the numbers beside them come from the data."""

    latest: str = "latest"
    average: str = "Average"
    usual_range: str = "Usual range"
    target: str = "Target"
    forecast: str = "Forecast"
    likely_range: str = "Likely range\n(9 times in 10)"
    to: str = "to"
    off_chart: str = "(off this chart)"


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
    labels: SpcLabels

    def text(self, value: float) -> str:
        """Write a value of this series for a label."""
        return short_value(value, self.unit, self.decimals)

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
    labels: SpcLabels,
    frequency: str,
) -> Picture:
    """Order and place what is to be drawn, up to the newest value; arguments as ``draw_spc``."""
    ordered = points.sort_values("period").reset_index(drop=True)
    known = np.flatnonzero(ordered["value"].notna())
    if not len(known):
        nothing = Problem("No point has a value to draw.", code="nothing-to-draw")
        raise PmfError(nothing, EXIT_DATA_UNUSABLE)
    ordered = ordered.iloc[: known[-1] + 1]
    x, step = positions(ordered["period"], frequency), float(MONTHS.get(frequency, 1))
    fan = pd.DataFrame() if forecast is None else forecast.sort_values("period")
    fan = fan.assign(x=positions(fan["period"], frequency)) if len(fan) else pd.DataFrame()
    steps = _target_steps(points, targets, frequency)
    # A target years away (or mistyped) must not squeeze the history into a corner.
    end = max([x[-1], *fan.get("x", [])])
    farthest = end + max(8 * step, 0.5 * (x[-1] - x[0]))
    steps = steps[steps["x"] >= x[0]].assign(x=lambda rows: rows["x"].clip(upper=farthest))
    return Picture(ordered, x, step, steps, fan, unit, decimals, labels)


def _target_steps(
    points: pd.DataFrame, targets: pd.DataFrame | None, frequency: str
) -> pd.DataFrame:
    """Return the target of each period that has one, low and high the same unless it is a range."""
    own = pd.DataFrame({"period": points["period"], "low": points.get("target")})
    parts = [own.assign(high=own["low"])]
    if targets is not None and len(targets):
        ranged = pd.DataFrame({"period": targets["period"], "low": targets["target"]})
        ranged["high"] = targets["target"]
        if {"target_low", "target_high"} <= set(targets.columns):
            ranged["low"] = targets["target_low"].fillna(ranged["low"])
            ranged["high"] = targets["target_high"].fillna(ranged["high"])
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
    if not picture.fan.empty:
        reach = max(reach, 2.0 * float((picture.fan["q75"] - picture.fan["q25"]).max()))
    beyond = [picture.targets[["low", "high"]].to_numpy(float).ravel()]
    if not picture.fan.empty:
        beyond.append(
            np.clip(picture.fan[["q05", "q95"]].to_numpy(float).ravel(), low - reach, high + reach)
        )
    near = np.concatenate(beyond)
    near = near[(near >= low - reach) & (near <= high + reach)]
    least, most = min([low, *near]), max([high, *near])
    room = 0.08 * (most - least) or 0.05 * abs(most) or 1.0
    return (0.0 if least >= 0 and least - room < 0 else least - room), most + room


def end_labels(picture: Picture) -> list[Label]:
    """Return the labels of lines that end at the right edge, with the values they stand for."""
    labels: list[Label] = []
    words = picture.labels
    if not picture.targets.empty:
        low, high = (float(picture.targets[side].iloc[-1]) for side in ("low", "high"))
        text = (
            picture.text(high)
            if low == high
            else f"{picture.text(low)} {words.to} {picture.text(high)}"
        )
        labels.append((Words(f"{words.target} {text}", TARGET, bold=True), high))
    if not picture.fan.empty:
        last = picture.fan.iloc[-1]
        text = f"{words.forecast} {picture.text(float(last['q50']))}"
        labels.append((Words(text, BLUE, bold=True), float(last["q50"])))
        # The band's label stands at the edge farther from the target, where there is more room.
        above = bool(labels) and labels[0][1] <= float(last["q50"])
        labels.append((Words(words.likely_range), float(last["q95" if above else "q05"])))
    return labels


def history_labels(picture: Picture) -> list[Label]:
    """Return the labels of newest value, average and usual range, most important first."""
    words, last = picture.labels, picture.points.iloc[-1]
    labels = [
        (Words(f"{picture.text(picture.last[1])} {words.latest}", INK, bold=True), picture.last[1])
    ]
    if pd.isna(last["lower_limit"]):
        return labels
    ends = f"{picture.text(last['lower_limit'])} {words.to} {picture.text(last['upper_limit'])}"
    usual, average = f"{words.usual_range}\n{ends}", f"{words.average} {picture.text(last['mean'])}"
    if not picture.fan.empty:
        # The fan stands between these lines and the right edge, so one label by the band has both.
        return [*labels, (Words(f"{usual},\n{average.lower()}"), float(last["upper_limit"]))]
    return [
        *labels,
        (Words(usual), float(last["upper_limit"])),
        (Words(average), float(last["mean"])),
    ]
