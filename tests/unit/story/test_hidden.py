"""Small numbers that are hidden are said to be, and nobody reads them as old or as nothing."""

from __future__ import annotations

import pandas as pd

from pmf_analysis.story.trends_page import TrendsPage

from .made_up import made_up_view, points_of, trend_row


def _page(*hidden: int) -> TrendsPage:
    """Page of one series of 26 figures of which those at some places are hidden."""
    row = trend_row(age_days=800, is_stale=True, verdict="cannot_judge", rule="none")
    points = pd.DataFrame(points_of(row, direction=0))
    points.loc[points.index[[*hidden]], ["value", "status"]] = float("nan"), "suppressed"
    row |= {"value": float("nan")} if len(hidden) == len(points) else {}
    return TrendsPage(made_up_view(trends=pd.DataFrame([row]), points=points))


def test_a_hidden_newest_figure_is_said_to_be_hidden_and_not_old() -> None:
    page = _page(24, 25)
    said = " ".join(page.pictures()[0].text)
    assert said.startswith("Newer figures are hidden as small numbers; the last one shown is ")
    assert "or would give such a figure away: 2." in said
    assert "is old" not in said
    told = page.exceptions()[0]
    assert told.title == "What needs attention"
    assert told.text[0].startswith("Newest figure hidden as a small number, so nobody can say")
    assert "older than" not in " ".join(page.headline()[0].text)


def test_an_older_hidden_figure_is_counted_and_the_newest_told_as_always() -> None:
    page = _page(3)
    said = " ".join(page.pictures()[0].text)
    assert said.startswith("The latest figure is ")
    assert "or would give such a figure away: 1." in said
    assert "is old" in said
    assert "give such a figure away" not in " ".join(_page().pictures()[0].text)


def test_figures_that_are_all_hidden_are_not_said_to_be_missing() -> None:
    text = " ".join(_page(*range(26)).pictures()[0].text)
    assert "All its figures are hidden as small numbers." in text
