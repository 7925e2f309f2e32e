"""National frameworks of measures: what is in them, and which indicators answer to what.

Some ship with pmf; those in ``parameters/frameworks/`` are a council's own, or stand in place of
a shipped one. A reference is a framework's name, alone or with a metric's id or title: ``LOF``,
``ASCOF:2A``.
"""

from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pmf_analysis.parameters.checks import check_known
from pmf_analysis.parameters.loading import Document, read_document, validated
from pmf_analysis.parameters.models import Indicator, Polarity
from pmf_analysis.parameters.settings import Settings, SettingsFile, Text
from pmf_analysis.problems import Problems

_KNOWN = "known to pmf or in parameters/frameworks"
SHIPPED = Path(__file__).parent / "frameworks"


class Metric(Settings):
    """A measure of a framework; ``alias`` is what a register calls it after a web service."""

    id: Text
    title: Text
    group: str = ""
    kind: Literal["", "outcome", "output"] = ""
    polarity: Polarity = "unknown"
    period: str = ""
    source: str = ""
    source_url: str = ""
    alias: str = ""
    is_placeholder: bool = False


class MetricFramework(SettingsFile):
    """A framework; ``file``, ``sha256`` and ``read_on`` say from which file it was made."""

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*$", max_length=20)]
    title: Text
    edition: str = ""
    note: str = ""
    file: str = ""
    sha256: str = ""
    read_on: date | None = None
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)]

    def metric(self, name: str) -> Metric | None:
        """Return the metric of an id or title."""
        return next((each for each in self.metrics if name in (each.id, each.title)), None)

    def tie(self, metric: Metric) -> str:
        """Return the words for a metric on the page of the indicator that leads to it."""
        return f"{metric.title} ({self.title})"

    def coverage(self, indicators: Collection[Indicator]) -> list[dict[str, Any]]:
        """Return a row a metric: the indicators that are it, and those that lead to it in-year."""
        refs = {it.id: {*it.framework_refs, *it.aliases, f"SDL:{it.sdl_ref}"} for it in indicators}
        rows = []
        for metric in self.metrics:
            row = metric.model_dump(include={"id", "title", "group"})
            row["indicators"] = [id for id, named in refs.items() if named & self._names(metric)]
            row["leading"] = [it.id for it in indicators if it.leads_to == self.tie(metric)]
            rows.append(row)
        return rows

    def _names(self, metric: Metric) -> set[str]:
        return {f"{self.name}:{metric.id}", f"{self.name}:{metric.title}", metric.alias} - {""}


class Frameworks:
    """All frameworks by name; each is read when it is first asked for."""

    def __init__(self, parameters: Path, problems: Problems) -> None:
        folders = (SHIPPED, parameters / "frameworks")
        found = [path for folder in folders for path in sorted(folder.glob("*.yml"))]
        self.files = {path.stem.upper(): path for path in found}
        self._problems = problems
        self.hashes: dict[str, str] = {}
        self._read: dict[str, MetricFramework | None] = {}

    def get(self, name: str) -> MetricFramework | None:
        """Return a framework; None where there is none, or its file has faults."""
        if name in self.files and name not in self._read:
            label = f"parameters/frameworks/{self.files[name].name}"
            document = read_document(self.files[name], label, self._problems)
            self.hashes |= {label: document.sha256} if document else {}
            self._read[name] = validated(MetricFramework, document, self._problems)
        return self._read.get(name)

    def tied(self, indicator: Indicator) -> Indicator:
        """Return an indicator with the metric that it leads to in words."""
        name, _, metric = indicator.leads_to.partition(":")
        framework = self.get(name)
        found = framework.metric(metric) if framework else None
        words = framework.tie(found) if framework and found else indicator.leads_to
        return indicator.model_copy(update={"leads_to": words})

    def check(self, register: Document) -> None:
        """Warn of frameworks and metrics that a register names and nobody knows."""
        refs = register.at("indicators.*.framework_refs.*", str)
        for place, ref in [*refs, *register.at("indicators.*.leads_to", str)]:
            name, _, named = ref.partition(":")
            where, framework = _KNOWN, self.get(name) if named else None
            check_known(register, [(place, name)], self.files, "framework", where, level="warning")
            if framework:
                known = [text for each in framework.metrics for text in (each.id, each.title)]
                where = f"in {framework.title} as pmf knows it"
                check_known(register, [(place, named)], known, "metric", where, level="warning")
