"""Report pages to PDF/UA: printed by WeasyPrint or an installed Chromium, then finished here.

Both print the same page. What neither can say of it is put right in the file: tags are cut to those
that mean something, header cells say what they head, whatever stands in no tag is marked as
decoration, and there is no clock. A file claims to be PDF/UA only if it passes the checks that are
made here while it is finished.
"""

import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pikepdf
from lxml import etree, html
from pikepdf import Array, Dictionary, Name

from pmf_analysis.documents.html import TEMPLATES, rendered
from pmf_analysis.documents.pdf_content import put_content_right
from pmf_analysis.problems import EXIT_WRONG_USAGE, PmfError, Problem
from pmf_analysis.shipped import read_shipped
from pmf_analysis.story.bank import say, spoken

_RULES = read_shipped("documents/pdf.yml")
_MANY = 7  # columns
_COLOURS = re.compile(r"^:root ?{[^}]*}", re.MULTILINE)


@dataclass(frozen=True)
class Pdf:
    """A PDF file, and what printed it."""

    content: bytes
    route: Literal["weasyprint", "chromium"]


def make_pdf(page_html: str, *, browser: str | None = None) -> Pdf:
    """Return a report page as a tagged PDF; the same page gives the same bytes.

    Parameters
    ----------
    page_html
        A page of :mod:`pmf_analysis.documents.html`. Nothing that it refers to is opened.
    browser
        A Chromium, Chrome or Edge to print with. Without one WeasyPrint prints, or the browser
        that is installed here where WeasyPrint lacks the system library Pango.

    Raises
    ------
    PmfError
        When there is neither, or the browser cannot print.
    """
    page = _print_page(page_html)
    if browser is None:
        try:
            return Pdf(_finished(_printed(page)), "weasyprint")
        except OSError:  # what importing WeasyPrint raises where Pango is missing
            names = map(shutil.which, _RULES["browsers"])
            browser = next(filter(None, names), "")
    return Pdf(_finished(_printed_by(browser, page)), "chromium")


def _print_page(page_html: str) -> str:
    """Return the page as it goes to paper, made by ``print.xsl`` and ``print.css``."""
    page = html.document_fromstring(page_html)
    colours = _COLOURS.findall("\n".join(page.xpath("//style/text()")))
    looks = "\n".join([*colours, (TEMPLATES / "pmf/print.css").read_text(encoding="utf-8")])
    unknown, quoted = _said("realism.answer.not_known", page.get("lang")), etree.XSLT.strparam
    made = _stylesheet()(page, looks=quoted(looks), unknown=quoted(unknown))
    return f"<!DOCTYPE html>\n{made}"


def _said(entry: str, language: object) -> str:
    """Say an entry in the language of a page or file."""
    with spoken("cy" if str(language).startswith("cy") else "en"):
        return say(entry)


@cache
def _stylesheet() -> etree.XSLT:
    rules = etree.XML((TEMPLATES / "pmf/print.xsl").read_bytes())
    return etree.XSLT(rules, access_control=etree.XSLTAccessControl.DENY_ALL)


def _printed(page: str) -> bytes:
    from weasyprint import HTML  # type: ignore[import-untyped]
    from weasyprint.urls import URLFetcher  # type: ignore[import-untyped]

    fetcher = URLFetcher(allowed_protocols={"data"})
    document = HTML(string=page, url_fetcher=fetcher)
    # WeasyPrint says of no part in which language it is: its tag tells which parts these are.
    for aside in document.etree_element.iterfind(".//span[@lang]"):
        aside.tag = "article"
    return bytes(document.write_pdf(pdf_variant="pdf/ua-1"))


