"""With whom a council is compared: sets that are listed, imported, built, or everyone."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from pmf_analysis.parameters.settings import Code, SettingsFile, Slug, Text, Titled


class PeerSetSpec(Titled):
    """Councils compared with, in one of three ways, or imported and only described here.

    ``members`` lists them in order of likeness; ``characteristics`` are indicators by which the
    ``size`` likest councils are found, ``among`` those of another set; ``everyone`` is every
    council with figures.
    """

    source: Text
    as_at: date
    members: dict[Code, Text] = Field(default_factory=dict, min_length=1)
    characteristics: Annotated[tuple[Code, ...], Field(min_length=1)] = ()
    size: Annotated[int, Field(ge=5)] = 15
    among: Slug | Literal[""] = ""
    everyone: bool = False

    def _contradictions(self) -> dict[str, object]:
        ways = bool(self.members) + bool(self.characteristics) + self.everyone
        not_built = {"size", "among"} & self.model_fields_set and not self.characteristics
        return {"several_ways": ways > 1, "size_of_no_built_set": not_built}

    @property
    def is_described(self) -> bool:
        """Whether its members are not known from here, so that they must come with the data."""
        return not (self.members or self.characteristics or self.everyone)


class PeerSetFile(SettingsFile):
    """``parameters/peer_sets.yml``."""

    peer_sets: tuple[PeerSetSpec, ...]
