"""What an indicator is, guessed from its title, its figures and a catalogue of common ones.

Each guess has its reason. The rules are in ``drafting.yml``, the catalogue in ``catalogue.yml``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import pandas as pd

from pmf_analysis.parameters.models import NO_UNIT
from pmf_analysis.parameters.starting import slug_of
from pmf_analysis.periods import Period
from pmf_analysis.shipped import read_shipped

RULES = read_shipped("systems/drafting.yml")
_ID = re.compile(r"[A-Za-z0-9][\w./-]{0,39}")
# Of a running total the first figure of a year is this much below the last of the year before.
_FALL = 0.7


@cache
def catalogue() -> tuple[dict[str, Any], ...]:
    """Return the entries of the catalogue of common indicators."""
    return tuple(read_shipped("systems/catalogue.yml")["entries"])


def usual_for(title: str) -> dict[str, Any]:
    """Return the first entry of the catalogue that a title fits; an empty one where none does."""

    def has(pattern: str) -> bool:
        return bool(re.search(pattern, title, re.IGNORECASE))

    fits = (e for e in catalogue() if all(map(has, e["words"])) and not has(e.get("without", "$^")))
    return next(fits, {})


def _shape(figures: pd.Series[float]) -> dict[str, str]:
    """Months from one figure to the next, and whether they add up or overlap, as rules ask it."""
    periods: list[Period] = [*figures.index]
    months = [p.start.year * 12 + p.start.month for p in periods]
    gaps = [b - a for a, b in pairwise(months) if b > a] or [p.months for p in periods[:1]]
    turns = pd.Series([(month - 4) // 12 for month in months], figures.index).diff().fillna(0) > 0
    within = figures.diff()[~turns].dropna()
    falls = (figures < _FALL * figures.shift())[turns]
    shape = "falls" if (within < 0).sum() > 1 else ""
    if len(falls) and falls.all() and len(within) > 2 and (within >= 0).all():
        shape = "ytd" if len(falls) > 1 else "rises"
    elif periods and min(p.months for p in periods) > min(gaps):
        shape = "rolling"
    return {"gap": str(min(gaps, default="")), "shape": shape}


def _guess(setting: str, facts: Mapping[str, str], usual: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a setting is by the first rule that fits, and why; no reason is no guess."""
    for where, pattern, value, why in RULES["rules"][setting]:
        if found := re.search(pattern, facts.get(where, ""), re.IGNORECASE):
            return value, why.format(found=found[0].strip(), **facts)
    if setting in usual:
        return usual[setting], RULES["reasons"]["catalogue"].format(**usual)
    value, why = RULES["otherwise"][setting]
    return value, why


def _agreeing(
    usual: dict[str, Any], facts: Mapping[str, str], figures: pd.Series[float]
) -> dict[str, Any]:
    """Return what is usual without what the title and the figures do not bear out."""
    added_up, kind = usual.get("accumulation"), usual.get("data_type", "")
    if added_up == "rolling" or (added_up == "ytd" and facts["shape"] not in ("ytd", "rises")):
        usual = {key: each for key, each in usual.items() if key != "accumulation"}
        usual["unlike"] = RULES["unlike"][added_up]
    is_rate = re.search(r"\b(rate|per)\b", facts["title"], re.IGNORECASE)
    if (kind == "rate" and not is_rate) or (kind.endswith("percentage") and figures.max() > 100):
        return {key: each for key, each in usual.items() if key not in ("data_type", "unit")}
    return usual


def _unit(kind: str, said: str, usual: Mapping[str, Any]) -> tuple[str, int | None, str]:
    """Return the unit, how many a rate is per, and the name of the reason."""
    for pattern, unit in RULES["scales"]:
        if re.search(pattern, said, re.IGNORECASE):
            return unit, None, "scale"
    if per := re.search(r"per ([\d,]{2,})(k\b)?[\w ]*", said):
        base = int(per[1].replace(",", "")) * (1000 if per[2] else 1)
        return per[0].strip(), base if kind == "rate" else None, "said"
    if "unit" in usual and usual.get("data_type") == kind:
        return usual["unit"], None, "catalogue"
    return RULES["units"][kind], None, "unit"


def guessed_row(name: str, facts: dict[str, str], figures: pd.Series[float]) -> dict[str, Any]:
    """Return the settings of one indicator, with its guesses; ``themes`` is as the file names it.

    Parameters
    ----------
    name
        What the file calls it.
    facts
        What columns say of it, by setting, its title among them; ``shown`` are signs of figures.
    figures
        Its values by period.
    """
    usual, reasons = usual_for(facts["title"]), RULES["reasons"]
    facts = facts | _shape(figures)
    usual = _agreeing(usual, facts, figures)
    guesses = {setting: _guess(setting, facts, usual) for setting in RULES["otherwise"]}
    if "unlike" in usual and guesses["accumulation"] == (*RULES["otherwise"]["accumulation"],):
        guesses["accumulation"] = ("discrete", reasons["unlike"].format(**usual))
    if guesses["data_type"][0] == "percentage" and figures.max() > 100:
        guesses["data_type"] = ("ratio", reasons["above"])
    kind, is_rolling = guesses["data_type"][0], guesses["accumulation"][0] == "rolling"
    named = facts.get("unit", "") if kind != "percentage" else "%"
    unit, base, why = _unit(kind, f"{named} {facts['title']}", usual)
    if why == "scale" or NO_UNIT.fullmatch(named):
        named = ""
    written = [f"{Decimal(f'{each:.15g}'):f}" for each in figures]
    places = max((len(each.partition(".")[2]) for each in written), default=1)
    if places > 2:  # two figures that tell small values apart, one place of any others
        size = figures[figures != 0].abs().median()
        places = min(6, max(1, 1 - math.floor(math.log10(size))))
    newest: list[Period] = [*figures.index[-1:]]
    years = [each.year_type for each in newest if each.months == 12] or ["financial"]
    span = figures.index[-1].months if facts["shape"] == "rolling" else 12
    further: dict[str, tuple[Any, str]] = {
        "unit": (unit, why),
        "rate_base": (base, why),
        "decimals": (places, "decimals"),
        "year_type": (years[0] if years[0] != "financial" else None, "year_type"),
        "period_span": (f"{span}m" if is_rolling else None, "period_span"),
        "framework_refs": (usual.get("refs"), "catalogue"),
        "sdl_ref": (usual.get("sdl_ref"), "catalogue"),
    }
    said = {key: facts[key] for key in RULES["columns"] if key in facts} | {"unit": named}
    row: dict[str, Any] = {"id": name if _ID.fullmatch(name) else slug_of(name)[:40], **said}
    row |= {setting: value for setting, (value, _) in guesses.items()}
    guessed = {setting: why for setting, (_, why) in guesses.items() if why}
    for setting, (value, reason) in further.items():
        if value is not None and not row.get(setting):
            row[setting] = value
            guessed[setting] = reasons[reason].format(**usual | {"data_type": kind})
    if figures.min() < 0:
        row["allow_negative"] = True
    aliases = {"aliases": [name]} if name != row["id"] else {}
    return {**row, **aliases, "guessed": guessed, "quality_note": usual.get("trap", "")}
