"""Westshire with text that tries to be something else in every field that takes free text.

The fields are found in the data contract and in the models of the parameter files, so that a new
one is hostile too; only those that name something else are left as they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pandas as pd
from pydantic import BaseModel
from ruamel.yaml import YAML

from pmf_analysis.data.contract import KEYS, TABLES
from pmf_analysis.data.store import Store
from pmf_analysis.parameters.models import Framework, IndicatorFile
from pmf_analysis.parameters.small_files import ChartFile, CorrectionFile, PeerSetFile
from tests.made_runs import REPOSITORY, copied_workspace, last_run, make_run

MARKUP = "<script>window.hurt=1</script><img src=x onerror=window.hurt=1>"
CODE = "{{ 7*7 }} {% raw %} {0} ${x}"
HOSTILE = f"=HYPERLINK(1) {MARKUP} {CODE} **b** [x](http://x.example) # \U0001f600 ŵŷâ"
TURNED = "\u202eright to left\u200f"  # the loader of parameters refuses these; data may hold them
LONG = "word" * 2_500

THEME, INDICATOR = "homes_and_communities", "homelessness_prevented"
FILES: dict[str, type[BaseModel]] = {
    "framework.yml": Framework,
    "indicators.yml": IndicatorFile,
    "peer_sets.yml": PeerSetFile,
    "charts.yml": ChartFile,
    "corrections.yml": CorrectionFile,
}
# Texts that name something else: an indicator's other names in files, a set, a period, a group.
NAMES = {
    *(("Indicator", "aliases"), ("Indicator", "framework_refs")),
    *(("Indicator", "reference_groups"), ("Indicator", "guessed")),
    *(("Correction", "period"), ("Correction", "area"), ("TargetStep", "peer_set")),
    ("PeerSetSpec", "id"),
}
DECIDED = {"indicator": INDICATOR, "recorded_on": date(2026, 10, 1)}


def hostile_council(workspace: Path, figures: Path) -> Path:
    """Make its run of one theme, with the figures of a store; return the run's folder."""
    copied_workspace(REPOSITORY / "parameters", workspace)
    yaml, folder = YAML(), workspace / "parameters"
    yaml.width = 10**6
    for name, model in FILES.items():
        given = yaml.load(folder / name)
        if name == "corrections.yml":
            texts = {"period": "2026-27 Q2", "reason": "", "provided_by": ""}
            given["corrections"] = [{**DECIDED, **texts, "action": "note"}]
        if name == "charts.yml":
            given["annotations"].append(
                {"indicator": INDICATOR, "on": date(2025, 11, 3), "text": ""}
            )
        yaml.dump(poisoned(model, given), folder / name)
    said = {"theme_page.all_reports": f"All reports {MARKUP}"}
    yaml.dump({"format": 1, "en": said}, folder / "wording.yml")
    run = folder / "runs" / "westshire_2026-27_q2.yml"
    chosen = {**yaml.load(run), "themes": [THEME], "peer_sets_by_theme": {}}
    yaml.dump(chosen, run)
    shutil.copytree(figures, workspace / "store", ignore=shutil.ignore_patterns("cache"))
    store = Store(workspace / "store")
    store.add(hostile_tables(store.as_known_on(chosen["as_at"])), as_at=chosen["as_at"])
    make_run(workspace, ("run", run.stem, "--jobs", "2"))
    return last_run(workspace)


def poisoned(model: type[BaseModel], given: Any) -> Any:
    """Put hostile text into every free text of a setting, also those that are not given."""
    for name, field in model.model_fields.items():
        if (model.__name__, name) in NAMES:
            continue
        said = f"{HOSTILE} ({model.__name__} {name}{_count(given)})"
        if _is_free(field.annotation, *field.metadata) and not _is_share(name, given):
            given[name] = said
        elif name in given and field.annotation is not str:
            given[name] = _inside(field.annotation, given[name], said)
    return given


def _count(given: Any) -> str:
    """Return what tells apart texts that must differ."""
    return f" {given['id']}" if "id" in given else ""


def _is_share(name: str, given: Mapping[str, Any]) -> bool:
    """Whether a unit decides how a figure is written."""
    return name == "unit" and str(given.get(name, "%"))[:1] in "%£"


def _inside(annotation: Any, value: Any, said: str) -> Any:
    """Return the value of a setting that is no text by itself, with its texts hostile."""
    parts = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return poisoned(annotation, value)
    if get_origin(annotation) is tuple and value:
        return [_inside(parts[0], each, said) for each in value]
    if get_origin(annotation) is dict and _is_free(parts[1]):
        return {key: f"{said} {key}" for key in value}
    return said if _is_free(annotation) and isinstance(value, str) else value


def _is_free(annotation: Any, *rules: Any) -> bool:
    """Whether it is that of text of any form."""
    is_ruled = get_origin(annotation) is Annotated
    kind, *more = get_args(annotation) if is_ruled else (annotation,)
    return kind is str and not any(map(_pattern, (*rules, *more)))


def _pattern(rule: Any) -> bool:
    within = (rule, *getattr(rule, "metadata", ()))
    return any(getattr(each, "pattern", None) for each in within)


def free_columns(table: str) -> Iterator[str]:
    """Yield the columns of a table that take free text: neither a choice nor another's name."""
    for column in TABLES[table]:
        is_name = column.name.endswith(("_id", "_code")) or column.name == "supersedes"
        if column.kind == "text" and not column.choices and not is_name:
            yield column.name


def hostile_tables(known: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables of a theme again with hostile texts, one of them long beyond reason."""
    register = YAML().load(REPOSITORY / "parameters" / "indicators.yml")["indicators"]
    ids = {each["id"] for each in register if THEME in each["themes"]}
    made = {}
    for name, table in known.items():
        own = table["indicator_id"].isin(ids) if "indicator_id" in table else True
        rows = table[own if isinstance(own, pd.Series) else slice(None)].copy()
        for column in free_columns(name) if len(rows) else ():
            said, is_key = f"{HOSTILE} {TURNED} ({name} {column})", column in KEYS[name]
            # A breakdown is one only where there is one.
            rows[column] = rows[column].where(rows[column] == "", said) if is_key else said
            if not is_key and column in ("text", "note", "value_note", "rationale"):
                rows.loc[rows.index[0], column] = f"{said} {LONG}"
        made[name] = rows.drop_duplicates([*KEYS[name]])
    return made
