"""What pmf guessed is said with the value it guessed, and wherever a verdict rests on it."""

from __future__ import annotations

from dataclasses import replace

from pmf_analysis.story.realism_page import RealismPage
from pmf_analysis.story.trends_page import TrendsPage

from .made_up import INDICATORS, made_up_view

WHY = {"polarity": "the title begins with it"}
GUESSED = {
    "recycling": {"guessed": WHY},
    "flytipping": {"guessed": WHY | {"frequency": "from its periods"}},
    "planning": {"polarity": "unknown", "guessed": WHY},
}
VIEW = replace(
    made_up_view(),
    indicators=tuple(each.model_copy(update=GUESSED.get(each.id, {})) for each in INDICATORS),
)
PAGE = TrendsPage(VIEW)


def test_guesses_are_listed_by_the_value_that_was_guessed() -> None:
    table = next(block.table for block in PAGE.quality() if block.id == "guesses")
    assert table is not None
    assert [(row["guess"], row["taken"], row["indicator"]) for row in table.rows] == [
        ("Which direction is good", "higher is better", "Recycling"),
        ("Which direction is good", "lower is better", "Flytipping"),
        ("How often there is a figure", "every quarter", "Flytipping"),
    ]


def test_the_headline_says_first_how_many_indicators_rest_on_guesses() -> None:
    said = "2 of 8 indicators rest on settings that pmf guessed; "
    said += "they are listed under data quality."
    assert [page.headline()[0].text[0] for page in (PAGE, RealismPage(VIEW))] == [said, said]
    assert "guessed" not in " ".join(TrendsPage(made_up_view()).headline()[0].text)


def test_a_side_that_rests_on_a_guess_says_so_wherever_it_is_told() -> None:
    charts = {block.id: block.subtitle for block in PAGE.pictures() if block.kind == "figure"}
    assert charts["chart-recycling"].endswith("Higher is better (guessed).")
    assert charts["chart-air"].endswith("Lower is better.")
    told = [line for line in (*PAGE.attention(), *PAGE.good_news()) if "ecycling" in line]
    assert told
    assert all(line.endswith("Higher is better (guessed).") for line in told)


def _totals(**given: str) -> TrendsPage:
    guessed = {"accumulation": "ytd", "guessed": {"accumulation": "the title says so"}, **given}
    return TrendsPage(
        replace(
            made_up_view(),
            indicators=tuple(
                each.model_copy(update=guessed if each.id == "recycling" else {})
                for each in INDICATORS
            ),
        )
    )


def test_figures_made_from_guessed_running_totals_say_so() -> None:
    said = "Taken as running totals, which is a guess: each figure is what its quarter added."
    first = next(b.text[0] for b in _totals().pictures() if b.id == "finding-recycling")
    assert first.startswith(said)
    declared = TrendsPage(made_up_view()).pictures()
    assert said not in " ".join(text for block in declared for text in block.text)


def test_far_more_signals_than_chance_gives_may_come_from_figures_that_overlap() -> None:
    view = made_up_view()
    guessed = {"guessed": {"accumulation": "no other is likely"}}
    shown = tuple(each.model_copy(update=guessed) for each in INDICATORS)
    said = "if these figures overlap or add up, that alone can do it."
    for high, is_told in ((0.0, True), (20.0, False)):
        tables = {**view.tables, "packs": view.packs.assign(high=high)}
        page = TrendsPage(replace(view, indicators=shown, tables=tables))
        assert (said in " ".join(page.headline()[0].text)) is is_told
