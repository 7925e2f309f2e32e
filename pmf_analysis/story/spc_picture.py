"""What the main chart shows: points, target steps and forecast, their scales and their labels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.story import canvas, figures, parts
from pmf_analysis.story.bank import say
from pmf_analysis.story.canvas import Floats
from pmf_analysis.story.lettering import Label, Words, short_range, short_value

LIMITS = ["lower_limit", "upper_limit", "mean"]
Flags = NDArray[np.bool_]
Rows = pd.DataFrame | None


@dataclass(frozen=True)
class Picture:
    """What is to be drawn; ``x`` and every column ``x`` are places on the time axis.

    ``scale`` is unit and decimals of the values.
    """

    points: pd.DataFrame
    x: Floats
    step: float
    targets: pd.DataFrame
    fan: pd.DataFrame
    events: pd.DataFrame
    is_late: bool
    scale: tuple[str, int]

    @cached_property
    def frozen_from(self) -> float:
        """Where the usual range of a declared baseline goes on beyond its own periods."""
        ends = self.events.loc[self.events["kind"] == "baseline", "end"].dropna()
        return float(ends.iloc[-1]) if len(ends) else np.inf

    @cached_property
    def left_out(self) -> Flags:
        """Points that are shown but count for no average, limit or test: exceptional periods."""
        place, uncharted = self.x[:, None], self.points["mean"].isna().to_numpy(bool)
        within = ((place > self.exceptional[:, 0]) & (place < self.exceptional[:, 1])).any(axis=1)
        unjudged = self.points["point_type"].eq("missing").to_numpy(bool) | within & uncharted
        return unjudged & self.points["value"].notna().to_numpy(bool)

    @cached_property
    def exceptional(self) -> Floats:
        """Begin and end of each period declared exceptional, a row each."""
        spans = self.events.loc[self.events["kind"] == "exceptional", ["x", "end"]]
        return spans.dropna().to_numpy(float)

    @cached_property
    def last(self) -> tuple[float, float]:
        """Position and value of the newest point that has a value."""
        known = np.flatnonzero(self.points["value"].notna())[-1]
        return float(self.x[known]), float(self.points["value"].iloc[known])

    @cached_property
    def span(self) -> tuple[float, float]:
        """Places of the first period and the last, with forecast and future targets."""
        latest = [frame["x"].max() for frame in (self.fan, self.targets) if len(frame)]
        return float(self.x[0]), float(max([self.x[-1], *latest]))

    @cached_property
    def end_labels(self) -> list[Label]:
        """Return the labels of lines that end at the right edge, with the values they stand for."""
        goals = self.targets.reindex(columns=["low", "high"]).tail(1).to_numpy(float).ravel()
        fan = self.fan.reindex(columns=["q05", "q50", "q95"]).tail(1).to_numpy(float).ravel()
        return parts.labels_ahead(self.scale, goals, fan)

    @cached_property
    def history_labels(self) -> list[Label]:
        """Return the labels of newest value, average and usual range, most important first."""
        value = short_value(self.last[1], *self.scale)
        text = say("chart.latest", value=value)
        if self.is_late:
            text = say("chart.latest_of", value=value, period=self.points["period_label"].iloc[-1])
        latest = Words(text, "ink", bold=True), self.last[1]
        lower, upper, mean = self.points[LIMITS].iloc[-1].astype(float)
        if np.isnan(lower):
            return [latest]
        newest = self.points["segment"] == self.points["segment"].iloc[-1]
        is_seasonal = self.points.loc[newest, "mean"].nunique() > 1
        name = _baseline_words(self, say("chart.usual_season" if is_seasonal else "chart.usual"))
        usual = f"{name}\n{short_range(lower, upper, *self.scale)}"
        average = short_value(mean, *self.scale)
        if not self.fan.empty:
            # The fan stands between these lines and the right edge: one label by the band.
            return [latest, (Words(say("chart.usual_average", usual=usual, value=average)), upper)]
        return [latest, (Words(usual), upper), (Words(say("chart.average", value=average)), mean)]


def build_picture(
    points: pd.DataFrame, rows: tuple[Rows, Rows, Rows], subject: figures.Subject, late: bool
) -> Picture:
    """Order and place what is to be drawn, up to the newest value.

    ``rows`` are targets, forecast and events.
    """
    (targets, forecast, events), frequency = rows, subject.frequency
    ordered = points.sort_values("period").reset_index(drop=True)
    known = np.flatnonzero(ordered["value"].notna())
    canvas.require_value(len(known))
    late |= known[-1] < len(ordered) - 1
    ordered = ordered.iloc[: known[-1] + 1]
    x, step = parts.positions(ordered["period"], frequency), float(parts.MONTHS.get(frequency, 1))
    fan = pd.DataFrame()
    if forecast is not None and forecast["q50"].notna().any():
        fan = forecast.dropna(subset=["q50"]).sort_values("period")
        fan = fan.assign(x=parts.positions(fan["period"], frequency))
    steps = _target_steps(points, targets, frequency)
    # A target years away (or mistyped) must not squeeze the history into a corner.
    farthest = max([x[-1], *fan.get("x", [])]) + max(8 * step, 0.5 * (x[-1] - x[0]))
    steps = steps[steps["x"] >= x[0]].assign(x=lambda rows: rows["x"].clip(upper=farthest))
    placed = _placed_events(events, x, frequency)
    return Picture(ordered, x, step, steps, fan, placed, late, subject.scale)


def _placed_events(events: Rows, x: Floats, frequency: str) -> pd.DataFrame:
    """Place events that began on this chart, oldest first: ``x``, and ``end`` where one has it."""
    named = ["period", "until", "kind", "number"]
    if events is None or events.empty:
        return pd.DataFrame(columns=[*named, "x", "end"])
    rows = events.reindex(columns=named).dropna(subset=["period"])
    rows = rows.sort_values(["period", "number"], ignore_index=True)
    half = parts.MONTHS.get(frequency, 1) / 2
    start = parts.positions(rows["period"], frequency) - half
    end = parts.positions(pd.to_datetime(rows["until"]) + pd.Timedelta(days=1), frequency) - half
    rows = rows.assign(x=np.maximum(start, x[0] - half), end=np.minimum(end, x[-1] + half))
    return pd.DataFrame(rows[start < x[-1] + half])


def _target_steps(points: pd.DataFrame, targets: Rows, frequency: str) -> pd.DataFrame:
    """Return the target of each period that has one, low and high the same unless it is a range."""
    frames = [points.reindex(columns=["period", "target"]), *([] if targets is None else [targets])]
    names = {"target_low": "low", "target_high": "high", "target": "goal"}
    placed = [part.set_index("period").reindex(columns=[*names]).astype(float) for part in frames]
    goals = pd.concat(placed).rename(columns=names)
    steps = pd.DataFrame({side: goals[side].fillna(goals["goal"]) for side in ("low", "high")})
    steps = steps.dropna()
    steps = steps[~steps.index.duplicated(keep="last")].sort_index().reset_index()
    return steps.assign(x=parts.positions(steps["period"], frequency))


def value_range(picture: Picture) -> tuple[float, float]:
    """Return the ends of the vertical scale, from history, usual range, targets and forecast."""
    shown = picture.points[["value", "lower_limit", "upper_limit"]].to_numpy(float)
    fan = picture.fan.reindex(columns=["q05", "q25", "q75", "q95"]).to_numpy(float).T
    wide = 2.0 * max(fan[2] - fan[1], default=0.0)
    targets = picture.targets[["low", "high"]].to_numpy(float)
    return parts.scale_for(shown, targets.ravel(), 0.08, fan[[0, 3]].ravel(), wide)


def _baseline_words(picture: Picture, usual: str) -> str:
    """Name the periods whose usual range a chart keeps, so that nobody takes it for today's."""
    if picture.x[-1] < picture.frozen_from:
        return usual
    start = picture.events.loc[picture.events["end"] == picture.frozen_from, "x"].iloc[-1]
    within = (picture.x > start) & (picture.x < picture.frozen_from)
    labels = [*picture.points.loc[within, "period_label"]]
    named = {"first": labels[0], "last": labels[-1]} if labels else {}
    return say("chart.usual_of", usual=usual, **named) if named else usual
