import doctest
import pickle
import re
from dataclasses import fields
from pathlib import Path

import pytest

from pmf_analysis import problems
from pmf_analysis.problems import COLUMNS, PmfError, Problem, Problems, did_you_mean
from pmf_analysis.shipped import read_shipped


def test_doctests():
    assert doctest.testmod(problems).failed == 0


def test_line_of_a_cell_names_place_value_expectation_and_fix():
    problem = Problem(
        "row kept in quarantine",
        file="KPI Q2.xlsx",
        sheet="PI Report",
        row=7,
        column='E "Current Target"',
        value="#DIV/0!",
        expected="a number 0-100 (percentage)",
        fix="correct the formula in E7",
    )
    assert problem.line() == (
        'KPI Q2.xlsx | sheet "PI Report" | row 7 | column E "Current Target" | value "#DIV/0!" | '
        "expected a number 0-100 (percentage) | row kept in quarantine | "
        "fix: correct the formula in E7"
    )


def test_line_of_a_parameter_file_reads_like_a_compilers():
    problem = Problem(
        "The period is empty.", file="parameters/x.yml", row=3, expected="a label.", fix="Write it."
    )
    assert problem.line() == (
        "parameters/x.yml line 3: The period is empty. Expected a label. Fix: Write it."
    )
    assert Problem("No file was given.").line() == "No file was given."
    assert Problem("It is empty.", file="a.csv").line() == "a.csv: It is empty."


def test_long_values_are_cut_in_the_line_but_kept_in_the_row():
    problem = Problem("too long", column="A", value="word " * 100)
    assert len(problem.line()) < 130
    assert Problems([problem]).rows()[0]["value"] == "word " * 100


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/home/someone/drop/KPI.xlsx", "KPI.xlsx"),
        (r"C:\Users\someone\KPI.xlsx", "KPI.xlsx"),
        (r"\\server\share\KPI.xlsx", "KPI.xlsx"),
        ("parameters/runs/x.yml", "parameters/runs/x.yml"),
        ("abfs://zone/KPI.csv", "abfs://zone/KPI.csv"),
    ],
)
def test_absolute_paths_are_cut_to_the_base_name(given, kept):
    assert Problem("wrong", file=given).file == kept


def test_problems_are_collected_and_raised_once():
    found = Problems()
    found.add(Problem("look at this", level="warning"))
    found.raise_if_errors()
    assert not found.has_errors
    found.add(message="cannot be read", code="unreadable")
    assert found.has_errors
    with pytest.raises(PmfError) as caught:
        found.raise_if_errors(exit_code=3)
    assert caught.value.exit_code == 3
    assert str(caught.value) == "look at this\ncannot be read"


def test_every_field_of_a_problem_is_a_column_of_its_row():
    assert {field.name for field in fields(Problem)} == set(COLUMNS)
    assert tuple(Problems([Problem("a", row=2)]).rows()[0]) == COLUMNS


def test_an_error_survives_a_trip_between_processes():
    error = pickle.loads(pickle.dumps(PmfError("cannot be read", 3)))
    assert (str(error), error.exit_code) == ("cannot be read", 3)


def test_did_you_mean_ignores_case_and_separators():
    assert did_you_mean("Fit for purpose", ["fit_for_purpose"]) == (
        ' Did you mean "fit_for_purpose"?'
    )
    assert did_you_mean("", ["place"]) == ""


def test_a_fault_of_the_data_file_has_its_words_filled_and_its_place():
    told = Problem.of("unknown-run", file="x", how_many="No run begins", wanted="2{6}", hint="")
    assert (told.line(), told.code) == ('x: No run begins with "2{6}".', "unknown-run")
    assert Problem.of("peer-set-old", name="a", of=1, months=2, as_at=3).level == "warning"
    assert Problem.of("yaml-wrong", row=3, said="Wrong.") == Problem(
        "Wrong.", code="yaml-wrong", row=3
    )


def test_every_fault_of_the_data_file_is_told_somewhere_and_every_one_told_is_there():
    package = Path(problems.__file__).parent
    paths = [*package.rglob("*.py"), *(package / "systems").glob("*.yml")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    known = set(read_shipped("problems.yml"))
    assert {name for name in known if f'"{name}"' not in code} == set()
    told = re.findall(r'(?:Problem\.of|problems\.tell|\w+\.refuse)\(\s*"([a-z0-9-]+)"', code)
    assert len(told) > 30 and set(told) <= known | set(read_shipped("systems/faults.yml"))
