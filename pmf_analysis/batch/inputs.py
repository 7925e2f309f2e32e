"""What goes into a run: fingerprints of everything that decides what its reports say."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pmf_analysis.batch.manifest import describe_file
from pmf_analysis.batch.notebooks import fingerprint
from pmf_analysis.batch.plan import Plan


def content_of(plan: Plan) -> dict[str, Any]:
    """Return the fingerprints of everything that decides what the reports of a plan say."""
    from pmf_analysis.data.store import Store

    store, as_at = Store(plan.workspace.store), plan.spec.as_at
    root, run_file = plan.workspace.root, plan.run_file
    notebooks = {job.analysis: fingerprint(job.notebook) for job in plan.jobs}
    return {
        "parameters": dict(plan.parameters.files)
        | {run_file: describe_file(root / run_file)["sha256"]},
        "notebooks": notebooks,
        "package": package_digest(),
        "data": store.digest(as_at).overall,
        "vintages": [v.id for v in store.vintages() if v.as_at <= as_at],
        "jobs": [job.id for job in plan.jobs],
    }


def package_digest() -> str:
    """Return a digest of the package's own files, so that a changed rule changes the hash."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(package).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def rows_of_data(plan: Plan) -> dict[str, int]:
    """Return what became of the rows of all files imported by the as-at date.

    Rows read are always accepted, quarantined and ignored ones together.
    """
    from pmf_analysis.data.store import Store

    vintages = Store(plan.workspace.store).vintages()
    files = [file for v in vintages if v.as_at <= plan.spec.as_at for file in v.files]
    return {
        "read": sum(file.rows_read for file in files),
        "accepted": sum(file.rows_accepted for file in files),
        "quarantined": sum(file.rows_quarantined for file in files),
        "ignored": sum(file.rows_ignored for file in files),
    }
