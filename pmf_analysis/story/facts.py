"""Facts: one row of a result table, with every number raw and as it is written.

Captions, text alternatives, tables and sentences are all made from these, so they cannot
disagree. Nothing is measured here: numbers are read, a sign is taken, and a city measure loses
its status words, because a council is not judged by what it does not control.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from pmf_analysis.story import bank, formatting
from pmf_analysis.story.figures import Facts, Figure, Row, Subject, number, text

STANDARDS = ("floor", "statutory", "contractual")
"""Kinds of target that are to be kept: each is kept or at risk, and none asks for too little."""
SIGNALS = ("improving", "worsening", "rising", "falling")
_CODE = bank.stored("facts.yml")
MARKS: dict[str, str] = _CODE["marks"]
_DAY = r"\b\d{4}-\d\d-\d\d\b"


@dataclass(frozen=True, slots=True)
class TrendFacts(Facts):
    """One row of the trends table."""

    @classmethod
    def of(
        cls, row: Row, council: str, *, direction: int = 0, judged: int = 0, **of_points: Any
    ) -> Self:
        """Make it from a row of the trends table and some facts of its points.

        Parameters
        ----------
        row, council
            The row, and the council's name.
        direction
            Direction of the newest point's signal: 1 up, -1 down, 0 none.
        judged
            How many figures since the last break have a target to be held against.
        of_points
            ``has_break``: whether the usual range starts again within the series; ``since``: the
            first period of the run that the rule speaks of; ``is_lately``: whether it began within
            a year; ``unusual_until``: last signal among the newest points, where it has ended;
            ``has_suggestion``: whether a step is suggested.
        """
        subject = Subject.of(row, council)
        verdict = text(row, "verdict") or "cannot_judge"
        of_points |= dict.fromkeys(_CODE["judgements"], "") if subject.is_city else {}
        slope = (number(row, "slope") or 0.0) if text(row, "rule") in _CODE["slope_rules"] else 0.0
        way = _way(verdict, subject) or (slope > 0) - (slope < 0) or direction
        return cls.read(
            *(row, subject, "trend"),
            period=formatting.in_sentence(text(row, "period_long") or text(row, "period_label")),
            direction=way,
            verdict=without_status(verdict, subject, way),
            target=target_of(row, subject),
            judged=judged,
            **of_points,
        )

    @property
    def usual(self) -> tuple[Figure, Figure]:
        """Ends of the usual range; what cannot be judged has none."""
        ends = (self.lower_limit, self.upper_limit)
        return (Figure(None, ""),) * 2 if self.verdict == "cannot_judge" else ends

    @property
    def is_signal(self) -> bool:
        """Whether the series moved by more than its normal variation."""
        return self.verdict in SIGNALS

    @property
    def is_level(self) -> bool:
        """Whether the signal is one of level that has lasted a year, or has begun to go back."""
        back = self.sign(self.change_on_year) == -self.direction
        return self.is_signal and self.rule in _CODE["level_rules"] and (back or not self.is_lately)

    @property
    def n_hidden(self) -> int:
        """How many figures are hidden as small numbers."""
        return int(number(self.row, "n_hidden") or 0)

    @property
    def is_newest_hidden(self) -> bool:
        """Whether what is newer than the value is hidden."""
        return "is_newest_hidden" in self.row

    @property
    def survey_change(self) -> int:
        """Way of a change since the last survey that sampling error would not explain; else 0.

        A change that the verdict tells already is none.
        """
        chance, way = self.change_p.raw, self.sign(self.change)
        is_told = self.is_signal and way == self.direction
        return way if chance is not None and chance <= _CODE["survey"] and not is_told else 0

    @property
    def year_label(self) -> str:
        """Label of the same period a year ago; "" if unknown, or told as the previous one."""
        is_told = self.change_on_year.is_known and self.last_year_label != self.previous_label
        return str(self.last_year_label) if is_told else ""

    @property
    def outcome(self) -> str:
        """Whether the newest figure met its target: "met", "missed" or "" where nobody can say."""
        if self.value.raw is None or self.target.raw is None or self.subject.is_city:
            return ""
        ahead = (self.value.raw - self.target.raw) * self.subject.better_sign
        return "" if not self.subject.better_sign else "met" if ahead >= 0 else "missed"

    @property
    def level(self) -> str:
        """Verdict as it is told: a level that is off its average has not moved."""
        return _CODE["levels"][self.verdict] if self.is_level else self.verdict


def _way(verdict: str, subject: Subject) -> int:
    """Return the way a verdict points where the words leave no doubt, else 0."""
    better = subject.better_sign
    return {"rising": 1, "falling": -1, "improving": better, "worsening": -better}.get(verdict, 0)


def without_status(verdict: str, subject: Subject, sign: int) -> str:
    """Turn a city measure's status into a plain direction; everything else passes."""
    if subject.is_city and verdict in ("improving", "worsening"):
        return {1: "rising", -1: "falling"}.get(sign, "no_clear_change")
    if subject.is_city and verdict.endswith(("better", "worse")):
        way = {1: "higher", -1: "lower"}.get(sign)
        return re.sub("better|worse", way, verdict) if way else "similar"
    return verdict


