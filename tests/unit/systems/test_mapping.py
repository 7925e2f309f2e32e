"""Mapping files are strict, and each file finds the one that fits it best."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmf_analysis.data.contract import TABLES
from pmf_analysis.problems import PmfError
from pmf_analysis.systems.mapping import choose_mapping, load_mappings

GOOD = """\
format: 1
name: mine
system: test
version: 1
table: observations
match: {files: ["mine*.csv"]}
header: {row: 1}
columns: {indicator_id: [id], value: [v]}
"""


def write(folder: Path, text: str, name: str = "mine.yml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_mappings_fill_every_table(repository: Path) -> None:
    mappings = load_mappings(repository / "parameters" / "mappings")
    # What another system says itself stands beside its observations.
    assert {mapping.table for mapping in mappings.values()} == set(TABLES) - {"published"}
    for name, chosen in {
        "Westshire_Observations_q2.CSV.GZ": "generic_tidy",
        "pentana_transport.xlsx": "pentana_pi_wide",
        "KPI by period.xlsx": "wide_periods",
        "targets.csv": "targets_table",
        "peer_sets.parquet": "peer_sets_table",
    }.items():
        assert choose_mapping(name, mappings).name == chosen


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("table: observations", "table: observation", "observations"),
        ("value: [v]", "valu: [v]", 'Did you mean "value"'),
        ("header: {row: 1}", "header: {}", "either row"),
        ("version: 1", "version: 1\nversion: 2", "given twice"),
        ("version: 1", "version: 1\nsurprise: 2", "surprise"),
        ("version: 1", "version: 1\nvalues: {supressed: [c]}", 'Did you mean "suppressed"'),
        ("version: 1", "version: 1\nkeep: [{column: id}]", "in or startswith"),
        (
            "version: 1",
            "version: 1\nunpivot: {pattern: '(?P<period>x', measures: {V: value}}",
            "expr",
        ),
        ("version: 1", "version: 1\nunpivot: {pattern: 'x', measures: {V: value}}", "two groups"),
    ],
)
def test_a_faulty_mapping_is_refused_with_its_file(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(PmfError) as refused:
        load_mappings(write(tmp_path, GOOD.replace(old, new)))
    assert words in str(refused.value)
    assert "parameters/mappings/mine.yml line" in str(refused.value)
    assert refused.value.exit_code == 2


def test_no_mapping_several_mappings_and_a_misspelt_one_are_said(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("name: mine", "name: twin"), "twin.yml")
    write(tmp_path, GOOD.replace("name: mine", "name: near").replace("mine*", "mine_q*"), "c.yml")
    mappings = load_mappings(tmp_path)
    assert choose_mapping("MINE_Q2.csv", mappings).name == "near"
    with pytest.raises(PmfError, match="More than one"):
        choose_mapping("mine.csv", mappings)
    with pytest.raises(PmfError, match=r"No mapping fits.*wide_periods\.yml.*mapping-files"):
        choose_mapping("other.csv", mappings)
    with pytest.raises(PmfError, match='Did you mean "near"'):
        choose_mapping("mine.csv", mappings, "near1")


def test_two_mappings_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(PmfError, match="used twice"):
        load_mappings(write(tmp_path, GOOD, "copy.yml"))
