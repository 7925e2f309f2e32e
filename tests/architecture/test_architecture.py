"""The house keeps its order: rooms, sizes, notebooks, files that name no machine."""

import ast
import io
import json
import re
import socket
import statistics
import subprocess
import sys
import tokenize
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "pmf_analysis"

# The rooms in the order in which data flows; a module imports from its own or an earlier one.
ROOMS = (
    *(
        "shipped",
        "problems",
        "places",
        "periods",
        "parameters",
        "data",
        "systems",
        "measures",
        "assess",
    ),
    *("cycle", "story", "notebook", "documents", "batch", "cli"),
)
PERIOD_MODULES = {
    "period_labels": "periods",
    "period_spans": "periods",
    "console": "cli",
    "cli_data": "cli",
    "__main__": "cli",
}
LIGHT = ("problems", "places", "periods", "parameters", "batch.plan", "batch.manifest", "cli")
HEAVY = {
    *("pandas", "pandera", "scipy", "matplotlib", "seaborn", "statsmodels", "pyarrow"),
    *("papermill", "nbconvert", "nbclient", "nbformat", "openpyxl", "adlfs", "sqlalchemy"),
}
# A function and a module by all their lines; the package by its lines of code.
FUNCTION_LINES, MEDIAN_FUNCTION_LINES, MODULE_LINES, PACKAGE_CODE_LINES = 60, 12, 350, 19_850
NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    tokenize.ENDMARKER,
}

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
NOTEBOOK_PARAMETERS = [
    *("council", "framework", "theme", "period", "as_at", "peer_set", "run_folder", "seed"),
]
NOTEBOOK_NODES = (
    *(ast.Module, ast.Expr, ast.Assign, ast.ImportFrom, ast.alias, ast.Call, ast.keyword),
    *(ast.Name, ast.Attribute, ast.Constant, ast.List, ast.Load, ast.Store),
)


def _modules() -> dict[str, tuple[Path, ast.Module]]:
    """Name within the package -> file and syntax tree."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found[name] = (path, ast.parse(path.read_text(encoding="utf-8")))
    return found


MODULES = _modules()


def _functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (name, node)
        for name, (_, tree) in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _room(module: str) -> str:
    first = module.split(".")[0]
    return PERIOD_MODULES.get(first, first)


def _imports(tree: ast.AST) -> list[tuple[int, str]]:
    """Every import, wherever it stands: line and full name."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: a relative import hides the room"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


@pytest.mark.parametrize("module", [name for name in MODULES if name != "__init__"])
def test_a_module_imports_only_from_its_own_or_an_earlier_room(module):
    own = ROOMS.index(_room(module))
    later = [
        f"line {line}: {imported}"
        for line, imported in _imports(MODULES[module][1])
        if imported.startswith("pmf_analysis.")
        and imported != "pmf_analysis.__version__"
        and ROOMS.index(_room(imported.removeprefix("pmf_analysis."))) > own
    ]
    assert later == []


