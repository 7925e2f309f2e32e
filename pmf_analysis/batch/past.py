"""The record of a council's own past: questions asked as they would have been answered then."""

from typing import Any

import pandas as pd

from pmf_analysis.assess import known_council
from pmf_analysis.batch.plan import Plan
from pmf_analysis.data.seals import keep_backtest
from pmf_analysis.measures.backtest import backtest
from pmf_analysis.measures.track_record import past_targets, records


def ask_past(plan: Plan) -> pd.DataFrame:
    """Back-test what a run's council knew, keep it in the store, and return the records of it."""
    spec = plan.spec
    known = plan.store.as_known_on(spec.as_at)
    council = known_council(known, plan.parameters, plan.period, spec.as_at, None)
    past = past_targets(council.targets, council.own, council.register, as_at=spec.as_at)
    rows = council.evidence
    everyone = pd.DataFrame({"member": rows["area"].unique(), "area": ""})
    lists = pd.concat([everyone, council.lists[council.lists["peer_set"] == spec.peer_set]])
    how: dict[str, Any] = {"area": council.area, "peer_sets": lists, "seed": spec.seed}
    asked = backtest(rows, past, council.register, **how)
    keep_backtest(plan.workspace.store, asked, council=spec.council, as_at=spec.as_at)
    return records(asked, groups={})
