"""Where a council keeps its data and the copies of its runs: ``storage.yml``."""

from typing import Annotated, Literal

from pydantic import Field

from pmf_analysis.parameters.settings import SettingsFile

# Neither passwords nor signatures; those come from the environment.
Address = Annotated[str, Field(pattern=r"^[a-z]+://[^\s?#:;]+$", max_length=300)]


class StorageFile(SettingsFile):
    """``parameters/storage.yml``; without it all is in the workspace.

    ``store`` holds what was imported, ``runs`` gets a copy of every run that has finished, and
    ``notebooks`` are read from there in place of the workspace's own. ``tables`` adds to the store
    what is known now, as tables for other programs.
    """

    store: Address | None = None
    runs: Address | None = None
    notebooks: Address | None = None
    tables: Literal["parquet", "delta"] | None = None
