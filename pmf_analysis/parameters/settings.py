"""What every model of a parameter file is made of: strict groups of settings, and kinds of text."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.types import StringConstraints

from pmf_analysis.parameters.messages import wording

# Names that become folders and addresses.
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
# Names that come from other systems; the bar separates the parts of a series key.
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][^|\n\t]*$", max_length=80)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(BaseModel):
    """A group of settings: types as written, nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def _contradictions(self) -> dict[str, object]:
        """Return by its name in ``wording.yml`` what settings cannot be together, and if they are.

        Of several that are so, the first is told.
        """
        return {}

    @model_validator(mode="after")
    def _without_contradiction(self) -> Self:
        for name, is_so in self._contradictions().items():
            if is_so:
                raise ValueError(wording("contradictions")[name].format_map(dict(self)))
        return self


class Titled(Settings):
    """What is known by an id and printed by a title."""

    id: Slug
    title: Text


class SettingsFile(Settings):
    """A whole file; its format is raised when older files would be misread."""

    format: Literal[1]
