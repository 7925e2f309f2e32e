"""PDF files: their tags, words and pictures, on both routes, by real checkers and renderers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat.v4 as v4
import pikepdf
import pytest

from pmf_analysis.documents import pdf
from pmf_analysis.documents.exporters import PmfPdfExporter
from pmf_analysis.documents.html import render_report
from pmf_analysis.documents.pdf import Pdf, make_pdf
from pmf_analysis.problems import PmfError
from pmf_analysis.story.blocks import Block, Column, Table
from pmf_analysis.story.style import PANEL_SVG

CHART = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 300" font-family="Arial, sans-serif"'
    ' font-size="13px"><path d="M0 0L700.123456 290" stroke="#12436D" fill="none"/>'
    '<text x="700" y="40" style="text-anchor:end">Newest figure</text></svg>'
)
PANEL = (
    f'{PANEL_SVG}xmlns="http://www.w3.org/2000/svg" width="260" viewBox="0 0 260 174"'
    ' aria-hidden="true"><text x="0" y="14">Recycling</text><text x="0" y="39">Improving</text>'
    '<path d="M0 50L99 99" stroke="#12436D"/></svg>'
)
SPARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" id="s{n}" class="pmf-spark" viewBox="0 0 100 24"'
    ' aria-hidden="true"><path d="M0 3L100 20" stroke="currentColor"/></svg>'
)
WORDS = {"improving": "Improving", "worsening": "Worsening"}
META = {
    "council": "Westshire Council",
    "theme": "Place",
    "analysis": "Trends",
    "period": "Quarter 2 (July to September) 2026-27",
    "as_at": "2026-10-31",
    "results": "results.csv",
    "home": "../index.html",
}
COLUMNS = (
    Column("name", "Indicator"),
    Column("trend", "Trend", kind="spark"),
    Column("value", "Latest", "right", "number"),
    Column("verdict", "Status", kind="status"),
)


def _rows(count: int) -> tuple[dict[str, str], ...]:
    codes = list(WORDS)
    return tuple(
        {"name": f"Measure {n}", "trend": SPARK.format(n=n), "value": "", "verdict": codes[n % 2]}
        for n in range(count)
    )


def _page(*, rows: int = 40, title: str = "Recycling has risen", lang: str = "en-GB") -> str:
    data = Table("Recycling by period, data", COLUMNS[::2], ({"name": "June", "value": "39%"},))
    asked = (
        {"name": "Set by law?", "value": "No"},
        {"name": "Is it new?", "value": "Not known: 9%"},
    )
    evidence = Table("Evidence on the target", COLUMNS[::2], asked)
    pair = Table("Where figures come from", COLUMNS[::2], ({"name": "Waste", "value": "39%"},) * 6)
    blocks = [
        Block("finding", "news", title, text=("It was 39.8% in September.",), tone="better"),
        Block("figure", "chart", "Recycling, 39.8%", "Waste recycled", alt="It rose by 2 points "
              "to 39.8%.", svg=CHART, table=data, source="WasteDataFlow"),
        Block("figure", "panels", "All at once", "Each alone", alt="All rose.", svg=PANEL * 5,
              table=data),
        Block("table", "key", "Key", table=Table("Key figures", COLUMNS, _rows(rows), WORDS)),
        Block("table", "evidence-waste", "", table=evidence),
        Block("table", "origins", "Origins", table=pair),
    ]  # fmt: skip
    outputs = [v4.new_output("display_data", data=each._repr_mimebundle_()) for each in blocks]
    cells = [
        v4.new_markdown_cell("# Trends\n\nWhich have *really* changed?"),
        v4.new_markdown_cell(
            "## At a glance\n\nIn **two** parts:\n\n- first part\n- second part\n\n"
            "See [the guide](https://example.org/guide)."
        ),
        v4.new_code_cell("show(blocks)", outputs=outputs),
        v4.new_markdown_cell("## How to read this report\n\nThe end of the words."),
    ]
    return render_report(v4.new_notebook(cells=cells), meta=META | {"lang": lang})


def _needed(program: str | None, what: str) -> str:
    if program is None:
        if os.environ.get("PMF_REQUIRE_BROWSER") == "1":
            pytest.fail(f"no {what} found")
        pytest.skip(f"no {what} found")
    return program


def _weasyprint(page: str) -> Pdf:
    try:
        import weasyprint  # noqa: F401
    except OSError:
        _needed(None, "Pango")
    return make_pdf(page)


def _chromium(page: str) -> Pdf:
    names = ("chromium", "chromium-browser", "google-chrome", "msedge")
    found = os.environ.get("PMF_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    return make_pdf(page, browser=_needed(found, "Chromium"))


ROUTES = {"weasyprint": _weasyprint, "chromium": _chromium}
_made: dict[str, Pdf] = {}


@pytest.fixture(params=ROUTES)
def made(request: pytest.FixtureRequest) -> Pdf:
    """The sample report by each route, made once."""
    if request.param not in _made:
        _made[request.param] = ROUTES[request.param](_page())
    return _made[request.param]


@pytest.fixture
def opened(made: Pdf) -> Iterator[pikepdf.Pdf]:
    """The sample report's file."""
    with pikepdf.open(BytesIO(made.content)) as file:
        yield file


