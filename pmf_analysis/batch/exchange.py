"""What other systems take from a run as a whole: Power BI, Pentana, and tables for anybody.

A copy stands in the run, under ``exchange``, and is put on its record. A folder that another
program looks into every quarter gets the same files, each replaced in one step.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pmf_analysis.batch import manifest
from pmf_analysis.problems import PmfError, Problem

if TYPE_CHECKING:
    import pandas as pd

    from pmf_analysis.assess import Measures
    from pmf_analysis.measures.frames import KnownCouncil
    from pmf_analysis.parameters.workspace import Parameters, Workspace

FOLDER, RECORD, PACKAGE = "exchange", "pmf-export.json", "datapackage.json"
PROJECT = "performance."
"""How the files of a Power BI project begin, in which people work; they hold no figures."""
Files = dict[str, bytes]


@dataclass(frozen=True)
class Known:
    """A run, what is declared, what was known on its day, and what it made of that.

    ``tables`` are those of the contract as they were imported; ``council`` has the observations as
    the reports use them: small numbers hidden, cumulative values split, corrections made.
    """

    run: manifest.RunRecord
    parameters: Parameters
    council: KnownCouncil
    tables: Mapping[str, pd.DataFrame]
    results: Measures

    @classmethod
    def of(cls, workspace: Workspace, run: manifest.RunRecord) -> Self:
        """Read what is known of a finished run."""
        from pmf_analysis.assess import council_at, read_measures
        from pmf_analysis.parameters.models import RunSpec

        spec = RunSpec.model_validate_json(json.dumps(run.manifest["parameters"]))
        parameters, tables, council = council_at(workspace, spec)
        return cls(run, parameters, council, tables, read_measures(run.folder / "measures"))


def export(known: Known, names: Iterable[str], folder: Path | None = None) -> list[str]:
    """Write run-level copies, put them on record, and say what was written.

    Parameters
    ----------
    known
        A finished run.
    names
        Some of ``MAKERS``.
    folder
        Where another program looks every quarter: new, empty, or one that this function made. Of
        a Power BI project that is already there only the figures are replaced, for the report
        may be somebody's work by now.

    Raises
    ------
    PmfError
        When a folder holds other files, or a Power BI model would not be sound; nothing has been
        written then.
    """
    lines = []
    for name in names:
        made = MAKERS[name](known, "")
        if folder:
            _check_folder(folder)
            own = MAKERS[name](known, str(folder.resolve()))
        place = known.run.folder / FOLDER / name
        fresh = place.with_name(f".{name}{manifest.PARTIAL}")
        shutil.rmtree(fresh, ignore_errors=True)
        for file, content in made.items():
            manifest.write_atomically(fresh / file, content)
        shutil.rmtree(place, ignore_errors=True)
        fresh.rename(place)
        if folder:
            _replace(folder, own)
        also = f" and in {folder}" if folder else ""
        lines.append(f"{name}: {len(made)} files in {FOLDER}/{name} of the run{also}")
    known.run.save_with_shared_files()
    return lines


def _check_folder(folder: Path) -> None:
    others = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if others and RECORD not in others:
        facts = {"folder": folder.name, "names": ", ".join(others[:5])}
        raise PmfError(Problem.of("exchange-taken", **facts))


def _replace(folder: Path, files: Files) -> None:
    """Put files into a folder, each in one step, and take away those of the last time."""
    record = folder / RECORD
    before = json.loads(record.read_text("utf-8")) if record.is_file() else []
    for name in {*before} - {*files}:
        if (folder / name).resolve().is_relative_to(folder.resolve()):
            (folder / name).unlink(missing_ok=True)
    for name, content in files.items():
        if not (name.startswith(PROJECT) and (folder / name).exists()):
            manifest.write_atomically(folder / name, content)
    manifest.write_atomically(record, json.dumps(sorted(files), indent=1) + "\n")


def _power_bi(known: Known, place: str) -> Files:
    import pandas as pd

    from pmf_analysis.story.bank import words_of
    from pmf_analysis.story.style import COLOURS
    from pmf_analysis.systems import powerbi

    framework, register = known.parameters.framework, known.parameters.register
    titles = {it.id: it.title for it in framework.themes}
    themes = [(it.id, titles[id]) for id in titles for it in register.for_theme(id)]
    frames = {name: getattr(known.results, name) for name in powerbi.RESULTS}
    frames |= {
        "register": register.frame(),
        "panel": known.council.panel,
        "aims": known.tables["targets"],
    }
    frames["themes"] = pd.DataFrame(themes, columns=["indicator", "theme"])
    about = known.run.manifest["pages"]
    said = f"{about['council']}, {about['period']}. {about['notice']}"
    facts = {**COLOURS, "title": about["council"], "theme": about["council"], "about": said}
    tables = powerbi.star(frames, known.council.area, words_of("status"))
    at = str(Path(place, powerbi.DATA)) if place else ""
    return powerbi.files(tables, facts, known.council.as_at, at)


def _tables(known: Known, place: str) -> Files:
    from pmf_analysis.assess import TABLES as RESULTS
    from pmf_analysis.data import schema
    from pmf_analysis.data.contract import KEYS, ROW_MEANS, TABLES, conform

    files, resources = {}, []
    names = {"indicator": "indicator_id", "area": "area_code", "status": "value_status"}
    shown = conform(known.council.panel.rename(columns=names), "observations")
    stored = {**known.tables, "observations": shown}
    tables = {f"contract/{name}.csv": (stored[name], name) for name in TABLES}
    tables |= {f"results/{name}.csv": (getattr(known.results, name), "") for name in RESULTS}
    for path, (frame, name) in tables.items():
        columns = TABLES[name] if name else schema.columns_of(frame)
        files[path] = content = schema.typed_csv(frame, columns)
        title = f"A row is {ROW_MEANS[name]}" if name else Path(path).stem.replace("_", " ")
        resources.append(schema.resource(path, content, title, columns, KEYS.get(name, ())))
    register = known.parameters.register.indicators.values()
    sources = [f"{it.source} ({it.licence})" if it.licence else it.source for it in register]
    # These are the council's own; the licence of its brand is for what it publishes.
    about = _about(known.run) | {"licence": "", "licence_url": ""}
    return files | {PACKAGE: schema.data_package(about, sources, resources)}


def _pentana(known: Known, place: str) -> Files:
    """Return what Pentana imports: our own totals as they came in, and our targets."""
    from pmf_analysis.systems.pentana import write_back

    observations, targets = (known.tables[name] for name in ("observations", "targets"))
    is_own = observations["area_code"] == known.council.area
    observations = observations[is_own & (observations["dimension"] == "")]
    targets = targets[targets["area_code"].isin([known.council.area, ""])]
    register = known.parameters.register.frame()
    return {"pentana.xlsx": write_back(register, observations, targets)}


MAKERS: Mapping[str, Callable[[Known, str], Files]] = {
    "powerbi": _power_bi,
    "pentana": _pentana,
    "tables": _tables,
}


def describe_csvs(run: manifest.RunRecord, folder: Path) -> None:
    """Write a ``datapackage.json`` for the CSV files of a run, or of what is published of it."""
    from pmf_analysis.assess import read_measures
    from pmf_analysis.data import schema

    resources, themes = [], run.manifest["pages"]["themes"]
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.csv"))}
    for name, path in paths.items():
        if not name.startswith(f"{FOLDER}/"):
            content = path.read_bytes()
            columns = schema.header_columns(path.name, content.partition(b"\n")[0])
            title = schema.TITLES.get(path.name, path.name)
            resources.append(schema.resource(name, content, title, columns))
    ids = {id for each in themes if (folder / each["id"]).is_dir() for id in each["indicators"]}
    trends = read_measures(run.folder / "measures").trends
    sources = trends["source"][trends["indicator"].isin(ids)]
    package = schema.data_package(_about(run), sources, resources)
    manifest.write_atomically(folder / PACKAGE, package)


def _about(run: manifest.RunRecord) -> dict[str, str]:
    """Return what a data package says of itself; no time, so that the same gives the same bytes."""
    about, council = run.manifest["pages"], run.manifest["parameters"]["council"]
    brand = about.get("brand", {})  # absent in a run of an earlier version
    said = {part: brand.get(part, "") for part in ("licence", "licence_url")}
    said["name"] = f"{council}-{run.folder.parent.name}".lower().replace("_", "-")
    said["title"] = f"{about['council']}, {about['period']}"
    return said | {"description": f"As known on {about['as_at']}. {about['notice']}".strip()}
