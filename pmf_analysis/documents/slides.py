"""Reports as slides: a title, and one slide for each finding that is listed, or good or bad news.

Each has the finding as its title, its first sentences and cautions, a native chart that PowerPoint
can edit, and the whole text as speaker notes.
"""

import re
from dataclasses import replace
from itertools import takewhile
from typing import Any

from pmf_analysis.documents.office import brand_colour, filled, visible
from pmf_analysis.documents.pictures import RULES
from pmf_analysis.documents.reading import Report
from pmf_analysis.documents.word import saved
from pmf_analysis.problems import PmfError, Problem
from pmf_analysis.story import bank, rendering, style
from pmf_analysis.story.blocks import Block, Table


def make_slides(report: Report) -> bytes:
    """Return the exceptions of a report as slides.

    Raises
    ------
    PmfError
        When python-pptx, the extra ``slides``, is not installed.
    """
    try:
        from pptx import Presentation
    except ImportError as error:
        raise PmfError(Problem.of("slides-not-installed")) from error
    show, facts, titles = Presentation(), report.facts, set[str]()
    _widen(show)
    said = " ".join(f"{facts[name].rstrip('.')}." for name in ("period", "notice") if facts[name])
    first = Block("note", "first", facts["title"], subtitle=facts["council"], text=(said,))
    none = Block("note", "none", bank.say("slides.none"), text=(bank.say("slides.none_text"),))
    for block, figure in [(first, None), *(_exceptions(report) or [(none, None)])]:
        slide, below = show.slides.add_slide(show.slide_layouts[1]), figure or block
        title = bank.clip_words(visible(block.title), bank.MOST_TITLE_WORDS).strip()
        title = title[: RULES["longest_title"]] or bank.say("slides.finding")
        title = f"{title} ({len(titles) + 1})" if title in titles else title
        titles.add(title)
        known = {"brand_colour": brand_colour(report), "palette": style, **facts, "title": title}
        known |= {"sentences": _sentences(" ".join(block.text)), "block": block, "below": below}
        slide.shapes._spTree[2:] = filled("slide.xml.jinja", {**known, "figure": figure})
        if figure and figure.table:
            _add_chart(slide, figure, figure.table)
        whole = (block.title, *block.text, below.alt, below.source, *below.commentary, *below.notes)
        slide.notes_slide.notes_text_frame.text = visible("\n".join(filter(None, whole)))
    for part in show.part.package.iter_parts():
        for node in part._element.xpath("//a:r | //*[@lang]") if hasattr(part, "_element") else ():
            looks = node if "lang" in node.attrib else node.get_or_add_rPr()
            looks.set("lang", facts["lang"])
    return saved(show, show.part.package._rels, report)


def _exceptions(report: Report) -> list[tuple[Block, Block | None]]:
    """Return each finding that is listed or news, with the first figure below it."""
    blocks, found = [shown.block for shown in report.shown], list[tuple[Block, Block | None]]()
    for place, block in enumerate(blocks):
        below = takewhile(lambda each: each.kind != "finding", blocks[place + 1 :])
        if block.kind == "finding" and block.id not in RULES["listed"]:
            found.append((block, next((each for each in below if each.kind == "figure"), None)))
    chosen = []
    for text in (text for block in blocks if block.id in RULES["listed"] for text in block.text):
        title, _, rest = text.partition(". ")
        own = [pair for pair in found if text.startswith(f"{pair[0].title}.")]
        # Of an indicator that is listed for another reason than its finding: that, then the rest.
        own += [
            (replace(block, title=title, text=(rest, *block.text)), below)
            for block, below in found
            if block.title.startswith(f"{title}: ")
        ]
        chosen += own[:1] or [(Block("finding", "listed", title, text=(rest,)), None)] * bool(rest)
    news = [each for each in found if each[0].tone in ("better", "worse")]
    return chosen + [each for each in news if each not in chosen]