def test_light_modules_import_nothing_heavy_when_they_are_imported():
    names = [
        f"pmf_analysis.{name.removesuffix('.__init__')}"
        for name in MODULES
        if name in LIGHT or _room(name) in LIGHT
    ]
    code = (
        "import importlib, sys\n"
        f"[importlib.import_module(name) for name in {names!r}]\n"
        f"print(sorted(set({sorted(HEAVY)!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_functions_are_short():
    lengths = {
        f"{name}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for name, node in _functions()
    }
    assert {key: n for key, n in lengths.items() if n > FUNCTION_LINES} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION_LINES


def test_functions_are_annotated():
    bare = []
    for name, node in _functions():
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        annotations = [a.annotation for a in arguments if a.arg not in {"self", "cls"}]
        if None in [node.returns, *annotations]:
            bare.append(f"{name}:{node.lineno} {node.name}")
    assert bare == []


def _code_lines(text: str) -> int:
    """How many lines hold code: not those that are blank, a comment or part of a docstring."""
    held = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            held -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(held)


def test_lines_of_code_are_those_that_do_something():
    text = '''"""What it is.

    More of it.
    """
# why
def f(x):  # said here
    "In one line."

    text = """not a
    docstring"""
    return (
        x,  # kept

        text)
'''
    assert _code_lines(text) == 6
    assert _code_lines("") == _code_lines("# only why\n\n") == 0


def test_modules_and_the_package_are_small():
    texts = {name: path.read_text(encoding="utf-8") for name, (path, _) in MODULES.items()}
    lines = {name: text.count("\n") for name, text in texts.items()}
    assert {name: n for name, n in lines.items() if n > MODULE_LINES} == {}
    code, physical = sum(map(_code_lines, texts.values())), sum(lines.values())
    assert code <= PACKAGE_CODE_LINES, f"{code} lines of code, {physical} lines in all"


def test_no_code_is_run_from_data_and_no_warning_is_silenced_at_large():
    found = []
    for name, (_, tree) in MODULES.items():
        found += [f"{name}:{line}" for line, what in _imports(tree) if what.startswith("pickle")]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in {"eval", "exec", "pd.read_pickle"} or _silences(called, node):
                    found.append(f"{name}:{node.lineno} {called}")
    assert found == []


def _silences(called: str, node: ast.Call) -> bool:
    """Whether a call ignores warnings without saying whose or which."""
    narrowed = {keyword.arg for keyword in node.keywords} & {"message", "module"}
    ignores = any(isinstance(a, ast.Constant) and a.value == "ignore" for a in node.args)
    is_filter = called.endswith(("filterwarnings", "simplefilter"))
    return is_filter and ignores and not narrowed and len(node.args) < 2


def test_the_workbench_needs_nothing_but_python():
    tree = ast.parse((REPOSITORY / "workbench.py").read_text(encoding="utf-8"))
    outside = {what.split(".")[0] for _, what in _imports(tree)} - sys.stdlib_module_names
    assert outside == set()


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= {"trends", "benchmarking", "target_realism"}


def _cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def _code(path: Path) -> list[tuple[str, list[str], ast.Module]]:
    """Id, tags and syntax tree of each code cell."""
    return [
        (cell["id"], cell["metadata"].get("tags", []), ast.parse("".join(cell["source"])))
        for cell in _cells(path)
        if cell["cell_type"] == "code"
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_it_only_calls_and_shows(self, path):
        other = [
            f"{cell}: {type(node).__name__}"
            for cell, _, tree in _code(path)
            for node in ast.walk(tree)
            if not isinstance(node, NOTEBOOK_NODES)
        ]
        assert other == []

    def test_it_imports_the_facade_only(self, path):
        modules = {
            node.module
            for _, _, tree in _code(path)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
        }
        assert modules == {"pmf_analysis.notebook"}

    def test_it_calls_only_the_facade(self, path):
        called = {
            ast.unparse(node.func)
            for _, _, tree in _code(path)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        }
        own = {name for name in called if not re.fullmatch(r"run\.[a-z_]+", name)}
        assert own == {"open_run", "show", "finish"}

    def test_it_is_committed_without_outputs_and_with_its_kernel(self, path):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            assert cell.get("outputs", []) == []
            assert cell.get("execution_count") is None
        assert notebook["metadata"]["kernelspec"]["name"] == "python3"
        assert set(notebook["metadata"]) == {"kernelspec", "language_info"}

    def test_its_cells_are_few_short_and_named_by_words(self, path):
        cells = _cells(path)
        names = [cell["id"] for cell in cells]
        assert 9 <= len(cells) <= 14
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)
        assert cells[0]["cell_type"] == "markdown"
        for cell in cells:
            if cell["cell_type"] == "code" and "setup" not in cell["metadata"].get("tags", []):
                assert "".join(cell["source"]).count("\n") < 8

    def test_its_parameters_are_the_shared_ones_with_plain_defaults(self, path):
        (place,) = [n for n, (_, tags, _) in enumerate(_code(path)) if "parameters" in tags]
        assert place == 0
        body = _code(path)[place][2].body
        assert [node.targets[0].id for node in body] == NOTEBOOK_PARAMETERS
        assert all(isinstance(node.value, ast.Constant) for node in body)


def _plain(requirement: str) -> str:
    """A requirement's name as both worlds spell it."""
    return re.split(r"[\s<>=!~;\[]", requirement)[0].casefold().replace("_", "-")


def test_environment_yml_equals_pyproject():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    environment = YAML(typ="safe").load(REPOSITORY / "environment.yml")
    entries = environment["dependencies"]
    by_pip = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    by_conda = [entry for entry in entries if isinstance(entry, str)]
    assert f"python{project['requires-python']}" in by_conda
    assert "-e ." in by_pip
    names = [_plain(entry) for entry in [*by_conda, *by_pip]]
    assert len(names) == len(set(names))
    declared = {_plain(entry) for entry in project["dependencies"]}
    assert set(names) - {"python", "pip", "-e"} == declared


def test_tracked_files_name_no_machine():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    # Where this checkout and its owner live, top folders of build machines, and what a lock file
    # gets from a private registry; spelt in halves, so that this file does not name them.
    private = {f"{REPOSITORY.parent}/", f"{Path.home()}/", f"{socket.gethostname()}."}
    private |= {f"/{top}/" for top in ("work", "farm")} | {"--index" + "-url ", "file:" + "///"}
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(text)}" for text in sorted(private)))
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        found += [f"{name}: {match[0]}" for match in pattern.finditer(_text(REPOSITORY / name))]
    assert found == []


def _text(path: Path) -> str:
    """The text of a file; of a file that holds no text, nothing."""
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except UnicodeDecodeError:
        return ""