def _tags(file: pikepdf.Pdf) -> list[Any]:
    (document,) = pdf._listed(file.Root.StructTreeRoot.K)
    return list(pdf._tags(document))


def _words(content: bytes, folder: Path, *flags: str) -> str:
    (folder / "report.pdf").write_bytes(content)
    program = _needed(shutil.which("pdftotext"), "pdftotext")
    command = [program, *flags, str(folder / "report.pdf"), "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_two_checkers_find_nothing(made: Pdf, tmp_path: Path) -> None:
    import outloud
    import pdfua

    (tmp_path / "report.pdf").write_bytes(made.content)
    result = outloud.check(str(tmp_path / "report.pdf"))
    told = [(each.rule, each.message, each.evidence) for each in result.findings]
    assert (result.error, result.errors, result.warnings) == (None, 0, 0), told
    found = pdfua.validate(str(tmp_path / "report.pdf"))
    assert not [each for each in found.findings if each.severity == pdfua.Severity.ERROR]


def test_what_a_file_says_of_itself(made: Pdf, opened: pikepdf.Pdf) -> None:
    assert opened.Root.Lang == "en-GB"
    assert opened.Root.ViewerPreferences.DisplayDocTitle
    assert opened.Root.MarkInfo.Marked
    with opened.open_metadata(set_pikepdf_as_editor=False) as xmp:
        title = "Place: Trends: Westshire Council, Quarter 2 (July to September) 2026-27"
        assert xmp["dc:title"] == opened.docinfo["/Title"] == title
        assert list(xmp["dc:language"]) == ["en-GB"]
        assert xmp["pdfuaid:part"] == "1"
    assert {*opened.docinfo.keys()} == {"/Title", "/Producer"}
    assert not re.search(rb"CreationDate|ModDate|CreateDate|ModifyDate|/tmp", made.content)


def test_tags_are_few_and_mean_something(opened: pikepdf.Pdf) -> None:
    tags = _tags(opened)
    names = [str(tag.S) for tag in tags]
    assert {*names} <= {f"/{name}" for name in re.findall(r"\w+", "Document H1 H2 H3 P L LI Lbl "
        "LBody Table THead TBody TR TH TD Caption Figure Link Span")}  # fmt: skip
    # A cell without a value shows a dash, which is read as words.
    spans = [tag for tag in tags if tag.S == "/Span"]
    told = [str(tag.ActualText) for tag in spans if "/ActualText" in tag]
    assert all("/ActualText" in tag or "/Lang" in tag for tag in spans)
    assert told == ["no value"] * 40
    # The chart, five panels and forty small trends; no mark of a verdict.
    assert names.count("/Figure") == 46
    assert all(len(str(tag.Alt)) > 8 for tag in tags if tag.S == "/Figure")
    assert "It rose by 2 points to 39.8%." in [tag.get("/Alt") for tag in tags]
    assert "Recycling, Improving" in [tag.get("/Alt") for tag in tags]
    assert "Measure 7: Trend" in [tag.get("/Alt") for tag in tags]
    assert {str(tag.A.Scope) for tag in tags if tag.S == "/TH"} == {"/Row", "/Column"}
    items = [[str(kid.S) for kid in tag.K] for tag in tags if tag.S == "/LI"]
    assert len(items) == 2
    assert all(kinds[-1] == "/LBody" for kinds in items)
    (link,) = [tag for tag in tags if tag.S == "/Link"]
    (note,) = [kid.Obj for kid in link.K if not isinstance(kid, int) and "/Obj" in kid]
    assert (note.A.URI, note.F, bool(note.Contents)) == ("https://example.org/guide", 4, True)


def test_a_table_that_goes_on_is_one_table_whose_headings_are_repeated(
    made: Pdf, opened: pikepdf.Pdf, tmp_path: Path
) -> None:
    tables = [tag for tag in _tags(opened) if tag.S == "/Table"]
    sizes = [sum(tag.S == "/TR" for tag in pdf._tags(table)) for table in tables]
    assert sizes == [41, 2, 7]
    assert all(table.K[0].S == "/Caption" for table in tables)
    assert _words(made.content, tmp_path).count("Latest") >= 3  # two tables, and a second page


def test_every_piece_of_content_has_one_owner_or_is_decoration(opened: pikepdf.Pdf) -> None:
    owned = [
        (tag.Pg.objgen, kid) if isinstance(kid, int) else (kid.Pg.objgen, int(kid.MCID))
        for tag in _tags(opened)
        for kid in tag.K
        if isinstance(kid, int) or "/MCID" in kid
    ]
    assert len(owned) == len({*owned})
    painting = {"S", "s", "f", "f*", "B", "B*", "b", "b*", "sh", "Do", "Tj", "TJ"}
    for page in opened.pages:
        depth, marked = 0, set()
        for operands, operator in pikepdf.parse_content_stream(page):
            if str(operator) in ("BMC", "BDC"):
                depth += 1
                if len(operands) > 1 and "/MCID" in operands[1]:
                    marked.add((page.objgen, int(operands[1].MCID)))
            elif str(operator) == "EMC":
                depth -= 1
            else:
                assert depth or str(operator) not in painting
        assert depth == 0
        assert marked == {each for each in owned if each[0] == page.objgen}
        rows = opened.Root.StructTreeRoot.ParentTree.Nums
        assert len(rows[2 * int(page.StructParents) + 1]) > max(mcid for _, mcid in marked)


def test_words_come_in_reading_order_and_charts_keep_theirs(made: Pdf, tmp_path: Path) -> None:
    words = " ".join(_words(made.content, tmp_path).split())
    parts = ["Westshire Council", "Place: Trends", "Quarter 2", "really", "At a glance",
             "first part", "Recycling has risen", "Figure 1: Recycling, 39.8%", "Newest figure",
             "Figure 2", "Measure 0", "Measure 39", "Set by law?", "How to read",
             "About this report", "The data behind each figure are in the web page",
             "Questions whose answer is not known"]  # fmt: skip
    places = [words.find(part) for part in parts]
    assert -1 not in places, dict(zip(parts, places, strict=True))
    assert places == sorted(places)
    for gone in ("Skip to main", "Contents", "Download", "Scroll sideways", "by period, data",
                 "Is it new?"):  # fmt: skip
        assert gone not in words


def test_headings_are_bookmarks(opened: pikepdf.Pdf) -> None:
    with opened.open_outline() as outline:
        first = outline.root[0]
        assert (first.title, len(outline.root)) == ("Place: Trends", 1)
        assert [each.title for each in first.children][:2] == [
            "At a glance",
            "How to read this report",
        ]
        assert "Recycling has risen" in [each.title for each in first.children[0].children]


@pytest.mark.parametrize("route", ROUTES)
def test_the_same_page_gives_the_same_bytes(route: str, made: Pdf) -> None:
    if made.route == route:
        assert ROUTES[route](_page()).content == made.content


def test_bytes_do_not_hang_on_the_order_of_hashes(tmp_path: Path) -> None:
    _weasyprint(_page(rows=2))
    (tmp_path / "page.html").write_text(_page(rows=2), encoding="utf-8")
    code = (
        "import sys, pathlib; from pmf_analysis.documents.pdf import make_pdf; "
        "page = pathlib.Path(sys.argv[1]).read_text('utf-8'); "
        "sys.stdout.buffer.write(make_pdf(page).content)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "page.html")]
    runs = [
        subprocess.run(
            command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert runs[0].startswith(b"%PDF")


def test_a_welsh_page_is_said_to_be_welsh() -> None:
    with pikepdf.open(BytesIO(_weasyprint(_page(rows=2, lang="cy")).content)) as file:
        assert file.Root.Lang == "cy"
        assert b"<rdf:li>cy</rdf:li>" in file.Root.Metadata.read_bytes()


def test_a_chart_is_drawn_where_its_tag_says(tmp_path: Path) -> None:
    made = _weasyprint(_page(rows=2))
    with pikepdf.open(BytesIO(made.content)) as file:
        chart = next(tag for tag in _tags(file) if str(tag.get("/Alt", "")).startswith("It rose"))
        left, low, right, high = (float(each) for each in chart.A.BBox)
        width, height = (float(each) for each in file.pages[0].MediaBox[2:])
    assert 0 < left < right < width
    assert 0 < low < high < height
    places = {"-x": left, "-y": height - high, "-W": right - left, "-H": high - low}
    box = [each for flag, size in places.items() for each in (flag, str(round(size)))]
    inside = _words(made.content, tmp_path, "-r", "72", "-l", "1", *box)
    assert inside.split() == ["Newest", "figure"]


BROKEN: dict[str, Callable[[str], str]] = {
    "a picture without words": lambda page: re.sub(r'<title id="chart-alt">.*?</title>', "", page),
    "no title": lambda page: re.sub(r"<title>.*?</title>", "", page, count=1),
    "no language": lambda page: page.replace(' lang="en-GB"', ""),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_page_with_a_fault_does_not_claim_to_be_accessible(fault: str) -> None:
    page = _page(rows=2)
    broken = BROKEN[fault](page)
    assert broken != page
    with pikepdf.open(BytesIO(_weasyprint(broken).content)) as file:
        assert b"pdfuaid:part" not in file.Root.Metadata.read_bytes()


HOSTILE = (
    '<img src="http://127.0.0.1:{port}/a.png" alt="a">'
    '<img src="file:{slashes}etc/hostname" alt="b">'
    '<link rel="stylesheet" href="http://127.0.0.1:{port}/b.css">'
    '<iframe src="/etc/passwd"></iframe>'
    '<style>@import "http://127.0.0.1:{port}/c.css";</style>'
    '<p style="background: url(http://127.0.0.1:{port}/d.png)">Styled</p>'
    '<object data="file:{slashes}etc/passwd"></object>'
    '<meta http-equiv="refresh" content="0;url=/etc">'
    '<script>document.body.innerHTML = "Replaced"; fetch("http://127.0.0.1:{port}/e")</script>'
    '<a href="file:{slashes}etc/passwd">File link</a> <a href="javascript:alert(1)">Script link</a>'
    '<svg viewBox="0 0 9 9" role="img"><title>A drawing of nothing</title>'
    '<image href="http://127.0.0.1:{port}/f.png" width="9" height="9"/>'
    '<use href="file:{slashes}etc/passwd#a"/><script>fetch("http://127.0.0.1:{port}/g")</script></svg>'
)


@pytest.mark.parametrize("route", ROUTES)
def test_a_page_that_asks_for_things_gets_none(route: str, tmp_path: Path) -> None:
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        hostile = HOSTILE.replace("{port}", str(server.server_port)).replace("{slashes}", "/" * 3)
        page = _page(rows=2).replace("<main", f"{hostile}<main", 1)
        made = ROUTES[route](page)
        server.shutdown()
    assert asked == []
    words = _words(made.content, tmp_path)
    assert "Replaced" not in words
    assert "root:" not in words
    assert "The end of the words." in words
    with pikepdf.open(BytesIO(made.content)) as file:
        links = [note.A.URI for sheet in file.pages for note in sheet.get("/Annots", [])]
        assert [str(each) for each in links] == ["https://example.org/guide"]
        assert "/EmbeddedFiles" not in file.Root.get("/Names", {})


def test_words_of_others_stay_words(tmp_path: Path) -> None:
    title = 'A <b>"fine"</b> EMC (Tj) \\ 12.3456 {{ 7*7 }} &amp; \u202eRTL Ŵŷ'
    words = _words(_weasyprint(_page(rows=2, title=title)).content, tmp_path)
    assert 'A <b>"fine"</b> EMC (Tj) \\ 12.3456 {{ 7*7 }} &amp;' in words


@pytest.fixture
def without_pango(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let importing WeasyPrint fail as it does where its system library is missing."""

    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    for name in [each for each in sys.modules if each.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])


@pytest.mark.usefixtures("without_pango")
def test_an_installed_browser_prints_where_pango_is_missing() -> None:
    assert _chromium(_page(rows=2)).route == make_pdf(_page(rows=2)).route == "chromium"


@pytest.mark.usefixtures("without_pango")
def test_with_neither_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(PmfError) as caught:
        make_pdf(_page(rows=2))
    (problem,) = caught.value.problems
    assert problem.code == "pdf-not-possible"
    assert "libpango-1.0-0" in problem.fix
    assert "Edge" in problem.fix


@pytest.mark.parametrize("program", ["true", "false", "/no/such/browser"])
def test_a_browser_that_makes_nothing_is_reported(program: str) -> None:
    with pytest.raises(PmfError, match="No PDF could be made"):
        make_pdf(_page(rows=2), browser=program)


def test_nbconvert_makes_pdf() -> None:
    _weasyprint(_page(rows=2))
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Trends\n\n## Part\n\nWords.")])
    exporter = PmfPdfExporter()  # type: ignore[no-untyped-call]
    content, resources = exporter.from_notebook_node(notebook, {"pmf": META})
    assert content.startswith(b"%PDF")
    assert (resources["output_extension"], exporter.output_mimetype) == (".pdf", "application/pdf")


def test_parts_in_another_language_say_so_and_stay_in_their_place(tmp_path: Path) -> None:
    page = '<html lang="cy"><title>T</title><main><h1>T</h1><p>Mae %s yn well.</p></main></html>'
    made = make_pdf(page % '<span lang="en">Bus use</span>').content
    assert "Mae Bus use yn well." in _words(made, tmp_path)
    with pikepdf.open(BytesIO(made)) as opened:
        spoken = [str(tag.get("/Lang", "")) for tag in _tags(opened) if tag.S == "/Span"]
        assert spoken == ["", "en-GB", ""] and opened.Root.Lang == "cy"
