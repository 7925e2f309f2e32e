"""Rows that are for a group only, where several columns of a file say of whom a row tells.

A row of men, of one age or of a tenth of areas by deprivation is no figure of its area. Its
groups become dimension and member, so that it never passes as the total.
"""

import pandas as pd

from pmf_analysis.systems.blocks import Block
from pmf_analysis.systems.mapping import MappingFile, spelling


def part_by_group(
    block: Block, rows: pd.DataFrame, columns: dict[str, list[int]], mapping: MappingFile
) -> tuple[pd.DataFrame, dict[str, list[int]]]:
    """Return rows and columns with the dimension and member that the mapping's breakdowns give.

    A text is for all where the mapping says so or it is empty; so is one that all rows of its
    indicator share, as of a screening that only women have.
    """
    dimension = member = pd.Series("", index=rows.index)
    ids = rows[columns["indicator_id"][0]]
    for name, rule in mapping.breakdowns.items():
        position, named_by = block.position(name), block.position(rule.named_by)
        if position is None:
            continue
        text = rows[position].astype("str").str.strip()
        is_total = text.map(spelling).isin(["", *map(spelling, rule.total)])
        if named_by is None:
            is_total |= text.groupby(ids).transform("nunique") == 1
        of = name if named_by is None else rows[named_by].astype("str").str.strip()
        dimension = dimension.mask(~is_total, dimension + "; " + of)
        member = member.mask(~is_total, member + "; " + text)
    first = rows.shape[1]
    block.headers.update({first: "dimension", first + 1: "dimension value"})
    parts = {first: dimension.str.removeprefix("; "), first + 1: member.str.removeprefix("; ")}
    columns = columns | {"dimension": [first], "dimension_value": [first + 1]}
    return rows.join(pd.DataFrame(parts)), columns
