"""What is said of arrows: counts of what was tested, and of what could not be."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import pytest

from pmf_analysis.measures.arrays import constants
from pmf_analysis.story.bank import tell


def _told(worth: dict[str, int], **given: Any) -> str:
    slots = {"system": "Pentana", "differ": 0, "of": 0, "not_again": 0, **given}
    return " ".join(tell("arrows", worth=Counter(worth), **slots))


def test_arrows_that_nobody_could_judge_are_counted_apart() -> None:
    said = _told({"not_judged": 2, "borne_out": 3})
    assert "shows 5 arrows" in said
    assert "2 stand where the trend is not judged" in said
    assert "more than chance" not in said  # of two nobody knows
    assert "All of them stand where the change is more than chance." in _told({"borne_out": 3})


def test_disagreements_are_a_share_of_what_could_be_worked_out_again() -> None:
    said = _told({}, differ=2, of=9, not_again=3)
    assert "2 of 9 arrows and statuses" in said
    assert "Another 3 could not be worked out again" in said
    assert "worked out again" not in _told({}, differ=2, of=9)


@pytest.mark.parametrize(
    ("shape", "worth"), [("seasonal", "not_judged"), ("discrete", "chance"), ("", "chance")]
)
def test_an_arrow_that_may_be_the_season_is_not_called_chance(shape: str, worth: str) -> None:
    row = {"what": "short_trend", "says": "worsening", "verdict": "no_clear_change"}
    rows = pd.DataFrame([{**row, "shape": shape}])
    rules = constants("arrows").worth.items()
    found = [code for code, holds in rules if rows.eval(holds, engine="python").all()]
    assert found[0] == worth
