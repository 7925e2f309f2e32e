"""OHID Fingertips: indicators for all areas of a type, and what it says of their polarity.

A file that somebody saved from the same service is read through the same mapping; its metadata
are read by ``pmf register framework``.
"""

from datetime import date

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.folder import RawFile
from pmf_analysis.systems.frameworks import metrics_of_table, note_polarities
from pmf_analysis.systems.sources import FingertipsSource
from pmf_analysis.systems.web import Service


def read(source: FingertipsSource, workspace: Workspace, as_at: date) -> list[RawFile]:
    """Return a file for each indicator that a mapping names.

    Polarity is only in the metadata and can differ between profiles: where that of the mapping's
    profile contradicts the register, the first file says so.

    Raises
    ------
    PmfError
        Exit 3: no usable answer, now or kept.
    """
    service, ids = Service("fingertips", workspace, as_at), source.indicators
    of_profile: dict[str, object] = {} if source.profile is None else {"profile_id": source.profile}
    areas: dict[str, object] = {"child_area_type_id": source.area_type}
    areas |= {"parent_area_type_id": source.parent_area_type, **of_profile}
    files = [service.fetch("data", f"fingertips_{one}", indicator_ids=one, **areas) for one in ids]
    about = of_profile or {"indicator_ids": ",".join(map(str, ids))}
    ask = "metadata_of_profile" if of_profile else "metadata"
    _, metrics = metrics_of_table(service.fetch(ask, "fingertips_metadata", **about))
    note_polarities(metrics.values(), workspace.load().register, files[0].problems)
    return files
