"""What ships with the package: the notebooks and the example parameters."""

from __future__ import annotations

from pathlib import Path


def shipped(folder: str) -> Path:
    """Return the shipped ``notebooks`` or ``parameters`` folder.

    An installed wheel carries them inside the package; in a checkout they are the repository's
    own, so that there is one copy to edit.
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "shipped" / folder
    return inside if inside.is_dir() else package.parent / folder
