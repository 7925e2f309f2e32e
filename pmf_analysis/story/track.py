"""All targets of a theme together, and how chances given before compare with what happened.

Neither is a score: an expected number has a range, and a record of few forecasts is not scored.
"""

from collections.abc import Mapping, Sequence

from pmf_analysis.story.bank import count_of, say, say_first, words_of
from pmf_analysis.story.blocks import Block
from pmf_analysis.story.facts import shown_chance, written_date
from pmf_analysis.story.figures import Row, number, text
from pmf_analysis.story.formatting import format_change, format_number
from pmf_analysis.story.pages import data_table, table_block
from pmf_analysis.story.reliability import Band, draw_reliability
from pmf_analysis.story.sentences import Sentences, told
from pmf_analysis.story.view import ThemeView, rows_of

_PORTFOLIO = ("portfolio", "targets", "met_expected", "met_range", "easy", "challenging")
_SHARES = ("said", "seen", "bar_low", "bar_high")
_RECORD = ("band", "of_n", "said", "seen", "perfect")
_OPENED = ("indicator", "due", "target", "sealed", "said", "outcome", "result")
_COUNTS = {"easy": "n_easy", "challenging": "n_challenging", "out_of_reach": "n_out_of_reach"}
_MOST_OPENED = 12


def portfolio_blocks(view: ThemeView) -> list[Block]:
    """Say how many targets of theme and council would be met; a row for each directorate."""
    found = rows_of(view.portfolio)
    theme, council, parts = (
        [row for row in found if text(row, "group") == group]
        for group in ("theme", "council", "directorate")
    )
    mine = [row for row in theme if text(row, "name") == view.theme]
    if not mine:
        return []
    said = [say(_whole("theme", mine[0]), **_numbers(mine[0]))]
    said += [say(_whole("council", row), **_numbers(row)) for row in council]
    easy = int(number(mine[0], "n_easy") or 0)
    level = {"level": f"{100 * view.easy_level:.0f}%"}
    said.append(
        count_of("portfolio.easy", easy, **level) if easy else say("portfolio.none_easy", **level)
    )
    said += [say("portfolio.mostly_easy")] if number(mine[0], "mostly_easy") else []
    ranged = number(mine[0], "low") is not None
    said.append(say(f"portfolio.{'spread' if ranged else 'few'}"))
    rows = [_portfolio_row(view, row) for row in (*mine, *council, *parts)]
    table = data_table(say("portfolio.table"), (*_PORTFOLIO, "out_of_reach"), rows)
    heading = say("portfolio.title")
    return [Block("table", "portfolio", heading, text=(" ".join(said),), table=table)]


def _whole(group: str, row: Row) -> str:
    ending = "" if number(row, "low") is None else "_range"
    return f"portfolio.{group}{ending}"


def _numbers(row: Row) -> dict[str, str]:
    names = ("n", "expected", "low", "high", "n_easy", "n_challenging", "n_out_of_reach")
    known = {name: number(row, name) for name in names}
    return {name: "" if value is None else f"{value:.0f}" for name, value in known.items()}


def _portfolio_row(view: ThemeView, row: Row) -> dict[str, str]:
    counts, name = _numbers(row), text(row, "name")
    names = {"theme": view.theme_title, "council": say("portfolio.whole")}
    plain = text(row, "title") or name.replace("_", " ").capitalize()
    cells = {"portfolio": names.get(text(row, "group"), plain), "targets": counts["n"]}
    cells |= {"met_expected": counts["expected"], "met_range": say("number.range", **counts)}
    return cells | {cell: counts[key] for cell, key in _COUNTS.items()}


def record_blocks(view: ThemeView, sources: Sequence[str]) -> list[Block]:
    """Say how many past targets were met and how far chances were off, with the shipped evidence.

    ``sources`` are told in this order. What is refused says why, and nothing is drawn of it.
    """
    names = ("source", "group", "band")
    records = {tuple(text(row, name) for name in names): row for row in rows_of(view.records)}
    if not records:
        return []
    known = words_of("record.source")
    scored = {source: records.get((source, "all", "all")) for source in sources}
    scores = [each for source, row in scored.items() if row for each in _score(known[source], row)]
    own = [] if scored["sealed"] or scored["backtest"] else [say("record.none")]
    said = " ".join((*_past(view, records), *own, *scores))
    shipped = say("record.shipped")
    note = Block("note", "record", say("record.title"), text=(said, shipped))
    bands = [
        (say("record.row", source=known[source], band=word), records[source, "all", band])
        for source in sources
        for band, word in words_of("record.band").items()
        if (source, "all", band) in records
    ]
    return [note, *_chart(view, bands), *_opened(view)]


