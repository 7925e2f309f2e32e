"""The record of a council's own past: questions asked as they would have been answered then."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pmf_analysis.assess import _council
from pmf_analysis.batch.plan import Plan
from pmf_analysis.data.seals import keep_backtest
from pmf_analysis.measures.backtest import backtest
from pmf_analysis.measures.track_record import past_targets, records

_HEADINGS = {"source": "record", "group": "of", "band": "chances", "n": "questions"}
_SHARES = {"said": "said", "seen": "happened", "bar_low": "perfect, from", "bar_high": "to"}
_SCORES = {"skill": "skill", "calibration_error": "error", "perfect_error": "of a perfect one"}


def ask_past(plan: Plan) -> pd.DataFrame:
    """Back-test what a run's council knew, keep it in the store, and return the records of it."""
    spec, store = plan.spec, plan.store
    known = store.as_known_on(spec.as_at)
    council = _council(known, plan.parameters, plan.period, spec.as_at, None)
    register = council.register
    past = past_targets(council.targets, council.own, register, as_at=spec.as_at)
    asked = backtest(council.evidence, past, register, area=council.area)
    root, data = plan.workspace.store, store.digest(spec.as_at).overall
    keep_backtest(root, asked, council=spec.council, as_at=spec.as_at, data=data)
    return records(asked, groups={})


def record_lines(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Records as a table for the screen, each refusal below it."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*[*_HEADINGS.values(), *_SHARES.values(), *_SCORES.values()], box=None)
    for row in rows:
        shares = [f"{row[name]:.0%}" if row[name] is not None else "" for name in _SHARES]
        scores = [f"{row[name]:.3f}" if row[name] is not None else "" for name in _SCORES]
        table.add_row(*(str(row[name]) for name in _HEADINGS), *shares, *scores)
    console = Console(width=120)
    with console.capture() as shown:
        console.print(table)
    return [shown.get(), *(f"{row['source']}: {row['reason']}" for row in rows if row["reason"])]
