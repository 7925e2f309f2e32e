"""The raw zone: what was fetched or dropped, byte for byte, by source and day.

``raw/<source>/<yyyy>/<mm>/<dd>/<name>`` under the store's root holds the bytes, and
``<name>.json`` beside it their SHA-256 and the day. That record is written last and is what makes
a copy exist, so a crash leaves nothing that is read. Nothing is ever written over: other bytes of
the same name and day stand beside the first ones, and the record names the newest.
"""

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

from pmf_analysis.places import opened, write_whole
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem


class RawZone:
    """Copies under one root: a folder, or any fsspec address such as ``az://container/store``."""

    def __init__(self, root: Path | str) -> None:
        self._files, base = opened(root)
        self._folder = f"{base}/raw"

    def keep(self, source: str, name: str, content: bytes, day: date) -> str:
        """Keep bytes as they came on a day, and return where, from ``raw/`` on.

        The same bytes again change nothing. Characters that no file name has become ``_``.
        """
        source, name = _plain(source), _plain(name)
        folder = f"{source}/{day:%Y/%m/%d}"
        sha256 = hashlib.sha256(content).hexdigest()
        before = self._record(f"{self._folder}/{folder}/{name}.json")
        if before.get("sha256") == sha256:
            return f"raw/{folder}/{before['file']}"
        file = f"{sha256[:8]}_{name}" if before else name
        write_whole(self._files, f"{self._folder}/{folder}/{file}", content)
        record = {"file": file, "sha256": sha256, "fetched": day.isoformat(), "bytes": len(content)}
        told = json.dumps(record, indent=1).encode()
        write_whole(self._files, f"{self._folder}/{folder}/{name}.json", told)
        return f"raw/{folder}/{file}"

    def newest(self, source: str, name: str, until: date) -> tuple[bytes, date] | None:
        """Return the newest copy of a name until a day, and its day; None where there is none.

        Raises
        ------
        PmfError
            Exit 3: the copy is damaged, or was changed.
        """
        found = self._files.glob(f"{self._folder}/{_plain(source)}/*/*/*/{_plain(name)}.json")
        days = {date(*map(int, path.split("/")[-4:-1])): path for path in found}
        known = [day for day in days if day <= until]
        if not known:
            return None
        record = self._record(path := days[max(known)])
        content = bytes(self._files.cat_file(f"{path.rpartition('/')[0]}/{record['file']}"))
        if hashlib.sha256(content).hexdigest() != record["sha256"]:
            facts = {"file": f"raw/{path.rpartition('/raw/')[2].removesuffix('.json')}"}
            raise PmfError(Problem.of("raw-copy-damaged", **facts), EXIT_DATA_UNUSABLE)
        return content, max(known)

    def _record(self, path: str) -> dict[str, Any]:
        return dict(json.loads(self._files.cat_file(path))) if self._files.exists(path) else {}


def _plain(name: str) -> str:
    """Return a name that is one part of a path, of characters that every system has."""
    return re.sub(r"[^\w.=-]", "_", name).strip(".")[-120:] or "_"
