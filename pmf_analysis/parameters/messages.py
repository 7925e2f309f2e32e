"""Faults of a parameter file in sentences that a council officer can act on."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pmf_analysis import problems, shipped

Place = tuple[str | int, ...]


@cache
def wording(group: str) -> dict[str, str]:
    """Return a group of the sentences in ``wording.yml``."""
    return dict(shipped.read_shipped("parameters/wording.yml")[group])


def said_of(group: str, text: str) -> str:
    """Return the first sentence of a group whose mark stands in a text, blank when none does."""
    return next((said for mark, said in wording(group).items() if mark in text), "")


def sentences(
    error: ValidationError, model: type[BaseModel], values: Any
) -> Iterator[tuple[Place, str]]:
    """Yield the place of each fault in a document and the sentence that says what is wrong."""
    for details in error.errors(include_url=False):
        if details["type"] == "too_short" and details["input"]:
            continue  # its entries are faulty, which is told for each of them
        place = _place_in(values, details["loc"])
        owner = owner_of(values, place)
        sentence = _sentence(details, place, model)
        yield place, f'In "{owner}": {sentence}' if owner else sentence[:1].upper() + sentence[1:]


def _sentence(details: ErrorDetails, place: Place, model: type[BaseModel]) -> str:
    kind, given, facts = details["type"], details["input"], details.get("ctx", {})
    # The name of the setting at fault is the last name, not the number of an entry.
    name = next((f'"{part}"' for part in reversed(place) if isinstance(part, str)), "This file")
    fields = _group_around(model, place).model_fields
    if kind == "value_error":
        return f"{facts['error']}."
    if kind == "extra_forbidden":
        known = [field.alias or name for name, field in fields.items()]
        hint = problems.did_you_mean(str(place[-1]), known) or _can_be(known)
        return f"{name} is not a setting here.{hint}"
    if kind == "literal_error":
        expected = str(facts["expected"]).replace(" or ", ", ")
        choices = [choice.strip("'") for choice in expected.split(", ")]
        if name == '"format"':
            return f"Format {given} is not known to this version of pmf, which reads {expected}."
        hint = problems.did_you_mean(str(given), choices)
        return f'{name} is "{given}", which is not known.{hint}{_can_be(choices)}'
    if given is None:
        return f"{name} has no value. Write one, or remove the line."
    if kind == "string_type" and isinstance(given, dict | tuple):
        return f"{name} must be text, not a group or list."
    if kind == "string_pattern_mismatch":
        return f'{name} is "{given}", but it must {said_of("names", str(facts["pattern"]))}.'
    said = wording("settings").get(kind)
    if said:
        field = fields.get(str(place[-1])) if kind == "missing" else None
        annotation = field.annotation if field else None
        choices = [*map(str, get_args(annotation))] if get_origin(annotation) is Literal else []
        return f"{name} {said.format(**facts, given=given)}.{_can_be(choices)}"
    return f"{name}: {details['msg']}."


def _place_in(values: Any, loc: Place) -> Place:
    """Keep the parts of a place that stand in the document, and a last one that is missing."""
    place: Place = ()
    for n, part in enumerate(loc):
        entries = dict(entries_of(values))
        if part in entries or (n == len(loc) - 1 and isinstance(values, dict)):
            place, values = (*place, part), entries.get(part)
    return place


def entries_of(values: Any) -> list[tuple[str | int, Any]]:
    """Return the entries of a raw group or list by their name or number; of a value, none."""
    if isinstance(values, dict):
        return list(values.items())
    return list(enumerate(values)) if isinstance(values, tuple) else []


def owner_of(values: Any, place: Place) -> str:
    """Return the id of the nearest entry around a place, such as the indicator's."""
    owner = ""
    for part in place:
        values = dict(entries_of(values)).get(part)
        name = values.get("id") if isinstance(values, dict) else None
        owner = name if isinstance(name, str) else owner
    return owner


def _group_around(model: type[BaseModel], place: Place) -> type[BaseModel]:
    """Return the model of the group around a place."""
    for part in place[:-1]:
        model = _model_in(getattr(model.model_fields.get(str(part)), "annotation", None)) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the model in an annotation such as ``tuple[Theme, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _can_be(choices: Sequence[str]) -> str:
    """Say what a setting can be, blank where it is free."""
    listed = " or ".join(filter(None, (", ".join(choices[:-1]), *choices[-1:])))
    return listed and f" It can be {listed}."
