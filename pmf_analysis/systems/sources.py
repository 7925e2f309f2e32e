"""Where a mapping's figures come from when no file is given: a database, a web service, a folder.

A mapping file names its source; ``pmf import --as MAPPING`` reads it. Passwords and keys are never
in a mapping: it names the environment variable that holds them.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pmf_analysis.parameters.settings import Settings, Text
from pmf_analysis.problems import PmfError, Problem

if TYPE_CHECKING:
    from datetime import date

    from pmf_analysis.parameters.workspace import Workspace
    from pmf_analysis.systems.folder import RawFile
    from pmf_analysis.systems.mapping import MappingFile

Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Numbers = Annotated[tuple[int, ...], Field(min_length=1)]


class SqlSource(Settings):
    """A query of a database; `connection` is the variable that holds its SQLAlchemy address."""

    kind: Literal["sql"]
    query: Text
    connection: Variable = "PMF_DATABASE"


class LgInformSource(Settings):
    """Metrics of LG Inform Plus for areas, groups of areas or their children."""

    kind: Literal["lginform"]
    metrics: Numbers
    areas: Annotated[tuple[Text, ...], Field(min_length=1)]
    periods: Text = "latest:8"


class FingertipsSource(Settings):
    """Indicators of OHID Fingertips, for all areas of a type."""

    kind: Literal["fingertips"]
    indicators: Numbers
    area_type: int
    parent_area_type: int = 15
    profile: int | None = None


class FolderSource(Settings):
    """A folder, such as a synced library of SharePoint or Teams, or an address in the data lake."""

    kind: Literal["folder"]
    path: Text


Source = Annotated[
    SqlSource | LgInformSource | FingertipsSource | FolderSource, Field(discriminator="kind")
]

# What has to be installed for a kind, where it is not in the core.
_EXTRAS = {"sql": "sql", "lginform": "http", "fingertips": "http", "folder": "lake"}


def read_source(workspace: Workspace, mapping: MappingFile, as_at: date) -> list[RawFile]:
    """Return what a mapping's source holds, as files.

    Each kind has a module of its name, whose ``read(source, workspace, as_at)`` does it.

    Raises
    ------
    PmfError
        Exit 2: the mapping names no source, or what reads it is not installed; exit 3: it cannot
        be reached or read.
    """
    if mapping.source is None:
        raise PmfError(Problem.of("mapping-without-source", name=mapping.name))
    kind = mapping.source.kind
    try:
        reader = import_module(f"pmf_analysis.systems.{kind}")
    except ModuleNotFoundError as error:
        if str(error.name).startswith("pmf_analysis"):
            raise
        raise PmfError(Problem.of("source-not-installed", kind=kind, extra=_EXTRAS[kind])) from None
    files: list[RawFile] = reader.read(mapping.source, workspace, as_at)
    # Rows of a database have no file of their own, and several mappings may read the same one.
    named = [f"{mapping.name} {file.name}" if kind == "sql" else file.name for file in files]
    return [replace(file, name=name) for file, name in zip(files, named, strict=True)]
