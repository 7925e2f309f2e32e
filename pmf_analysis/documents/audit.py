"""What a page must be beyond what axe can see.

axe is content with an alternative text that says "No description has been provided", with a file
name for a title and with tables that nobody introduced. These checks, most of them rules of
``audit.yml``, are not. They need no browser, take milliseconds, and work on any HTML page, so that
a council can audit its own packs.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree, html

from pmf_analysis.problems import Problem, Problems
from pmf_analysis.shipped import read_shipped


def _words(_context: Any, nodes: Any) -> str:
    """Return the words of the first of some nodes or texts, a space between each."""
    first = nodes[0] if nodes else ""
    return " ".join((first if isinstance(first, str) else first.text_content()).split())


def _xpath(expression: str) -> Any:
    known = {"re": "http://exslt.org/regular-expressions"}
    return etree.XPath(expression, namespaces=known, extensions={(None, "words"): _words})


_RULES = [
    (_xpath(rule["wrong"]), rule["code"], rule["says"], _xpath(rule.get("of", "''")))
    for rule in read_shipped("documents/audit.yml")["rules"]
]


def audit_html(text: str) -> Problems:
    """Return what is wrong with a page, an error for each fault; an empty list is a pass."""
    page = html.document_fromstring(text)
    problems = Problems(_repeated_and_missing_ids(page))
    for wrong, code, says, of in _RULES:
        found = wrong(page)
        for node in ([page] if found else []) if isinstance(found, bool) else found:
            problems.add(message=says.format(of=of(node), text=_words(None, [node])), code=code)
    return problems


def _repeated_and_missing_ids(page: Any) -> Iterator[Problem]:
    counts = Counter(page.xpath("//@id"))
    for name in [name for name, count in counts.items() if count > 1]:
        yield Problem(f'The id "{name}" is used more than once.', code="id-repeated")
    wanted = " ".join(page.xpath("//@aria-labelledby | //@aria-describedby")).split()
    wanted += [link[1:] for link in page.xpath("//@href") if link.startswith("#") and link != "#"]
    for name in sorted(set(wanted) - set(counts)):
        yield Problem(f'Something refers to "{name}", which is not on the page.', code="id-missing")
