"""What published documents must be, beyond what a browser's checker can see.

Checkers are content with an alternative text that says "No description has been provided", with a
file name for a title and with tables that nobody introduced. The rules of ``audit.yml`` are not.
They need no browser, take milliseconds, and judge any web page, PDF, Word, Excel or PowerPoint
file, so that a council can audit its own packs. A clean result says that no failure was found, by
this version with these rules: never that a document is fit for everyone.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree

from pmf_analysis import __version__
from pmf_analysis.documents.audit_trees import NOT_XML, UnreadableError, read_file, read_tree
from pmf_analysis.documents.plain import plain_lines
from pmf_analysis.parameters.brand import LEAST_CONTRAST, LEAST_LARGE, contrast
from pmf_analysis.problems import PmfError, Problem, Problems
from pmf_analysis.shipped import read_shipped

COLUMNS = ("file", "kind", "duty", "code", "criterion", "where", "message", "fix")
_TOLD = read_shipped("documents/audit.yml")
_PATTERNS = {name: "|".join(choices) for name, choices in _TOLD["patterns"].items()}
_MOST_PLACED = 50  # findings of a rule in a file of which place and words are looked up
_DECLARED = re.compile(r"([^{}]*)\{([^{}]*)\}")
_COLOUR = re.compile(
    r"(?<![\w-])(color|background)(?:-color)?:\s*(#(?:[0-9a-f]{3}){1,2}|(?!none)[a-z]+)\s*(?:;|!|$)"
)
_PARTS = re.compile(r"rgb\((\d+), ?(\d+), ?(\d+)\)")


@dataclass(frozen=True, slots=True)
class Finding(Problem):
    """A failure of a rule: ``duty`` is ``law`` (WCAG 2.2 A or AA) or ``ours`` (stricter)."""

    kind: str = ""
    duty: str = "law"
    criterion: str = ""
    where: str = ""


@dataclass(frozen=True)
class AuditResult:
    """What was found in a folder.

    Parameters
    ----------
    problems
        Every finding, in the order of files and rules.
    files
        How many files of each kind were judged.
    others
        How many files are of a kind that is not judged.
    version, rules
        The version of this package, and how many rules it has for the kinds of files found.
    """

    problems: list[Finding]
    files: Mapping[str, int]
    others: int = 0
    version: str = __version__
    rules: int = 0

    @property
    def failed(self) -> bool:
        """Whether anything failed."""
        return bool(self.problems)

    def rows(self) -> list[dict[str, Any]]:
        """Return a dict a finding, for other programs."""
        return [{name: getattr(found, name) for name in COLUMNS} for found in self.problems]

    def grouped(self, duty: str) -> Iterator[tuple[Finding, list[Finding]]]:
        """Yield the findings of a duty by file and rule: the first of each, and all."""
        chosen = (found for found in self.problems if found.duty == duty)
        for _, group in groupby(chosen, key=lambda found: (found.file, found.code)):
            all_of_it = list(group)
            yield all_of_it[0], all_of_it

    def lines(self) -> list[str]:
        """Return what fails, where and how to fix it, for a terminal, which hostile text spares."""
        return plain_lines("audit", result=self, told=_TOLD)


def audit_folder(folder: Path) -> AuditResult:
    """Judge every page and document in a folder and in those below it, or one file.

    Hidden files, the locks that Office programs leave and links to elsewhere are passed over.

    Raises
    ------
    PmfError
        When there is no such folder.
    """
    if not folder.exists():
        raise PmfError(Problem.of("file-missing", file=folder.name))
    kinds = {end: kind for kind, told in _TOLD["kinds"].items() for end in told["suffixes"]}
    closed: list[OSError] = []
    walked = () if folder.is_file() else os.walk(folder, onerror=closed.append)
    inside = sorted(Path(base, name) for base, _, names in walked for name in names)
    files, problems, others = Counter[str](), list[Finding](), 0
    for path in [folder] if folder.is_file() else inside:
        name = _name(path, folder)
        if any(part.startswith((".", "~$")) for part in name.split("/")):
            continue
        kind = kinds.get(path.suffix.lower())
        if kind is None or (path.is_symlink() and path != folder):
            others += 1
            continue
        files[kind] += 1
        problems += _judged(path, kind, name)
    for error in closed:
        problems.append(_unjudged(error, "folder", _name(Path(error.filename), folder)))
    if not files and not closed:
        raise PmfError(Problem.of("audit-nothing", file=folder.name))
    rules = sum(len(_rules(kind)) for kind in files) + len(_TOLD["files"])
    return AuditResult(problems, files, others, rules=rules)


def _name(path: Path, folder: Path) -> str:
    name = path.name if path == folder else path.relative_to(folder).as_posix()
    return name.encode(errors="replace").decode()  # of old shared drives


def _judged(path: Path, kind: str, name: str) -> list[Finding]:
    try:
        return list(_judge(kind, read_file(kind, path), name))
    except (UnreadableError, OSError) as error:
        return [_unjudged(error, kind, name)]


def _unjudged(error: Exception, kind: str, name: str) -> Finding:
    code = error.args[0] if isinstance(error, UnreadableError) else "file-unreadable"
    says, fix = next((it["says"], it["fix"]) for it in _TOLD["files"] if it["code"] == code)
    return Finding(says, code=code, file=name, fix=fix, kind=kind, duty="file")


def audit_html(text: str) -> Problems:
    """Return what is wrong with a page, an error for each fault; an empty list is a pass."""
    return Problems(_judge("html", read_tree("html", text.encode(errors="replace")), ""))


def _judge(kind: str, tree: Any, name: str) -> Iterator[Finding]:
    place = _mark_headings(kind, tree)
    for rule, wrong, of in _rules(kind):
        found = wrong(tree, **_PATTERNS)
        nodes = ([tree] if found else []) if isinstance(found, bool) else found
        for number, node in enumerate(nodes):
            is_placed = node is not tree and number < _MOST_PLACED
            of_it = text = "…"
            if is_placed or node is tree:
                of_it, text = of(node, **_PATTERNS), _words(None, [node])[:80]
            yield Finding(
                rule["says"].format(of=of_it, text=text),
                **{key: rule[key] for key in ("code", "fix", "criterion", "kind", "duty")},
                file=name,
                where=place(node).strip() if is_placed else "",
            )


def _mark_headings(kind: str, tree: Any) -> Any:
    """Write on each heading its level and that of the one before; return how places are said."""
    told, before = _TOLD["kinds"][kind], 0
    level_of = _xpath(told.get("level", "0"))
    for node in _xpath(told.get("headings", "/.."))(tree):
        level = level_of(node)
        if not math.isnan(level):
            node.set("pmf-level", f"{level:.0f}")
            node.set("pmf-before", str(before))
            before = int(level)
    return _xpath(told["where"])


# The rules: XPath over trees


@cache
def _rules(kind: str) -> list[tuple[dict[str, Any], Any, Any]]:
    return [
        ({"duty": "law", **rule}, _xpath(rule["wrong"]), _xpath(rule.get("of", "''")))
        for rule in _TOLD["rules"]
        if rule["kind"] == kind
    ]


def _words(_context: Any, nodes: Any) -> str:
    """Return the words of the first of some nodes or texts, single spaces between them."""
    first = nodes[0] if isinstance(nodes, list) and nodes else nodes or ""
    text = first if isinstance(first, str) else _TEXT(first)
    return " ".join(NOT_XML.sub("", text).split())  # HTML may name by number what XML may not hold


def _line(_context: Any, nodes: Any) -> str:
    return str(nodes[0].sourceline)


def _repeated(_context: Any, nodes: Any) -> list[Any]:
    """Return the first of each group of elements that have the same id."""
    counts = Counter(node.get("id") for node in nodes)
    by_id = {node.get("id"): node for node in reversed(nodes)}
    return [node for name, node in by_id.items() if counts[name] > 1]


def _dangling(_context: Any, references: Any, ids: Any) -> list[Any]:
    """Return the elements of attributes that name an id which is not among those given."""
    known = set(ids)
    return [
        reference.getparent()
        for reference in references
        if not known.issuperset(unquote(str(reference).removeprefix("#")).split())
    ]


def _faint(_context: Any, declared: Any) -> str:
    """Return the first pair of colours in a style that is too near to be read, or nothing.

    Large text, which needs less contrast, is known by a size that stands with the colours.
    """
    from matplotlib.colors import is_color_like, to_hex

    def coded(parts: re.Match[str]) -> str:
        return "#" + "".join(f"{int(part):02x}" for part in parts.groups())

    text = _PARTS.sub(coded, _words(None, declared).lower())
    for selector, block in _DECLARED.findall(text) or [("", text)]:
        named = {name: said for name, said in _COLOUR.findall(block) if is_color_like(said)}
        if len(named) < 2 or "disabled" in selector:
            continue
        ink, ground = (to_hex(named[name]) for name in ("color", "background"))
        if contrast(ink, ground) < (LEAST_LARGE if "font" in block else LEAST_CONTRAST):
            return f"{ink} on {ground}"
    return ""


_TEXT = etree.XPath("string()")
_OURS = (_words, _line, _repeated, _dangling, _faint)
_FUNCTIONS = {(None, each.__name__[1:]): each for each in _OURS}


@cache
def _xpath(expression: str) -> Any:
    spaces = {"re": "http://exslt.org/regular-expressions"}
    return etree.XPath(expression, namespaces=spaces, extensions=_FUNCTIONS)


# The statement


def statement(result: AuditResult, council: Mapping[str, Any]) -> str:
    """Return an accessibility statement made from what was found, as a page.

    It follows the parts of the model statement of the 2018 Regulations, and claims no more than
    that a version of this package, with so many rules, found this.

    Parameters
    ----------
    council
        ``name`` and ``contact`` of the body that publishes, ``date`` (ISO) of the statement; and
        whatever else a report may say of itself, such as ``brand``.
    """
    from pmf_analysis.documents.html import joining_page
    from pmf_analysis.documents.reading import Section
    from pmf_analysis.story.facts import dated

    sections = [Section(*each) for each in _TOLD["statement"].items()]
    kinds = {_TOLD["kinds"][kind]["name"]: n for kind, n in result.files.items()}
    facts = {"title": "Accessibility statement", **council, "result": result, "kinds": kinds}
    facts |= {"council": council.get("name") or "The publisher", "said_on": dated(council["date"])}
    return joining_page("statement.html.j2", facts, sections)
