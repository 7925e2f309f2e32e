"""What a table leaves open: one id with two names, and numbers that can be read in two ways."""

import pandas as pd

from pmf_analysis.problems import Problem
from pmf_analysis.systems.blocks import Block
from pmf_analysis.systems.cells import KNOWN
from pmf_analysis.systems.mapping import MappingFile
from pmf_analysis.systems.patterns import spelling
from pmf_analysis.systems.results import Case, ImportResult

Columns = dict[str, list[int]]
# 12,5 and 1.234,5 have a decimal comma; 1.234 is one and a bit, or more than a thousand.
_DECIMAL_COMMA = r"-?\d+(?:\.\d{3})*,(?:\d{1,2}|\d{4,})"
_EITHER = r"-?[1-9]\d{0,2}\.\d{3}"
# So many of them, and no other decimals, look like thousands.
_MANY = 3


def without_two_names(
    block: Block, rows: pd.DataFrame, columns: Columns, mapping: MappingFile, result: ImportResult
) -> pd.DataFrame:
    """Return rows without those whose id, under our `columns`, bears two names in the table.

    Nobody can tell whose figures they are, so all rows of the id are held back. Where a row is of
    an area or a group, what is called a name may be its own.
    """
    at = columns.get("indicator_id", [-1])[0]
    titles = [p for p in map(block.position, KNOWN["titles"]) if p not in (None, at)]
    parts = mapping.breakdowns or not {*KNOWN["parts"]}.isdisjoint(columns)
    if mapping.table != "observations" or parts or at < 0 or not titles:
        return rows
    ids, names = (rows[p].astype("str").map(spelling) for p in (at, titles[0]))
    odd = (names.where(names != "").groupby(ids).transform("nunique") > 1) & (ids != "")
    for _, same in rows[odd].groupby(ids[odd], sort=False):
        texts = [*dict.fromkeys(same[titles[0]].astype("str"))]
        problem = Problem.of(
            "id-with-two-names",
            **{"file": result.name, "sheet": block.sheet.name, "column": block.label(at)},
            **{"row": int(same.index[0]), "value": str(same[at].iloc[0])},
            **{"name": block.headers[at], "names": '" and "'.join(texts[:_MANY])},
            rows=", ".join(map(str, same.index[:20])),
        )
        result.refuse(problem, mapping.table, same)
    return rows[~odd]


def tell_two_meanings(case: Case, name: str) -> None:
    """Hold back 1.234 among numbers with a decimal comma; note rows that have nothing else.

    A number that a workbook keeps as one has one meaning.
    """
    text = case.raw_text(name).str.strip()
    is_typed = case.records.raw["source_file"].str.lower().str.contains(r"\.(?:xls|ods|parquet)")
    is_text = ~is_typed | case.records.marked(name, "text number")
    either = text.str.fullmatch(_EITHER) & is_text
    if not either.any():
        return
    has_comma = bool(text.str.fullmatch(_DECIMAL_COMMA).any())
    case.tell(
        either & has_comma, name, "two-meanings", dots=text, commas=text.str.replace(".", ",")
    )
    of = case.raw_text("indicator_id")
    others = (text.str.contains(".", regex=False) & ~either).groupby(of).transform("any")
    many = either.groupby(of).transform("sum") >= _MANY
    case.tell(either & many & ~others & (not has_comma), name, "thousands-perhaps")