def _sentences(text: str) -> list[str]:
    """Return the first sentences, and all that say how sure it is or what was aimed at."""
    said = [*dict.fromkeys(re.split(r"(?<=[.!?])\s+", text.strip()))]
    kept = {said[0], *(each for each in said if re.search(RULES["cautions"], each))}
    for each in said:
        if not bank.fits(" ".join({*kept, each}), RULES["most_words"]):
            break
        kept.add(each)
    return [bank.clip_words(each, RULES["most_words"]) for each in said if each in kept]


def _widen(show: Any) -> None:
    """Make slides as wide as screens, in Arial, from those that python-pptx has."""
    show.slide_width = show.slide_height * 16 // 9
    for part in show.part.package.iter_parts():
        root = getattr(part, "_element", None)
        for side in () if root is None else root.xpath("//a:*/@x | //a:*/@cx"):
            side.getparent().set(side.attrname, str(int(side) * 4 // 3))
        if part.partname.startswith("/ppt/theme"):
            part.blob = part.blob.replace(b"Calibri", b"Arial")


def _add_chart(slide: Any, figure: Block, table: Table) -> None:
    """Add a table of periods as a chart that PowerPoint can edit; gaps stay gaps."""
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
    from pptx.util import Inches, Pt

    plain, looks, largest = rendering.units_in_headings(table), list[tuple[str, int]](), 0.0
    data: Any = CategoryChartData(number_format="General")  # type: ignore[no-untyped-call]
    data.categories = [_label(row.get(table.columns[0].key) or "-") for row in table.rows]
    for told, column in zip(table.columns, plain.columns, strict=True):
        name, is_number, cells = rendering.plain_column(plain, column)
        if is_number and column.key in RULES["series"]:
            values = [float(cell) if cell else None for cell in cells]
            data.add_series(_label(told.label if looks else name), values)  # one says the unit
            looks.append(RULES["series"][column.key])
            largest = max(largest, *(abs(value or 0) for value in values))
    if not looks:
        return
    frame = slide.shapes.add_chart(XL_CHART_TYPE.LINE_MARKERS, *map(Inches, RULES["chart"]), data)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", visible(figure.alt))
    slide.shapes._spTree[-2].addprevious(frame._element)  # read before the source
    chart = frame.chart
    chart.has_title, chart.has_legend, chart.font.size = False, True, Pt(12)
    chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    if largest >= 1000:
        chart.value_axis.tick_labels.number_format = "#,##0"
        chart.value_axis.tick_labels.number_format_is_linked = False
    _name_periods(chart.category_axis._element, [str(each.label) for each in data.categories])
    _colour(chart, looks)


def _name_periods(axis: Any, names: list[str]) -> None:
    """Name as many periods as stand level beside each other."""
    step = -(-len(names) * (max(map(len, names)) + 2) // RULES["letters"])
    skip = axis.makeelement(
        axis.tag.replace("catAx", "tickLblSkip"), {"val": str(step)}, axis.nsmap
    )
    axis.find(axis.tag.replace("catAx", "noMultiLvlLbl")).addprevious(skip)


def _colour(chart: Any, looks: list[tuple[str, int]]) -> None:
    """Draw each line in its colour; dots show figures that have no neighbour."""
    from pptx.dml.color import RGBColor
    from pptx.enum.chart import XL_MARKER_STYLE
    from pptx.enum.dml import MSO_LINE
    from pptx.util import Pt

    rgb: Any = RGBColor.from_string
    chart.value_axis.major_gridlines.format.line.color.rgb = rgb(style.COLOURS["grid"][1:])
    for series, (name, size) in zip(chart.plots[0].series, looks, strict=True):
        colour = rgb(style.COLOURS[name][1:])
        series.smooth, series.format.line.width = False, Pt(2.25)
        series.format.line.dash_style = MSO_LINE.SOLID if size else MSO_LINE.DASH
        series.format.line.color.rgb = colour
        series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, size or 5
        series.marker.format.fill.solid()
        series.marker.format.fill.fore_color.rgb = colour
        series.marker.format.line.color.rgb = colour


def _label(text: str) -> str:
    """Return a text that a chart's own workbook takes neither for a formula nor for a link."""
    return re.sub(r"^(?=\W|\w+:)", "'", visible(text))