def _printed_by(browser: str, page: str) -> bytes:
    # Chromium refuses to run as root with its sandbox; the page holds no script and asks nothing.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        source, made = Path(folder, "report.html"), Path(folder, "report.pdf")
        source.write_text(page, encoding="utf-8")
        places = [f"--user-data-dir={folder}", f"--print-to-pdf={made}", source.as_uri()]
        command = [browser, *_RULES["flags"], *(["--no-sandbox"] * is_root), *places]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=_RULES["seconds"])
            return made.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            why = f"{Path(browser).name}: {type(error).__name__}" if browser else "none was found"
            raise PmfError(Problem.of("pdf-not-possible", why=why), EXIT_WRONG_USAGE) from None


# What is put right in the file


def _finished(printed: bytes) -> bytes:
    pikepdf.settings.set_flate_compression_level(9)
    with pikepdf.open(BytesIO(printed)) as pdf:
        faults = [] if "/StructTreeRoot" in pdf.Root else ["no tags"]
        if not faults:
            document, owners = _put_tags_right(pdf, faults)
            for page in pdf.pages:
                put_content_right(pdf, page, owners[page.objgen], faults)
            _number(pdf, document, owners)
        _introduce(pdf, faults)
        made, mode = BytesIO(), pikepdf.ObjectStreamMode.generate
        pdf.save(made, object_stream_mode=mode, recompress_flate=True, deterministic_id=True)
        return made.getvalue()


def _put_tags_right(pdf: Any, faults: list[str]) -> tuple[Any, dict[Any, dict[int, Any]]]:
    """Return the first tag, and which tag owns each piece of marked content of each page."""
    owners = defaultdict[Any, dict[int, Any]](dict)
    is_welsh = str(pdf.Root.get("/Lang", "")).startswith("cy")
    top = _listed(pdf.Root.StructTreeRoot.K)[0]
    (document,) = _tidied(top, None)
    # Without Chromium's names of tags, which are others each time.
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot, K=document))
    pdf.Root.StructTreeRoot, document.K, document.P = root, _joined(document.K), root
    for tag in _tags(document):
        if any(kid.get("/S") == "/Art" for kid in tag.K):
            tag.K = _in_order(pdf, tag.K)
        for kid in tag.K:
            if "/S" in kid:
                kid.P = tag
            elif "/MCID" in kid:
                owners[kid.Pg.objgen][int(kid.MCID)] = tag
        if tag.S == "/Art":
            tag.S, tag.Lang = Name.Span, "en-GB" if is_welsh else "cy"
        elif tag.S == "/BlockQuote":
            tag.S, tag.ActualText = Name.Span, _said("page.no_value", pdf.Root.get("/Lang"))
        elif tag.S == "/TR":
            _say_what_cells_head(tag)
        elif tag.S == "/Figure":
            _say_where_it_is(tag)
            faults += [] if str(tag.get("/Alt", "")).strip() else ["a picture without words"]
    return document, owners


def _in_order(pdf: Any, kids: Any) -> list[Any]:
    """Put text beside parts in another language into tags too, so that all is read in one order."""
    made: list[Any] = []
    for is_tag, run in groupby(kids, lambda kid: "/S" in kid):
        parts = [*run]
        made += parts if is_tag else [pdf.make_indirect(Dictionary(S=Name.Span, K=parts))]
    return made


def _number(pdf: Any, document: Any, owners: dict[Any, dict[int, Any]]) -> None:
    """Tell the file which tag owns what, and tags by number what is theirs on their first page."""
    numbers, links = list[Any](), list[Any]()
    for number, page in enumerate(pdf.pages):
        page.StructParents, page.Tabs, owned = number, Name.S, owners[page.objgen]
        rows = [owned.get(mcid) for mcid in range(max(owned, default=-1) + 1)]
        numbers += [number, pdf.make_indirect(Array(rows))]
    for tag in _tags(document):
        links += [(kid.Obj, tag) for kid in tag.K if "/Obj" in kid]
        marked = [kid for kid in tag.K if "/MCID" in kid and int(kid.MCID) in owners[kid.Pg.objgen]]
        if marked:
            tag.Pg = marked[0].Pg
        tag.K = [
            int(kid.MCID) if kid in marked and kid.Pg == tag.Pg else kid
            for kid in tag.K
            if "/MCID" not in kid or kid in marked
        ]
    for number, (link, tag) in enumerate(links, start=len(pdf.pages)):
        link.StructParent, link.F = number, 4
        link.Contents = link.get("/Contents") or link.get("/A", {}).get("/URI") or "Link"
        numbers += [number, tag]
    pdf.Root.StructTreeRoot.ParentTree = {"/Nums": numbers}


