"""Files that cannot be read: each fault in a sentence with its line, and never a traceback."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmf_analysis.parameters.loading import read_document
from pmf_analysis.problems import Problems

NO_SECRETS = (
    "No secret is ever a parameter: credentials come from the environment. Fix: remove it here, "
    "and change it where it is used, since files are copied."
)
SAYS = {
    "tab": "x.yml line 3: This line is indented with a tab; use spaces.",
    "empty": "x.yml: This file is empty.",
    "only_remarks": "x.yml: This file is empty.",
    "not_utf8": (
        "x.yml line 3: This file is not saved as UTF-8 text. Fix: save it again with the encoding "
        "UTF-8 (in Notepad: Save as, Encoding, UTF-8)."
    ),
    "duplicate_key": (
        'x.yml line 5: "period" is given twice in one group, on lines 3 and 5. '
        "Fix: keep one of them."
    ),
    "secret": (
        f'x.yml line 3: "lg_inform_key" looks like a password or key. {NO_SECRETS}\n'
        f'x.yml line 4: "ApplicationKey" looks like a password or key. {NO_SECRETS}\n'
        f"x.yml line 5: This line holds a password or key. {NO_SECRETS}"
    ),
    "colon": (
        "x.yml line 2: This line has a second colon or a wrong indentation. Put text that holds a "
        'colon in quotes, as in title: "Homes: new", and indent the settings of one group alike.'
    ),
    "open_quote": "x.yml line 2: A quotation mark is opened here and never closed.",
    "open_bracket": "x.yml line 2: A bracket is opened and never closed.",
    "indentation": "x.yml line 4: The indentation of this line does not fit the lines above it.",
    "two_documents": (
        "x.yml line 2: A second document begins here (---); a parameter file has one."
    ),
    "star": (
        "x.yml line 2: An alias (*) has no anchor (&). Put text that begins with * in quotes."
    ),
    "sign": (
        "x.yml line 2: A value begins with a sign that YAML keeps for itself; put it in quotes."
    ),
    "no_colon": "x.yml line 2: A colon and a value are missing after this name.",
    "no_such_date": 'x.yml line 2: "2026-02-30" is no number or date that exists.',
    "tag": (
        'x.yml line 2: The tag "tag:yaml.org,2002:python/object/apply:os.getcwd" is not allowed. '
        "Fix: remove it."
    ),
    "alias_bomb": (
        "x.yml: Anchors and aliases (& and *) in this file multiply to too many values. "
        "Fix: write the values out."
    ),
    "alias_of_itself": (
        "x.yml: Anchors and aliases (& and *) in this file multiply to too many values. "
        "Fix: write the values out."
    ),
}


def _read(path: Path):
    problems = Problems()
    return read_document(path, "x.yml", problems), problems


def _said(text: str | bytes, folder: Path) -> str:
    path = folder / "x.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    document, problems = _read(path)
    assert document is None
    return "\n".join(problem.line() for problem in problems)


@pytest.mark.parametrize("name", sorted(SAYS))
def test_each_fault_is_told_in_words_with_its_line(name, invalid):
    document, problems = _read(invalid / f"{name}.yml")
    assert document is None
    assert "\n".join(problem.line() for problem in problems) == SAYS[name]


def test_every_example_of_a_broken_file_has_its_words(invalid):
    whole = {"run_many_faults", "run_unknown_names"}
    whole |= {"framework_faults", "indicators_faults", "corrections_faults", "charts_faults"}
    assert {path.stem for path in invalid.glob("*.yml")} == set(SAYS) | whole


def test_a_missing_file_is_named(tmp_path):
    document, problems = _read(tmp_path / "none.yml")
    assert document is None
    assert problems[0].line() == "x.yml: This file is missing or cannot be opened."


def test_no_secret_is_repeated(invalid):
    _, problems = _read(invalid / "secret.yml")
    assert "hunter2" not in str(problems.rows())


def test_control_characters_and_deep_nesting_are_refused(tmp_path):
    assert _said("\x00", tmp_path) == "x.yml: This file holds control characters; it is not text."
    assert _said("[" * 5_000, tmp_path) == "x.yml: This file is nested too deeply to be read."
    assert _said("? [a]\n: 3", tmp_path) == "x.yml line 1: A name is expected before the colon."


@pytest.mark.parametrize(
    "name",
    [
        *("password", "db_password", "Token", "client secret", "api-key", "apiKey", "key"),
        *("access_key", "PWD", "passphrase", "credentials", "lgInformKey"),
    ],
)
def test_names_of_secrets_are_refused_in_any_spelling(name, tmp_path):
    assert "credentials come from the environment" in _said(f"{name}: x", tmp_path)


@pytest.mark.parametrize("name", ["key_stage_2", "monkeys", "keyboard", "peer_set"])
def test_names_that_only_sound_like_secrets_are_let_through(name, tmp_path):
    path = tmp_path / "x.yml"
    path.write_text(f"{name}: 1\n", encoding="utf-8")
    document, problems = _read(path)
    assert document is not None
    assert document.values == {name: 1}
    assert problems == []


def test_values_are_those_of_yaml_1_2_and_lines_are_kept(tmp_path):
    path = tmp_path / "x.yml"
    path.write_bytes(
        b"\xef\xbb\xbfa: no\nb: 12:30\nc: 010\nd: 2026-10-31\ne:\n  - x\n  - {f: 1e3}\ng: ~\n"
    )
    document, problems = _read(path)
    assert problems == []
    assert (document.values["a"], document.values["b"], document.values["c"]) == ("no", "12:30", 10)
    assert f"{document.values['d']}" == "2026-10-31"
    assert document.values["e"] == ("x", {"f": 1000.0})
    assert document.line(("e", 1, "f")) == 7
    assert document.line(("e", 1, "unknown")) == 7
    assert document.line(("nowhere",)) == 1


def test_aliases_in_measure_are_allowed(tmp_path):
    path = tmp_path / "x.yml"
    path.write_text("a: &a [1, 2]\nb: *a\n", encoding="utf-8")
    document, _ = _read(path)
    assert document.values == {"a": (1, 2), "b": (1, 2)}


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_a_file_holds_there_is_a_document_or_a_problem(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "x.yml"
    path.write_bytes(content)
    document, problems = _read(path)
    assert (document is None) == problems.has_errors


@pytest.mark.parametrize(
    "text", ["A\\nB", "A\\tB", "A\\u202eB", "A\\u2067B", "A\\x07", "A\\ud83dB"]
)
def test_names_of_characters_that_nobody_sees_are_refused(text, tmp_path):
    path, problems = tmp_path / "x.yml", Problems()
    path.write_text(f'council:\n  name: "{text}"\nmembers: {{X1: "{text}"}}\n', encoding="utf-8")
    assert read_document(path, "x.yml", problems) is None
    assert [(problem.row, problem.code) for problem in problems] == [
        (2, "hidden-character"),
        (3, "hidden-character"),
    ]


def test_longer_texts_may_have_lines(tmp_path):
    path, problems = tmp_path / "x.yml", Problems()
    path.write_text("name: >\n  One\n  line\ndefinition: |\n  Two\n  lines\n", encoding="utf-8")
    assert read_document(path, "x.yml", problems).values["definition"] == "Two\nlines\n"