def _past(view: ThemeView, records: Mapping[tuple[str, ...], Row]) -> Sentences:
    """Say how many past targets of theme and council were met."""
    found = {}
    for group in (view.theme, "all"):
        row = records.get(("targets", group, "all"), {})
        n, seen = number(row, "n"), number(row, "seen")
        if n and seen is not None:
            found[group] = {"n": f"{n:.0f}", "met": f"{n * seen:.0f}"}
    of_theme = say("record.past", **found.get(view.theme, {"n": "", "met": ""}))
    entry = "record.past_council" if of_theme else "record.past_council_alone"
    whole = say(entry, **found.get("all", {"n": "", "met": ""}))
    return told(of_theme or say("record.no_past"), whole)


def _score(name: str, row: Row) -> Sentences:
    """Say by how much the chances of a source were off, or why they are not scored."""
    if reason := text(row, "reason"):
        return told(say("record.refused", name=name, reason=reason[:1].lower() + reason[1:]))
    columns = {"off": "calibration_error", "perfect": "perfect_error"}
    ends = {key: number(row, column) for key, column in columns.items()}
    sizes = {k: "" if v is None else format_change(100 * v, "%", 1) for k, v in ends.items()}
    skill, n = number(row, "skill"), f"{number(row, 'n') or 0:,.0f}"
    spelled = None if skill is None else format_number(skill, 2)
    score = say_first("record.score", "record.score_alone", name=name, n=n, **sizes)
    return told(score, say("record.skill", skill=spelled) if score else "")


def _chart(view: ThemeView, rows: Sequence[tuple[str, Row]]) -> list[Block]:
    """Draw what was said and what happened, a row a band."""
    bands, cells, parts = list[Band](), [], []
    for name, row in rows:
        known = [number(row, column) for column in _SHARES]
        shares = [100 * value for value in known if value is not None]
        if len(shares) < len(_SHARES):
            continue
        spelled = dict(zip(_SHARES, (f"{share:.0f}%" for share in shares), strict=True))
        spelled["of_n"] = f"{number(row, 'n') or 0:,.0f}"
        words = say("record.told", **spelled)
        bands.append(Band(name, words, *shares))
        parts.append(say("record.chart_part", row=name, told=words))
        perfect = say("number.range", low=spelled["bar_low"], high=spelled["bar_high"])
        cells.append({"band": name, "perfect": perfect, **spelled})
    if not bands:
        return []
    heading, alt = say("record.chart_title"), say("record.chart_alt", said=" ".join(parts))
    table = data_table(say("section.data", name=heading), _RECORD, cells)
    told_of = say("record.chart_subtitle", council=view.council)
    picture = draw_reliability(bands, id="reliability")
    more = (table, picture, say("record.chart_source"))
    return [Block("figure", "reliability", heading, told_of, (), alt, {}, *more)]


def _opened(view: ThemeView) -> list[Block]:
    """List the newest sealed forecasts whose outcome is known."""
    subjects = {facts.subject.series: facts.subject for facts in view.trend_facts}
    rows = [
        (subjects[text(row, "series")], row)
        for row in rows_of(view.outcomes)
        if text(row, "source") == "sealed" and text(row, "series") in subjects
    ]
    known = [(s, r) for s, r in rows if None not in (number(r, "met"), number(r, "probability"))]
    known.sort(key=lambda each: text(each[1], "period"), reverse=True)
    cells = [
        {
            "indicator": subject.short,
            "due": text(row, "period_label") or text(row, "period")[:10],
            "target": subject.figure(number(row, "target")).text,
            "sealed": written_date(row, "sealed_on"),
            "said": shown_chance(subject, number(row, "probability")),
            "outcome": subject.figure(number(row, "outcome")).text,
            "result": words_of("record.met")["one" if number(row, "met") else "zero"],
        }
        for subject, row in known[:_MOST_OPENED]
    ]
    return (
        [table_block("opened", data_table(say("record.opened"), _OPENED, cells))] if cells else []
    )
