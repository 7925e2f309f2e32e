"""Westshire's recipes, typed: what ``westshire.yml`` declares of the council and its indicators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from pmf_analysis.periods import PERIODS_PER_YEAR, YearType

Levels = tuple[float, float]
Role = Literal["own", "part", "peer", "region", "nation"]


@dataclass(frozen=True, slots=True)
class Place:
    """An area that values are drawn for; a part of Westshire has a dimension, cases and a level.

    ``hardship`` is deprivation in standard deviations between councils; ``since`` the first day
    of a council that a reorganisation made.
    """

    code: str
    name: str
    residents: float
    role: Role
    hardship: float = 0.0
    since: date = date.min
    dimension: str = ""
    member: str = ""
    cases: float = 0.0
    level: float = 0.0


class Pentana(NamedTuple):
    """How an indicator is kept in the Pentana workbook: sub-table, code, name and gauge."""

    objective: str
    code: str
    name: str
    gauge: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one indicator is drawn; the head of ``westshire.yml`` says what each word means."""

    indicator: str
    frequency: str
    starts: date
    makes: Literal["share", "rate", "count", "mean", "plain"]
    westshire: Levels
    peers: Levels | None = None
    year_type: YearType = "financial"
    accumulation: Literal["discrete", "ytd", "rolling", "snapshot"] = "discrete"
    span: str = ""
    base: float = 1.0
    of: str = ""
    cases: float = 0.0
    sample: float = 0.0
    scale: Literal["log", "identity"] = "log"
    decimals: int = 1
    sums: bool = False
    profile: tuple[float, ...] = ()
    step: date | None = None
    turn: date | None = None
    spread: float = 0.2
    hardship: float = 0.3
    wander: float = 0.03
    extra: float = 0.03
    season: Mapping[str, float] = field(default_factory=dict)
    shocks: Mapping[str, float] = field(default_factory=dict)
    cv: float = 1.0
    error: float = 0.0
    lag: int = 20
    peer_lag: int | None = None
    provisional: float = 1.0
    first_published: Mapping[date, float] = field(default_factory=dict)
    late: tuple[date, ...] = ()
    not_collected: tuple[date, ...] = ()
    no_return: Mapping[str, int] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    suppress_below: int = 0
    counts: bool = True
    new_definition: date | None = None
    jump: float = 0.0
    breakdowns: Mapping[str, Mapping[str, Levels]] = field(default_factory=dict)
    pentana: Pentana | None = None
    targets: tuple[Mapping[str, Any], ...] = ()

    @property
    def has_counts(self) -> bool:
        """Whether numerator and denominator are published; weighted survey counts are not."""
        return self.counts and not self.sample and self.makes not in ("count", "plain")

    @property
    def per(self) -> float:
        """What one above the line and one below make: 100 for a percentage."""
        return {"share": 100.0, "rate": self.base}.get(self.makes, 1.0)

    @property
    def window(self) -> int:
        """How many base periods a value pools: years of the span times periods in a year."""
        years = int(self.span[:-1]) if self.span else 0
        return max(int(years * PERIODS_PER_YEAR[self.frequency]), 1)

    def days_late(self, place: Place) -> int:
        """Days from the end of a period until the value of an area is published."""
        is_own = place.role in ("own", "part")
        return self.lag if is_own or self.peer_lag is None else self.peer_lag


@dataclass(frozen=True, slots=True)
class World:
    """The fictional council, its neighbours, their populations, and what happened to them."""

    own: Place
    peers: tuple[Place, ...]
    totals: tuple[Place, ...]
    peer_sets: Mapping[str, list[str]]
    populations: Mapping[str, float]
    shocks: Mapping[str, Mapping[str, float]]
    westshire_only: list[str]
    seasons: Mapping[str, list[float]]
    recipes: Mapping[str, Recipe]
    tables: Mapping[str, list[dict[str, Any]]]

    def places(self, recipe: Recipe) -> list[Place]:
        """Return the areas that a recipe is drawn for: Westshire, its parts, and the others."""
        own = self.own
        parts = [
            Place(own.code, own.name, own.residents, "part", 0, date.min, dimension, member, *size)
            for dimension, members in recipe.breakdowns.items()
            for member, size in members.items()
        ]
        return [own, *parts, *((*self.peers, *self.totals) if recipe.peers else ())]


@lru_cache(maxsize=1)
def load_world() -> World:
    """Read ``westshire.yml``, which ships with the package; an unknown word raises TypeError."""
    from ruamel.yaml import YAML

    text = (files("pmf_analysis.data") / "westshire.yml").read_text(encoding="utf-8")
    told = YAML(typ="safe", pure=True).load(text)
    return World(
        own=_place("own", *told.pop("council")),
        peers=tuple(_place("peer", *facts) for facts in told.pop("peers")),
        totals=(_place("region", *told.pop("region")), _place("nation", *told.pop("nation"))),
        recipes={name: _recipe(name, words) for name, words in told.pop("recipes").items()},
        **told,
    )


def _place(role: Role, code: str, name: str, thousands: float, *facts: Any) -> Place:
    return Place(code, name, thousands * 1000, role, *facts)


def _recipe(name: str, told: Mapping[str, Any]) -> Recipe:
    """Build a recipe; ``from`` is a word of Python, and lists become tuples."""
    words = {
        "starts" if word == "from" else word: tuple(value) if isinstance(value, list) else value
        for word, value in told.items()
    }
    if "pentana" in words:
        words["pentana"] = Pentana(*words["pentana"])
    return Recipe(indicator=name, **words)