def _tidied(tag: Any, page: Any) -> list[Any]:
    """Return what is left of a tag: itself, or what is in it if it tells a reader nothing."""
    page, role, inside = tag.get("/Pg", page), str(tag.S), list[Any]()
    for kid in _listed(tag.get("/K")):
        if isinstance(kid, int):
            inside.append(Dictionary(Type=Name.MCR, Pg=page, MCID=kid))
        else:
            inside += _tidied(kid, page) if "/S" in kid else [kid]
    if role in _RULES["groups"]:
        inside = [kid for kid in inside if "/S" in kid]
    if role not in _RULES["kept"] or not (inside or role in _RULES["cells"]):
        return inside
    if role == "/LI" and not any(kid.get("/S") == Name.LBody for kid in inside):
        body = Dictionary(S=Name.LBody, K=[kid for kid in inside if kid.get("/S") != Name.Lbl])
        inside = [*(kid for kid in inside if kid.get("/S") == Name.Lbl), body]
    for key in {*tag.keys()} - {*_RULES["told"]}:
        del tag[key]
    tag.K = inside
    return [tag]


def _joined(parts: Any) -> list[Any]:
    """Join tables that go on on the next page, where repeated headings are decoration.

    Many headings, or those of several lines, are said again there: they are hard to keep in mind.
    """
    made: list[Any] = []
    for part in parts:
        goes_on = made and part.S == made[-1].S == "/Table" and part.K[0].S == "/THead"
        heads = [cell for row in part.K[0].K for cell in row.K] if goes_on else []
        if len(heads) < _MANY and sum(len(cell.K) for cell in heads) < 1.5 * len(heads):
            made[-1].K[-1].K.extend(part.K[-1].K)
        else:
            made.append(part)
    return made


def _tags(tag: Any) -> Iterator[Any]:
    yield tag
    for kid in tag.K:
        if not isinstance(kid, int) and "/S" in kid:
            yield from _tags(kid)


def _say_what_cells_head(row: Any) -> None:
    scope = Name.Row if any(cell.S == Name.TD for cell in row.K) else Name.Column
    for cell in row.K:
        # Our tables have no cell that spans columns or rows.
        cell.A = Dictionary({"/O": Name.Table} | ({"/Scope": scope} if cell.S == Name.TH else {}))


def _say_where_it_is(picture: Any) -> None:
    """Turn a place that WeasyPrint gives in its own pixels from the top to points from below."""
    if "/A" in picture and "/BBox" in picture.A:
        left, top, right, bottom = (float(pixels) * 0.75 for pixels in picture.A.BBox)
        height = float(picture.K[0].Pg.MediaBox[3])
        picture.A.BBox = [left, height - bottom, right, height - top]


def _introduce(pdf: Any, faults: list[str]) -> None:
    """Say title, language and, without faults, conformance; no clock, and no machine."""
    about, root = pdf.docinfo, pdf.Root
    for key in {*about.keys()} - {"/Title", "/Producer"}:
        del about[key]
    told = (about.get("/Title", ""), root.get("/Lang", ""), about.get("/Producer", ""))
    facts = dict(zip(("title", "lang", "producer"), map(str, told), strict=True))
    text = rendered("xmp.xml.j2", {**facts, "faults": faults})
    root.Metadata = pdf.make_stream(text.encode(), Type=Name.Metadata, Subtype=Name.XML)
    root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    root.MarkInfo = Dictionary(Marked=True)


def _listed(kids: Any) -> list[Any]:
    """Return one thing or an array of them as a list."""
    return list(kids) if isinstance(kids, Array) else [] if kids is None else [kids]