@dataclass(frozen=True, slots=True)
class ComparisonFacts(Facts):
    """One row of the comparisons table: an own series beside one peer set; ``n`` counts peers."""

    missing: tuple[str, ...]
    rank_range: str

    @classmethod
    def of(cls, row: Row, subject: Subject) -> Self:
        """Make it from a row of the comparisons table and the series it belongs to.

        A city measure is ranked from the highest figure down, since for it none is better.
        """
        # What may not be compared has no place; beside hidden councils a place misleads.
        reason, refused = text(row, "reason"), text(row, "verdict") == "cannot_judge"
        is_unfair = refused and MARKS["unfair"] in reason
        untold = (*_CODE["places"], *(_CODE["averages"] if is_unfair else ())) if refused else ()
        row = {**row, **dict.fromkeys(untold)}
        verdict, gap = text(row, "verdict"), number(row, "gap")
        rank = number(row, "rank_high" if subject.is_city else "rank")
        sign = 0 if gap is None else formatting.rounded_sign(gap, subject.decimals)
        n = int(number(row, "n_peers") or 0)
        # Where it is everybody there is no list of names.
        missing = text(row, "peers_missing").split("; ") if n else []
        nobody = bank.say("compare.nobody") if reason.startswith(MARKS["nobody"]) else ""
        ends = [subject.figure(number(row, end), "rank") for end in ("rank_best", "rank_worst")]
        quarter, kept = int(number(row, "quarter") or 0), number(row, "own_kept")
        # Of the whole area no way is better: places and quarters count from the highest figure.
        is_turned = subject.is_city and subject.polarity in ("lower", "range")
        is_told = ends[0] != ends[1] and not is_turned
        quarter = (5 - quarter) % 5 if is_turned else quarter
        return cls.read(
            *(row, subject, "comparison"),
            n=n,
            peer_set=text(row, "peer_set_title") or text(row, "peer_set"),
            missing=tuple(filter(None, missing)),
            reason=nobody or reason,
            rank=subject.figure(rank, "rank"),
            rank_range=bank.say("number.range", low=ends[0], high=ends[1]) if is_told else "",
            # The best range may lie in the middle of the others.
            quarter=0 if subject.polarity == "range" else quarter,
            own_kept="" if kept is None else "kept" if kept else "not_kept",
            verdict=without_status(verdict or "cannot_judge", subject, sign),
        )

    @property
    def is_behind(self) -> bool:
        """Whether the value is on the unfavourable side of the median; never of a city measure."""
        return self.sign(self.gap) * self.subject.better_sign < 0 and not self.subject.is_city

    @property
    def gap_word(self) -> str:
        """Verdict on the gap by the side we are on; "" without a gap."""
        if not self.gap.is_known:
            return ""
        side = 0 if self.subject.is_city else self.sign(self.gap) * self.subject.better_sign
        if self.gap_verdict == "steady" and MARKS["held"] in self.gap_reason:
            return "held"
        return str(_CODE["gaps"].get(self.gap_verdict, {}).get(side, self.gap_verdict))

    @property
    def is_widening(self) -> bool:
        """Whether the value is behind the median, and farther behind than it used to be."""
        return self.gap_word in ("falling_behind", "fell_behind")

    @property
    def edge(self) -> bool:
        """Whether a figure that counts as similar is outside the limits of its funnel."""
        is_asked = self.verdict == "similar" and not self.subject.is_city
        return is_asked and self.funnel_label not in ("", "within")

    @property
    def is_somewhat(self) -> bool:
        """Whether the difference is beyond chance, but within the usual spread."""
        return self.verdict.startswith("somewhat_")

    @property
    def is_open(self) -> bool:
        """Whether other comparisons turn the verdict around, or mostly do not bear it out."""
        same, of, opposite = (self.more[f"robust_{n}"].raw or 0 for n in ("same", "of", "opposite"))
        return 2 * same < of or (opposite > 0 and same < _CODE["nearly_all"] * of)


