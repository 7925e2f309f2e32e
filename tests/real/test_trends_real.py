"""Trends on real series: what a reader of Bristol, Bath and a hospital trust must be told."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pmf_analysis.assess import read_measures
from pmf_analysis.documents.audit import audit_html
from pmf_analysis.measures.trend import trend_verdicts

pytestmark = pytest.mark.realdata


def of(table: pd.DataFrame, indicator: str) -> pd.DataFrame:
    return table[table["series"].str.startswith(f"{indicator}|")]


def report(run: Any, indicator: str) -> str:
    """The trends page on which an indicator stands."""
    [page] = [
        page
        for page in run.folder.glob("*/trends/report.html")
        if f"{indicator}|" in (page.parent / "audit.csv").read_text(encoding="utf-8")
    ]
    return str(page.read_text(encoding="utf-8"))


def test_possession_claims_show_their_pandemic_break(bristol_run: Any) -> None:
    measures = read_measures(bristol_run.folder / "measures")
    events = of(measures.events, "poss_landlord_claims")
    assert events["kind"].tolist() == ["exceptional"]
    assert events["period"].dt.year.tolist() == [2020]
    inside = of(measures.points, "poss_landlord_claims").query("'2020-04-01' <= period < '2021-04'")
    assert inside["value"].notna().all() and (inside["point_type"] == "missing").all()
    assert "Exceptional period, left out" in report(bristol_run, "poss_landlord_claims")


def test_homelessness_shows_its_start_up_effect(bristol_run: Any) -> None:
    measures = read_measures(bristol_run.folder / "measures")
    [step] = (
        of(measures.events, "hclic_owed_rate").query("kind == 'suggested_step'").to_dict("records")
    )
    assert pd.Timestamp("2019-07-01") <= step["period"] <= pd.Timestamp("2020-07-01")
    assert "stays a suggestion" in report(bristol_run, "hclic_owed_rate")
    # A suggestion changes nothing: there is still one segment.
    assert of(measures.points, "hclic_owed_rate")["segment"].eq(0).all()


def test_monthly_pages_are_made_and_accessible(monthly_run: Any) -> None:
    pages = sorted(monthly_run.workspace.glob("outputs/*/*/*/*/trends/report.html"))
    assert len(pages) == 2
    for page in pages:
        assert not [found.message for found in audit_html(page.read_text(encoding="utf-8"))]


def test_a_standard_missed_every_month_is_said(monthly_run: Any) -> None:
    [folder] = monthly_run.workspace.glob("outputs/trust/*/*/measures")
    trends = read_measures(folder).trends.set_index("indicator")
    trust = trends.loc["nhs_ae_4h_all"]
    assert (trust["n"], trust["verdict"], trust["met_share"]) == (36, "worsening", 0.0)
    assert trust["target"] == 95 and trust["rule"] != "none"


def test_series_that_ended_years_ago_are_called_old(monthly_run: Any) -> None:
    [folder] = monthly_run.workspace.glob("outputs/bath/*/*/measures")
    trends = read_measures(folder).trends.set_index("indicator")
    assert trends.loc["bnes_road_casualties", "is_stale"]
    assert trends.loc["bnes_noise_requests", "shape"] == "seasonal"


@pytest.mark.parametrize("council", ["bristol_run", "trafford_run"])
def test_every_point_is_in_the_audit_table(request: pytest.FixtureRequest, council: str) -> None:
    run = request.getfixturevalue(council)
    points = read_measures(run.folder / "measures").points
    audited: set[tuple[str, str]] = set()
    for path in run.folder.glob("*/trends/audit.csv"):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            audited |= {(row["series"], row["period"][:10]) for row in csv.DictReader(lines)}
    keys = zip(points["series"], points["period"].dt.strftime("%Y-%m-%d"), strict=True)
    assert audited == set(keys)


def test_all_trusts_are_judged_without_a_false_word(real_data: Path) -> None:
    rows = pd.read_csv(real_data / "tidy" / "nhs_ae_monthly_with_target.csv.gz")
    frame = pd.DataFrame(
        {
            "series": rows["indicator_id"] + "|" + rows["area_code"],
            "indicator": rows["indicator_id"],
            "area": rows["area_code"],
            "period": pd.to_datetime(rows["period_start"]),
            "value": rows["value"],
            "status": "final",
        }
    )
    settings = {"polarity": "higher", "frequency": "monthly", "accumulation": "discrete"}
    register = pd.DataFrame({"indicator": frame["indicator"].unique()}).assign(**settings)
    trends, points = trend_verdicts(frame, register)
    assert len(trends) == frame["series"].nunique() and len(points) >= len(frame)
    counts = frame.groupby("series")["value"].agg(["count", "nunique"])
    judged = trends.set_index("series").join(counts)
    assert (judged.loc[judged["count"] < 5, "verdict"] == "cannot_judge").all()
    constant = judged[(judged["nunique"] == 1) & (judged["count"] >= 13)]
    assert len(constant) and (constant["verdict"] == "no_clear_change").all()
    assert (judged.query("verdict == 'cannot_judge'")["reason"] != "").all()
