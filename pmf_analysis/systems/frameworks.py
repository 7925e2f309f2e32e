"""Files about national frameworks, as somebody saved them, made a file of the workspace.

The official catalogue page (HTML), Fingertips' metadata and ESD Standards' page of a metric (CSV).
"""

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from pmf_analysis.parameters.frameworks import Frameworks, MetricFramework
from pmf_analysis.parameters.loading import HIDDEN
from pmf_analysis.parameters.register import Register
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.places import opened, write_whole
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems, did_you_mean
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.folder import RawFile, read_content
from pmf_analysis.systems.mapping import spelling

Entry = dict[str, Any]
KNOWN = read_shipped("systems/frameworks.yml")
_LONGEST, _LONGEST_ID = 400, 70


def import_framework(
    path: Path, workspace: Workspace, as_at: date
) -> tuple[MetricFramework, Problems]:
    """Write ``parameters/frameworks/<name>.yml`` from a saved file, with its hash and day.

    Returned are also warnings of polarities that are not those of the register.

    Raises
    ------
    PmfError
        Exit 3: the file is none that is known, or names no metric.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise PmfError(Problem.of("file-missing", file=path.name), EXIT_DATA_UNUSABLE) from None
    if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        rule, metrics = KNOWN["catalogue"], _metrics_of_page(content)
    else:
        rule, metrics = metrics_of_table(read_content(path.name, content))
    known = Frameworks(workspace.parameters, Problems()).get(rule["name"])
    if rule.get("is_added") and known:
        metrics = {metric.id: metric.model_dump() for metric in known.metrics} | metrics
    if not metrics:
        raise PmfError(Problem.of("framework-file-unknown", file=path.name), EXIT_DATA_UNUSABLE)
    told = {"format": 1, "name": rule["name"], "title": rule["title"]}
    told |= {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "read_on": as_at}
    made = MetricFramework.model_validate(told | {"metrics": tuple(metrics.values())})
    _write(workspace.parameters / "frameworks", made)
    note_polarities(metrics.values(), workspace.load().register, problems := Problems())
    return made, problems


def coverage_of(workspace: Workspace, name: str = "") -> tuple[Any, list[str]]:
    """Return rows by framework, and lines: one a framework, or one a metric of the one named.

    Raises
    ------
    PmfError
        Exit 2: there is no such framework, or a file has faults.
    """
    known = Frameworks(workspace.parameters, problems := Problems())
    indicators = workspace.load().register.indicators.values()
    if name and name.upper() not in known.files:
        hint = did_you_mean(name, known.files)
        raise PmfError(Problem.of("metric-framework-unknown", name=name, hint=hint))
    read = [known.get(each) for each in ([name.upper()] if name else sorted(known.files))]
    problems.raise_if_errors()
    found, lines = dict[str, Any](), list[str]()
    for each in filter(None, read):
        found[each.name] = rows = each.coverage(indicators)
        met = sum(bool(row["indicators"]) for row in rows)
        alone = sum(each.name in one.framework_refs for one in indicators)
        answered = f"{met} of {len(rows)} metrics have an indicator"
        answered += f"; {alone} more name no metric of it." if alone else "."
        told = f"{each.name}: {each.title}. {each.edition}. {answered}".replace(". . ", ". ")
        lines += [told, each.note] if each.note and name else [told]
        for row in rows if name else []:
            by = ", ".join(row["indicators"]) or "no indicator"
            leading = f"; in-year: {', '.join(row['leading'])}" if row["leading"] else ""
            lines.append(f"  {row['id']} {row['title']}: {by}{leading}")
    return found, lines


def _write(folder: Path, made: MetricFramework) -> None:
    from ruamel.yaml import YAML

    files, base = opened(folder)
    YAML(typ="safe", pure=True).dump(made.model_dump(exclude_defaults=True), text := io.BytesIO())
    write_whole(files, f"{base}/{made.name.lower()}.yml", text.getvalue())


def metrics_of_table(raw: RawFile) -> tuple[Entry, dict[str, Entry]]:
    """Return the rule of ``frameworks.yml`` that a table fits, and its metrics by id.

    Raises
    ------
    PmfError
        Exit 3: it fits none.
    """
    header, *rows = raw.sheets[0].cells.to_numpy().tolist()
    names = [spelling(name) for name in header]
    fits = (rule for rule in KNOWN["tables"] if {*map(spelling, rule["needs"])} <= {*names})
    if (rule := next(fits, None)) is None:
        raise PmfError(Problem.of("framework-file-unknown", file=raw.name), EXIT_DATA_UNUSABLE)
    metrics: dict[str, Entry] = {}
    by_period = rule.get("period", {})
    for row in rows:
        cells = dict(zip(names, map(_plain, row), strict=True))
        told = {}
        for part, columns in rule["columns"].items():
            texts = [cells.get(spelling(name), "") for name in columns]
            told[part] = next(filter(None, texts), "")
        told["polarity"] = KNOWN["polarities"].get(spelling(told["polarity"]), "unknown")
        told["alias"] = rule["prefix"] + told["alias"]
        metric = metrics.setdefault(told["id"], told) if told["id"] and told["title"] else {}
        if by_period and spelling(cells.get(spelling(by_period["column"]), "")) == by_period["is"]:
            metric["period"] = cells.get(spelling(by_period["label"]), "")
    return rule, metrics


def _metrics_of_page(content: bytes) -> dict[str, Entry]:
    """Read the lists under "Outcome metrics" and "Output metrics" of each numbered outcome."""
    from lxml import html

    page = html.document_fromstring(content, parser=html.HTMLParser(no_network=True))
    metrics: dict[str, Entry] = {}
    group = kind = ""
    # Items lose the lists in them on the way, so all are found first.
    for node in [*page.iter("h2", "h3", "h4", "p", "li")]:
        text = _plain(node.text_content())
        heading = re.match(r"(outcome|output) metrics", text.casefold())
        if node.tag == "h2":
            group, kind = re.sub(r"^\d+[.)]?\s*", "", text), ""
        elif heading and node.tag != "li":
            kind = heading[1]
        elif node.tag == "li" and kind:
            for metric in _metric_of_item(node):
                while metrics.get(metric["id"], metric)["title"] != metric["title"]:
                    metric["id"] += "-2"  # another that begins with the same words
                metrics.setdefault(metric["id"], metric | {"group": group, "kind": kind})
    return metrics


def _metric_of_item(item: Any) -> Iterator[Entry]:
    """Yield the metric of an item of a list: its links name the sources; a list in it is apart."""
    for inner in item.xpath("./ul | ./ol"):
        inner.drop_tree()
    text = _plain(item.text_content())
    # A link with which the item begins is the metric itself.
    links = [link for link in item.xpath(".//a[@href]") if not text.startswith(_label(link))]
    title = re.sub(r"\[placeholder\]", "", text, flags=re.IGNORECASE)
    for link in links:
        title = title.replace(_label(link), "")
    title = " ".join(re.sub(r"\([\s,;&]*\)", "", title).split()).strip(" -,;")
    if title:
        address = next((str(link.get("href")) for link in links), "")
        yield {
            "id": _short(title),
            "title": title,
            "source": ", ".join(map(_label, links)),
            "source_url": address if address.startswith("https://") else "",
            "is_placeholder": "[placeholder]" in text.casefold(),
        }


def _label(link: Any) -> str:
    return _plain(link.text_content())


def _short(title: str) -> str:
    """Return a title as an id, cut after a whole word."""
    id = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")
    return id if len(id) <= _LONGEST_ID else id[: _LONGEST_ID + 1].rpartition("-")[0]


def note_polarities(metrics: Iterable[Entry], register: Register, problems: Problems) -> None:
    """Warn where what a service says of its metrics contradicts the polarity in the register."""
    ours = {alias: each for each in register.indicators.values() for alias in each.aliases}
    ways = {"higher", "lower", "none"}
    for metric in metrics:
        each = ours.get(metric.get("alias", ""))
        if each and len({metric["polarity"], each.polarity} & ways) == 2:
            facts = {"theirs": metric["polarity"], "name": metric["alias"], "ours": each.polarity}
            problems.tell("polarity-differs", owner="", indicator=each.id, **facts)


def _plain(text: str) -> str:
    return HIDDEN.sub("", " ".join(text.split()))[:_LONGEST]
