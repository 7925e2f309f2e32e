"""The index of a council: every period with its runs, outside the folders of runs.

Made from manifests alone, so it tells the truth of what is there, whoever copied or deleted a run.
"""

from pathlib import Path
from typing import Any

from pmf_analysis.batch import manifest, pages
from pmf_analysis.story.bank import inflected


def write_council_index(folder: Path) -> None:
    """Write the ``index.html`` of a council's folder in the outputs; without a run there is none.

    A run of another version of pmf is passed over.
    """
    from pmf_analysis.documents.html import render_council

    by_period: dict[Path, list[manifest.RunRecord]] = {}
    for record in (records := manifest.readable_runs(folder, "*/*")):
        by_period.setdefault(record.folder.parent, []).insert(0, record)
    if records:
        about = records[-1].manifest["pages"]
        facts = pages.shared_facts(about) | {"period": "", "as_at": ""}
        ordered = sorted(by_period.values(), key=_starts, reverse=True)
        with pages.spoken_as(about):
            facts["periods"] = [*map(_period, ordered)]
            manifest.write_atomically(folder / "index.html", render_council(facts))


def _starts(runs: list[manifest.RunRecord]) -> str:
    """Return by what the period of runs is put in order; of earlier versions its folder's name."""
    return str(runs[0].manifest["pages"].get("starts", runs[0].folder.parent.name))


def _period(runs: list[manifest.RunRecord]) -> dict[str, Any]:
    name, about = f"period-{runs[0].folder.parent.name}", runs[0].manifest["pages"]
    return {"id": name, "period": inflected("labels", about["period"]), "runs": runs}
