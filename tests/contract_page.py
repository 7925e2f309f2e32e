"""Makes docs/data-contract.md from the contract: run this file in the repository's folder."""

from pathlib import Path

from pmf_analysis.data.contract import KEYS, ROW_MEANS, TABLES, Column
from pmf_analysis.data.store import SCHEMA_VERSION


def contract_page() -> str:
    """Return the Markdown page of the contract, committed as docs/data-contract.md."""
    intro = (
        "# Data contract\n\n"
        f"Version {SCHEMA_VERSION}. This page is made from `pmf_analysis/data/contract.yml`.\n\n"
        "Percentages are stored 0 to 100, counts as whole numbers, dates as days. Missing text is "
        "an empty string. A value that is not there says why in its status: suppressed, not yet "
        "available, not applicable and missing are states, never zero.\n"
    )
    return intro + "".join(_page_section(table) for table in TABLES)


def _page_section(table: str) -> str:
    rows = [f"| `{c.name}` | {c.kind} | {_rule_words(c)} | {c.meaning} |" for c in TABLES[table]]
    return (
        f"\n## {table}\n\nA row is {ROW_MEANS[table]}. "
        f"No two rows share {', '.join(f'`{name}`' for name in KEYS[table])}.\n\n"
        "| column | type | rule | meaning |\n| --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"
    )


def _rule_words(column: Column) -> str:
    told = {
        "required": column.required or None,
        f"one of {', '.join(column.choices)}": column.choices or None,
        f"at least {column.minimum}": column.minimum,
        f"at most {column.maximum}": column.maximum,
        f"{column.default} when not given": column.default,
    }
    return "; ".join(words for words, rule in told.items() if rule is not None)


if __name__ == "__main__":
    Path("docs/data-contract.md").write_text(contract_page(), encoding="utf-8")
