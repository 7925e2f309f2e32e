"""Executed notebooks to report pages, and pages that join them, from one set of templates.

The page is made from the blocks a notebook has shown, never from its HTML, so that a report can be
rendered again after a change of template. Code, printed text, parameters and analysts' cells stay
behind; a failed cell stops the export. The same notebook gives the same bytes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from nbconvert.exporters import Exporter

from pmf_analysis.documents import reading
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem
from pmf_analysis.story import bank, rendering, style
from pmf_analysis.story.facts import dated
from pmf_analysis.story.sentences import counted

TEMPLATES = Path(__file__).parent / "templates"
_UNRATED = ("rising", "falling", "higher", "lower")


def _marked(text: str, asides: Mapping[str, str]) -> Markup:
    """Mark the parts of a text in other languages; every text is escaped."""
    return Markup(rendering.marked(text, asides))


class PmfHtmlExporter(Exporter):
    """nbconvert exporter ``pmf-html``: a report page without code, scripts or outside requests."""

    file_extension, export_from_notebook = ".html", "Report (pmf)"
    output_mimetype = "text/html"

    def from_notebook_node(  # type: ignore[override]  # as HTMLExporter itself does
        self, nb: Any, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the page and nbconvert's resources.

        ``resources["pmf"]`` goes before the notebook's metadata ``pmf``; see :func:`render_report`.

        Raises
        ------
        PmfError
            When a cell has failed, or shows something that is not a block.
        """
        # Exporter's own method is passed over: it would copy all that is in the notebook.
        resources = self._init_resources(resources)  # type: ignore[no-untyped-call]
        return render_report(nb, meta=resources.get("pmf")), resources


def render_report(notebook: Any, *, meta: Mapping[str, Any] | None = None) -> str:
    """Return the report page of an executed notebook.

    Parameters
    ----------
    notebook
        An nbformat node; it is not changed.
    meta
        What the page says of itself, before the notebook's metadata ``pmf``; see
        :func:`pmf_analysis.documents.reading.report_facts`.

    Raises
    ------
    PmfError
        When a cell has failed, shows something that is not a block, or repeats a block's id.
    """
    report = reading.read_report(notebook, meta)
    return rendered("report.html.j2", {"page": {**report.facts, "sections": report.sections}})


# The pages that join the reports: of a theme, of a run, of all runs of a council


def render_index(run: Mapping[str, Any]) -> str:
    """Return the index page of a run; it holds no run id and no clock.

    Parameters
    ----------
    run
        ``council, notice, title, period, as_at, content_hash, contact, brand`` as for a report;
        ``themes`` and ``analyses``: lists of ``id`` and ``title``, in order; a theme's ``href``
        is its page;
        ``reports``: a list of ``theme, analysis`` (ids), ``status`` (Made, Failed, ...),
        ``href`` where it was made, ``reason`` where it was not;
        ``summary``: by theme id, how many series are improving, worsening, no_clear_change,
        cannot_judge and whatever else a trends page shows as a status;
        ``moved``: by improving and worsening, ``name`` and ``href`` of each indicator;
        ``portfolio``: how many targets would be met, as HTML that was escaped where it was made,
        and ``directors``: the same for each director;
        ``rows``: read, accepted, quarantined, ignored;
        ``problems``: how many of each level (error, warning, info);
        ``problems_href``: link to all of them.

    Raises
    ------
    PmfError
        When rows read are not those accepted, quarantined and ignored: then some were lost.
    """
    rows, summary = run["rows"], run["summary"]
    if rows["read"] != rows["accepted"] + rows["quarantined"] + rows["ignored"]:
        raise PmfError(Problem.of("rows-lost"), EXIT_DATA_UNUSABLE)
    parts = ("themes", "reports", *["targets"][: bool(run.get("portfolio"))], "data")
    headings = {name: bank.say(f"page.index.{name}") for name in parts}
    found = sum(map(Counter, summary.values()), Counter[str]())
    words = bank.words_of("status") | bank.words_of("level_status")
    words |= {code: bank.say("page.index.not_rated", word=words[code]) for code in _UNRATED}
    order = bank.stored("pages.yml")["trends"]["verdicts"]
    counts = [(code, found[code]) for code in order if found[code]]
    moved = [(code, n) for code, n in counts if code in ("improving", "worsening")]
    lede = counted("trends", "theme.of_series", moved or counts, found.total())
    reports = {(report["theme"], report["analysis"]): report for report in run["reports"]}
    facts = {"title": bank.say("page.titles"), **run, "reports": reports, "lede": " ".join(lede)}
    facts["verdicts"] = {code: words[code] for code, _ in counts}
    sections = [reading.Section(*each) for each in headings.items()]
    return joining_page("run.html.j2", facts, sections)


def render_theme(theme: Mapping[str, Any]) -> str:
    """Return the page of a theme.

    Parameters
    ----------
    theme
        What a report's page says of itself; ``blocks``: what is known at a glance; ``reports`` and
        ``analyses`` as for the index of a run; ``said``: by analysis the sentences on what
        its report found.
    """
    tables = count(1)
    numbers = (next(tables) if each.kind == "table" else None for each in theme["blocks"])
    blocks = map(reading.Shown, theme["blocks"], numbers)
    sections = [reading.Section("glance", bank.say("theme_page.heading"), [*blocks])]
    sections += [reading.Section("reports", bank.say("theme_page.reports"))]
    return joining_page("theme.html.j2", theme, sections)


def render_council(council: Mapping[str, Any]) -> str:
    """Return the index of all runs of a council.

    Parameters
    ----------
    council
        ``council, notice, brand, contact`` as for a report; ``periods``, newest first: ``id``,
        ``period`` (its long label) and ``runs``, which are records of runs, newest first.
    """
    sections = [reading.Section(each["id"], each["period"]) for each in council["periods"]]
    facts = {"title": bank.say("theme_page.all_periods"), **council}
    return joining_page("council.html.j2", facts, sections)


def render_published(about: Mapping[str, Any], reports: Iterable[Mapping[str, Any]]) -> str:
    """Return the index of what was published.

    Parameters
    ----------
    about
        ``council, notice, period, as_at, brand, contact`` as for a report.
    reports
        ``theme`` and ``analysis``, as titles, and ``copies``: links to the documents.
    """
    reports = list(reports)
    themes = dict.fromkeys(report["theme"] for report in reports)
    sections = [reading.Section(f"theme-{n}", theme) for n, theme in enumerate(themes)]
    facts = {"title": bank.say("page.titles"), **about, "reports": reports}
    return joining_page("published.html.j2", facts, sections)


def joining_page(name: str, facts: Mapping[str, Any], sections: list[reading.Section]) -> str:
    """Return a page that joins others, of a template of its own and the facts of a report."""
    page = {**reading.report_facts(facts, sections), "sections": sections}
    return rendered(name, {**facts, "page": page})


def rendered(name: str, facts: Mapping[str, Any]) -> str:
    """Return what one of our templates gives, without blank lines around it."""
    return _environment().get_template(name).render(facts).strip() + "\n"


@lru_cache
def _environment() -> Environment:
    loader = FileSystemLoader(TEMPLATES / "pmf")
    made = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.globals |= {"say": bank.say, "marked": _marked, "dated": dated, "icon": style.icon_html}
    return made
