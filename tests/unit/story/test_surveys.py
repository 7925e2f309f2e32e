"""What two waves of a survey tell beyond sampling error reaches the reader, and arrows do not."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pmf_analysis.story.trends_page import TrendsPage

from .made_up import made_up_view, points_of, trend_row


def _page(**given: Any) -> TrendsPage:
    tested = {"change_test": "two_proportions", "change": -4.0, "change_p": 0.01}
    quiet = {"verdict": "cannot_judge", "rule": "none", "arrow_short": "worsening"}
    row = trend_row(**{**tested, **quiet, "arrow_long": "worsening", **given})
    points = pd.DataFrame(points_of(row, direction=0))
    return TrendsPage(made_up_view(trends=pd.DataFrame([row]), points=points))


def _told(page: TrendsPage) -> dict[str, str]:
    return {block.id: " ".join(block.text) for block in page.exceptions()}


def test_a_fall_beyond_sampling_error_reaches_headline_and_exceptions() -> None:
    page = _page()
    headline = " ".join(page.headline()[0].text)
    assert "Down since the last survey by more than sampling error explains: " in headline
    assert "by more than sampling error explains. That is worse." in _told(page)["exceptions"]
    assert _told(_page(change=4.0))["good-news"].endswith("explains. That is better.")
    neither = _told(_page(polarity="none"))["exceptions"]
    assert neither.endswith("by more than sampling error explains.")


def test_a_change_of_the_whole_area_has_no_side() -> None:
    told = _told(_page(control="city"))
    assert told["whole-area"].endswith("by more than sampling error explains.")
    assert "sampling error" not in told["exceptions"]


def test_a_change_within_sampling_error_stands_nowhere() -> None:
    page = _page(change_p=0.4)
    told = " ".join((*page.headline()[0].text, *_told(page).values()))
    assert "sampling error" not in told


def test_key_figures_of_a_survey_have_no_arrows() -> None:
    assert _page().rows()[0]["arrows"] == ""
    assert _page(change_test="").rows()[0]["arrows"] == "worse, worse"
