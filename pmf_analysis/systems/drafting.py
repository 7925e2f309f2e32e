"""A register drafted from a spreadsheet: what each indicator is, guessed where nobody has said it.

What a column says is taken as it stands. The rest is guessed from the title, the signs and the
shape of the figures, and a catalogue of what councils usually report: see ``guessing.py``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from itertools import chain, compress, count
from pathlib import Path
from typing import Any

import pandas as pd

from pmf_analysis.parameters.loading import HIDDEN, read_document
from pmf_analysis.parameters.register_book import write_register
from pmf_analysis.parameters.starting import framework_text, run_text, slug_of
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.periods import PERIODS_PER_YEAR, Period, YearType, parse_period
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, Problems
from pmf_analysis.systems import tabular, values
from pmf_analysis.systems.blocks import Block, find_blocks
from pmf_analysis.systems.folder import RawFile, read_file
from pmf_analysis.systems.guessing import RULES, catalogue, guessed_row
from pmf_analysis.systems.mapping import MappingFile, choose_mapping, load_mappings
from pmf_analysis.systems.patterns import spelling
from pmf_analysis.systems.results import LAYOUT, ImportResult, Records
from pmf_analysis.systems.suggesting import propose


@dataclass(frozen=True)
class Draft:
    """Settings of each indicator, with its guesses; themes that columns name; the newest period."""

    rows: tuple[dict[str, Any], ...]
    themes: tuple[str, ...]
    newest: Period | None


def search_catalogue(words: Iterable[str]) -> list[dict[str, Any]]:
    """Return the entries that have all of some words, with what is usual for each in one line."""
    wanted = [word.casefold() for word in words]
    return [
        {**each, "usual": ", ".join(str(each[key]) for key in RULES["usual"] if key in each)}
        for each in catalogue()
        if all(word in str(each).casefold() for word in wanted)
    ]


def draft_register(raw: RawFile, mapping: MappingFile) -> Draft:
    """Draft a register from a file that a mapping can read.

    Raises
    ------
    PmfError
        Exit 3, when the mapping finds no figures in it.
    """
    result = ImportResult(raw.name, raw.sha256, mapping.name, Problems())
    keep = tuple(rule for rule in mapping.keep if rule.in_ != "register")
    mapping = mapping.model_copy(update={"keep": keep})
    cut = tabular.cut_into_records(raw.sheets, mapping, frozenset(), result)
    found = [_with_signs(records) for records in cut if records.table == "observations"]
    if not found:
        raise PmfError(result.problems, EXIT_DATA_UNUSABLE)
    said, rows, newest = _said(raw, mapping), list[dict[str, Any]](), list[Period]()
    for name, part in pd.concat(found).groupby("indicator_id", sort=False):
        if id := _plain(str(name)):
            figures = _figures(part, mapping)
            signs = {"shown": "".join(sorted({*"".join(part["shown"])}))}
            rows.append(guessed_row(id, {"title": id, **said.get(id, {}), **signs}, figures))
            newest += [*figures.index[-1:]]
    themes = dict.fromkeys(row["themes"] for row in rows if row.get("themes"))
    return Draft(tuple(rows), tuple(themes), max(newest, default=None))


def _plain(text: str) -> str:
    return HIDDEN.sub("", " ".join(text.split()))


def _with_signs(records: Records) -> pd.DataFrame:
    """Return records with the signs that each figure is shown with: %, £, and n for its answers."""
    raw = records.raw
    text = raw["value"].astype("str")
    asked = ~values.is_blank(raw.get("sample_size", text.str[:0]))
    headers = [each.get("value", (0, ""))[1] for each in records.layouts]
    is_percent = records.marked("value", "percent") | text.str.endswith("%")
    is_percent |= raw[LAYOUT].map(lambda n: bool(re.search("(?i)%|per ?cent", headers[n])))
    signs = zip(is_percent, asked, text.str.contains("£"), strict=True)
    return records.raw.assign(shown=["".join(compress("%n£", each)) for each in signs])


def _said(raw: RawFile, mapping: MappingFile) -> dict[str, dict[str, str]]:
    """What columns beside the figures say of each indicator, by its name in the file."""
    known: dict[str, dict[str, str]] = {}
    wanted = {"indicator_id": mapping.columns["indicator_id"], **RULES["columns"]}
    for block in (b for sheet in raw.sheets for b in find_blocks(sheet, mapping, Counter())):
        at = {name: [*map(block.position, names)] for name, names in wanted.items()}
        found = ((name, p) for name, places in at.items() for p in places if p is not None)
        first = dict(reversed([*found]))
        texts = {n: block.rows[p].astype("str").map(_plain) for n, p in first.items()}
        if mapping.header.several and (heading := _heading(block)):
            texts.setdefault("themes", texts["indicator_id"].map(lambda _, said=heading: said))
        for row in pd.DataFrame(texts).drop_duplicates("indicator_id").to_dict("records"):
            facts = known.setdefault(row.pop("indicator_id"), {})
            facts |= {str(name): text for name, text in row.items() if text and name not in facts}
    return known


def _heading(block: Block) -> str:
    """Return what stands alone in the nearest row over a table of several; "" for more cells."""
    over = block.sheet.cells.loc[: block.header_row - 1]
    filled = [[*filter(None, map(_plain, row))] for row in over.to_numpy()[::-1].astype("str")]
    nearest = next(filter(None, filled), [])
    return nearest[0] if len(nearest) == 1 else ""


def _figures(part: pd.DataFrame, mapping: MappingFile) -> pd.Series[float]:
    """Figures of one indicator by period: totals, of the area that has the most."""
    if "dimension" in part:
        part = part[part["dimension"].astype("str") == ""]
    if "area_code" in part:
        part = part[part["area_code"].isin(part["area_code"].mode().head(1))]
    given = {"frequency": mapping.constants.get("frequency"), **part.iloc[:1].to_dict("list")}
    frequency = next((name for name in PERIODS_PER_YEAR if name in str(given["frequency"])), None)
    labels = part["period_label" if "period_label" in part else "period_start"].astype("str")
    found: dict[Period, float] = {}
    for label, number in zip(labels, values.to_number(part["value"])[0], strict=True):
        year_type = mapping.period.year_type or _year_type(label)
        with suppress(PmfError):
            found[parse_period(label, year_type=year_type, frequency=frequency)] = number
    return pd.Series(found, dtype="float64").sort_index().dropna()


def _unread(raw: RawFile, mapping: MappingFile) -> list[str]:
    """Say which columns of figures and of text are taken for nothing, by mapping or draft."""
    indicators = (each.values() for each in mapping.measures_by_indicator().values())
    groups = [*mapping.columns.values(), *mapping.join.values(), *chain(*indicators)]
    names = [*chain(*groups, *RULES["columns"].values()), *(k.column for k in mapping.keep)]
    names += chain.from_iterable((name, of.named_by) for name, of in mapping.breakdowns.items())
    unread: dict[str, dict[str, None]] = {"figures": {}, "text": {}}
    for block in (b for sheet in raw.sheets for b in find_blocks(sheet, mapping, Counter())):
        taken = {position for name in names for position in block.positions([name])}
        for position, header in block.headers.items():
            filled = block.rows[position][~values.is_blank(block.rows[position])]
            read = mapping.unpivot and mapping.unpivot.read(header)
            is_left_out = any(fnmatchcase(spelling(header), spelling(n)) for n in mapping.ignore)
            if header and len(filled) and not (position in taken or read or is_left_out):
                is_figures = values.to_number(filled)[0].notna().mean() > 0.5
                unread["figures" if is_figures else "text"][_plain(header)] = None
    told = RULES["unread"]["periods" if mapping.unpivot else "figures"], RULES["unread"]["text"]
    pairs = zip(told, unread.values(), strict=True)
    forms = ((said["one" if len(heads) == 1 else "many"], heads) for said, heads in pairs if heads)
    return [form.format(n=len(heads), names=", ".join(heads)) for form, heads in forms]


def _year_type(label: str) -> YearType:
    """A year of four figures alone is taken as one of the calendar."""
    return "calendar" if re.fullmatch(r"\s*\d{4}\s*", label) else "financial"


def draft_into(
    workspace: Workspace, paths: Sequence[Path], to: Path | None, today: date
) -> tuple[list[dict[str, Any]], list[str]]:
    """Draft the register of a workspace from files; rows that it has already stay as they are.

    A framework as ``pmf new`` wrote it gets the themes that the files name, and a workspace
    without a run file one for the newest period.

    Returns
    -------
    rows, lines
        The rows that were added, and what to say of them, with the commands that come next.

    Raises
    ------
    PmfError
        Exit 2: the parameters have faults; exit 3: a file cannot be read.
    """
    folder, declared = workspace.parameters, workspace.load()
    if not to and (folder / "indicators.yml").is_file():
        raise PmfError(Problem.of("two-registers", file="parameters/indicators.yml"))
    council, read = declared.framework.council, [(path, read_file(path)) for path in paths]
    chosen = [mapping_for(path, raw, folder / "mappings") for path, raw in read]
    drafts = [draft_register(raw, of) for (_, raw), of in zip(read, chosen, strict=True)]
    themes = {slug_of(theme.title): theme.id for theme in declared.framework.themes}
    named = dict.fromkeys(theme for draft in drafts for theme in draft.themes)
    place, about = folder / "framework.yml", (council.name, council.area_code)
    if named and place.read_text(encoding="utf-8") == framework_text(*about):
        if not all(row.get("themes") for draft in drafts for row in draft.rows):
            named[RULES["other_theme"]] = None
        place.write_text(framework_text(*about, named), encoding="utf-8")
        themes = {slug_of(title): slug_of(title) for title in named}
    place = to or folder / "register.xlsx"
    book = read_document(place, place.name, declared.problems) if place.is_file() else None
    declared.problems.raise_if_errors()  # of a workbook that could not be read nothing is lost
    old = [*book.get("indicators", ())] if book else []
    directors = [director.id for director in declared.framework.directors]
    added = _added(old, [row for draft in drafts for row in draft.rows], themes, directors[0])
    place.write_bytes(write_register([*old, *added], {"director": directors}))
    newest = max((draft.newest for draft in drafts if draft.newest), default=None)
    run = _run_of(workspace, newest, today) if newest else ""
    guesses = Counter(setting for row in added for setting in row["guessed"])
    told = ", ".join(f"{setting} of {n}" for setting, n in guesses.most_common())
    lines = [f"{len(added)} indicators added to {place.name}, {len(old)} kept as they were."]
    lines += [f"Guessed: {told}. Look at the yellow cells."] if told else []
    for (_, raw), mapping in zip(read, chosen, strict=True):
        lines += _unread(raw, mapping)
    pairs = zip(paths, chosen, strict=True)
    lines += [f'Next: pmf import "{path}" --as {mapping.name}' for path, mapping in pairs]
    return added, [*lines, f"Then: pmf run {run}".strip()]


def _run_of(workspace: Workspace, newest: Period, today: date) -> str:
    """Return the name of a run file for a period; one is written where there is none."""
    council, runs = workspace.load().framework.council.id, workspace.parameters / "runs"
    names = sorted(path.stem for path in runs.glob("*.yml"))
    for name in names:
        with suppress(PmfError):  # a run file with faults is told of when it is run
            if parse_period(workspace.load_run(name).period, year_type="financial") == newest:
                return name
    name = f"report_{slug_of(newest.label).removeprefix('n_')}" if names else "first_report"
    runs.mkdir(exist_ok=True)
    label = newest.plain_label if newest.label.isdigit() else newest.label
    text = run_text(council, label, today)
    (runs / f"{name}.yml").write_text(text, encoding="utf-8")
    return name


def _added(
    old: Sequence[Mapping[str, Any]], drafted: Sequence[dict[str, Any]], themes: Any, director: str
) -> list[dict[str, Any]]:
    """Return the drafted rows that are new, each with an id of its own and a known theme."""
    rows, taken = list[dict[str, Any]](), {str(row.get("id")).casefold() for row in old}
    known = taken | {alias.casefold() for row in old for alias in row.get("aliases", ())}
    for row in drafted:
        names = {name.casefold() for name in row.get("aliases", [row["id"]])}
        if names & known:
            continue
        tries = chain([row["id"]], (f"{row['id']}_{n}" for n in count(2)))
        id = next(each for each in tries if each.casefold() not in taken)
        theme, guessed = themes.get(slug_of(row.get("themes", ""))), row["guessed"]
        guessed |= {} if theme or len(themes) < 2 else {"themes": RULES["reasons"]["themes"]}
        found = theme or themes.get(slug_of(RULES["other_theme"]), next(iter(themes.values())))
        rows.append({**row, "id": id, "themes": [found], "director": director})
        taken, known = taken | {id.casefold()}, known | names
    return rows


def mapping_for(path: Path, raw: RawFile, folder: Path) -> MappingFile:
    """Return the mapping that a file's name fits, else one that reads it, else one proposed."""
    known = load_mappings(folder)
    of_figures = {name: each for name, each in known.items() if each.table == "observations"}
    with suppress(PmfError):
        return choose_mapping(raw.name, of_figures)
    for mapping in (each for each in of_figures.values() if not each.by_name_only):
        result = ImportResult(raw.name, raw.sha256, mapping.name, Problems())
        cut = tabular.cut_into_records(raw.sheets, mapping, frozenset(), result)
        if any(map(_has_periods, cut)) and not result.problems.has_errors:
            return mapping
    name, _ = propose(str(path), folder, write=True)
    mapping = load_mappings(folder)[name]
    if "value" not in mapping.columns and not (mapping.unpivot or mapping.indicators):
        facts = {"file": raw.name, "name": name, "names": ", ".join(mapping.ignore)}
        raise PmfError(Problem.of("mapping-without-value", **facts), EXIT_DATA_UNUSABLE)
    return mapping


def _has_periods(records: Records) -> bool:
    """Whether most of some records say in which period they are."""
    told = records.raw.reindex(columns=["period_label", "period_start"], fill_value="")
    return bool((told.astype("str") != "").any(axis=1).mean() > 0.5)
