"""Copies of a report in the formats that people work with, for runs and as nbconvert exporters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from traitlets import Bool, Unicode

from pmf_analysis.documents.pictures import RULES

_OFFICE = "application/vnd.openxmlformats-officedocument"
FILES: dict[str, str] = RULES["files"]


def copy_of(
    name: str, notebook: Any, facts: Mapping[str, Any], template: bytes | None = None
) -> tuple[bytes, str]:
    """Return a copy's bytes and by which program it was printed, "" where there is one way only.

    Parameters
    ----------
    name
        ``html``, or one of ``FILES``; ``charts`` is the workbook of analysts.
    notebook
        An executed notebook.
    facts
        What the report says of itself; see :func:`pmf_analysis.documents.reading.report_facts`.
    template
        A Word document that gives styles, header and footer.
    """
    from pmf_analysis.documents import html, pdf, reading, slides, word, workbook

    if name in ("html", "pdf"):
        page = html.render_report(notebook, meta=facts)
        if name == "html":
            return page.encode(), ""
        made = pdf.make_pdf(page)
        return made.content, made.route
    report = reading.read_report(notebook, facts)
    if name == "word":
        return word.make_word(report, template), ""
    if name == "slides":
        return slides.make_slides(report), ""
    return workbook.make_workbook(report, charts=name == "charts"), ""


class _PmfExporter(Exporter):
    """An nbconvert exporter that gives bytes."""

    kind = ""
    template_path: Any = ""

    def from_notebook_node(  # type: ignore[override]  # as other binary exporters of nbconvert
        self, nb: Any, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[bytes, dict[str, Any]]:
        """Return the document and nbconvert's resources; see :class:`.html.PmfHtmlExporter`."""
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        template = Path(self.template_path).read_bytes() if self.template_path else None
        return copy_of(self.kind, nb, resources.get("pmf") or {}, template)[0], resources


class PmfPdfExporter(_PmfExporter):
    """nbconvert exporter ``pmf-pdf``: the report page of a notebook as an accessible PDF."""

    kind, file_extension, export_from_notebook = "pdf", ".pdf", "PDF (pmf)"
    output_mimetype = "application/pdf"


class PmfWordExporter(_PmfExporter):
    """nbconvert exporter ``pmf-word``: a report as a Word document."""

    kind, file_extension, export_from_notebook = "word", ".docx", "Word (pmf)"
    output_mimetype = f"{_OFFICE}.wordprocessingml.document"
    template_path = Unicode(help="A Word document that gives styles and header.").tag(config=True)


class PmfWorkbookExporter(_PmfExporter):
    """nbconvert exporter ``pmf-workbook``; ``charts`` gives the analyst's copy."""

    file_extension, export_from_notebook = ".xlsx", "Workbook (pmf)"
    output_mimetype = f"{_OFFICE}.spreadsheetml.sheet"
    charts = Bool(False, help="Native charts beside the tables.").tag(config=True)

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Which of the two workbooks."""
        return "charts" if self.charts else "workbook"


class PmfSlidesExporter(_PmfExporter):
    """nbconvert exporter ``pmf-slides``: the exceptions of a report as slides."""

    kind, file_extension, export_from_notebook = "slides", ".pptx", "Slides (pmf)"
    output_mimetype = f"{_OFFICE}.presentationml.presentation"
