"""LG Inform Plus: metrics for areas, as the records of its ``data.table``.

A file that somebody saved from the same service is read through the same mapping.
"""

from datetime import date

from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.systems.folder import RawFile
from pmf_analysis.systems.sources import LgInformSource
from pmf_analysis.systems.web import Service


def read(source: LgInformSource, workspace: Workspace, as_at: date) -> list[RawFile]:
    """Return a file for each metric that a mapping names.

    Raises
    ------
    PmfError
        Exit 2: no key in the environment; exit 3: no usable answer, now or kept.
    """
    service = Service("lginform", workspace, as_at)
    asked = {"area": ",".join(source.areas), "period": source.periods}
    ids = source.metrics
    return [service.fetch("data", f"lginform_{one}", metricType=one, **asked) for one in ids]