@dataclass(frozen=True, slots=True)
class TargetFacts(Facts):
    """One row of the targets table: a target, or a standing question where none is set."""

    @classmethod
    def of(cls, row: Row, subject: Subject, easy: float = 0.85) -> Self:
        """Make it from a row of the targets table and the series it belongs to.

        A standard is kept on the present course from the chance ``easy`` on, and else at risk.
        """
        chance, verdict = number(row, "probability"), text(row, "verdict") or "cannot_judge"
        if verdict == "between" and not (text(row, "verdict_low") and text(row, "verdict_high")):
            verdict = "cannot_judge"
        if text(row, "kind") in STANDARDS and chance is not None and verdict != "no_verdict":
            verdict = "kept" if formatting.twentieths(chance) >= round(20 * easy) else "at_risk"
        return cls.read(
            *(row, subject, "target"),
            target=target_of(row, subject),
            band="" if chance is None else chance_band(chance),
            verdict="no_verdict" if subject.is_city and chance is not None else verdict,
            of_periods=int(number(row, "of") or 0),
            capability="" if subject.is_city else text(row, "capability"),
        )

    @property
    def shown(self) -> str:
        """Code of the status shown: a baseline is no target, a known outcome was met or missed."""
        if self.kind == "baseline":
            return "baseline"
        outcome = self.reason.rpartition(MARKS["outcome"])[2]
        return _CODE["outcomes"].get(outcome) or self.verdict

    @property
    def stated(self) -> str:
        """Target as a table states it: both ends of a range, and that a baseline is one."""
        is_range = self.subject.polarity == "range"
        plain = str(self.target) if is_range else self.subject.plain(self.target)
        return bank.say("realism.stated", target=plain) if self.kind == "baseline" else plain

    @property
    def offered(self) -> dict[str, Figure]:
        """Values by their chance, none worse than the present level; of a standard there are none.

        A year so far has no present level.
        """
        values = {"60%": self.value_60, "45%": self.value_45, "30%": self.value_30}
        known = values.items() if self.kind not in STANDARDS else ()
        return {c: v for c, v in known if v.is_known and not self._is_worse(v)}

    def _is_worse(self, value: Figure) -> bool:
        if self.of_periods or value.raw is None or self.last_value.raw is None:
            return False
        change = formatting.rounded_sign(value.raw - self.last_value.raw, self.subject.decimals)
        return change * self.subject.better_sign < 0

    @property
    def is_met(self) -> bool:
        """Whether the latest figure already meets the target."""
        way = self.subject.better_sign
        is_known = self.required_change.is_known and way != 0
        return is_known and self.sign(self.required_change) * way <= 0


def chance_band(probability: float) -> str:
    """Return the band of the PHIA probability yardstick for a probability."""
    shown = formatting.twentieths(probability)
    return str(next(band for most, band in _CODE["bands"].items() if shown <= most))


def target_of(row: Row, subject: Subject) -> Figure:
    """Return the target of a row; of a range it spells both ends."""
    low, high = number(row, "target_low"), number(row, "target_high")
    if subject.polarity != "range" or low is None or high is None:
        return subject.figure(number(row, "target"))
    return Figure(low, subject.range(subject.figure(low), subject.figure(high)))


def dated(said: str) -> str:
    """Write the ISO dates in a text in full."""
    return re.sub(_DAY, lambda day: formatting.format_date(date.fromisoformat(day[0])), said)


def written_date(row: Row, column: str) -> str:
    """Write a date of a row in full; "" where there is none."""
    return dated(text(row, column)[:10])
