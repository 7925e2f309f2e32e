"""Result tables of a made-up theme, with every kind of row that a page must be able to tell."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from pmf_analysis.data.seals import LATE
from pmf_analysis.parameters.models import Indicator
from pmf_analysis.story.bank import stored
from pmf_analysis.story.view import ThemeView

NAN = float("nan")
PEER_NAMES = [f"Council {letter}" for letter in "ABCDEFGHIJKLMNO"]


def indicator(id: str, **given: Any) -> Indicator:
    words = {"title": f"{id.title()} of the place", "short_title": id.title()}
    source = {"source": "Council records", "licence": "Open Government Licence v3.0"}
    basics = {
        "polarity": "higher",
        "director": "director_place",
        "themes": ("homes",),
        "data_type": "percentage",
        "frequency": "quarterly",
    }
    return Indicator(id=id, **{**words, **source, **basics, **given})


def trend_row(indicator: str = "recycling", **given: Any) -> dict[str, Any]:
    row = {
        "series": f"{indicator}|X1|||v1",
        "indicator": indicator,
        "area": "X1",
        "dimension": "",
        "dimension_value": "",
        "title": "Household waste recycled or composted",
        "short_title": "Household recycling",
        "unit": "%",
        "data_type": "percentage",
        "decimals": 1,
        "polarity": "higher",
        "frequency": "quarterly",
        "year_type": "financial",
        "control": "council",
        "owner": "Head of Waste",
        "director": "director_place",
        "source": "Council records",
        "period": pd.Timestamp(2026, 7, 1),
        "period_label": "2026-27 Q2",
        "period_long": "Quarter 2 (July to September) 2026-27",
        "value": 39.84,
        "status": "final",
        "value_note": "",
        "previous_value": 42.34,
        "previous_label": "2026-27 Q1",
        "change": -2.5,
        "last_year_value": 38.64,
        "last_year_label": "2025-26 Q2",
        "change_on_year": 1.2,
        "n": 26,
        "shape": "discrete",
        "treatment": "",
        "method": "xmr",
        "mean": 39.3,
        "lower_limit": 36.0,
        "upper_limit": 42.6,
        "slope": NAN,
        "p_value": NAN,
        "rule": "shift",
        "rule_points": 9,
        "verdict": "improving",
        "assurance": "inconsistent",
        "target": 42.0,
        "target_period_label": "2026-27 Q2",
        "met_share": 0.2,
        "chance_alone": 0.017,
        "evidence": "own_history",
        "reason": "",
        "age_days": 31,
        "is_stale": False,
        "features": "",
        "contradiction": "",
        "previous_band": 3.2,
        "last_year_band": 4.1,
        "change_test": "",
        "change_p": NAN,
        "signal_from": pd.Timestamp(2025, 10, 1),
        "limits_from": "own",
        "verdict_without_rebase": "",
        "tolerance_low": NAN,
        "tolerance_high": NAN,
        "assurance_tolerance": "",
        "arrow_short": "worsening",
        "arrow_long": "improving",
        "detect_4": 6.0,
        "detect_8": 4.8,
        "detect_monthly": 2.1,
        "detect_12": 4.0,
        "rule_profile": "mdc",
    }
    return {**row, **given}


def event_row(indicator: str = "recycling", **given: Any) -> dict[str, Any]:
    row = {
        "series": f"{indicator}|X1|||v1",
        "period": pd.Timestamp(2025, 7, 1),
        "period_label": "2025-26 Q2",
        "until": pd.NaT,
        "kind": "annotation",
        "text": "New contract started",
        "owner": "Head of Waste",
        "recorded_on": "2025-08-01",
        "evidence": "",
    }
    return {**row, **given}


def pack_rows(theme: str = "homes") -> list[dict[str, Any]]:
    row = {"theme": theme, "measure": "off_target", "low": NAN, "high": NAN}
    years = [("0", 2, 5), ("1", 3, 5), ("2", 2, 4)]
    told = [{**row, "period_label": label, "value": of, "n": n} for label, of, n in years]
    chance = {"measure": "chance_signals", "period_label": "", "value": 0.1, "n": 5}
    return [{**row, **chance, "low": 0, "high": 1}, *told]


def points_of(row: dict[str, Any], direction: int = 1, count: int = 26) -> list[dict[str, Any]]:
    starts = pd.date_range(end=row["period"], periods=count, freq="QS")
    made = []
    for place, start in enumerate(starts):
        wobble = ((place * 7) % 5 - 2) / 2
        value = (
            row["value"]
            if place == count - 1
            else (row["mean"] if row["mean"] == row["mean"] else row["value"]) + wobble
        )
        quarter = (start.month - 4) // 3 % 4 + 1
        year = start.year - (start.month < 4)
        made.append(
            {
                "series": row["series"],
                "period": start,
                "period_label": f"{year}-{(year + 1) % 100:02d} Q{quarter}",
                "value": value,
                "status": row["status"] if place == count - 1 else "final",
                "segment": 0,
                "mean": row["mean"],
                "lower_limit": row["lower_limit"],
                "upper_limit": row["upper_limit"],
                "rule": row["rule"] if place == count - 1 else "none",
                "direction": direction if place == count - 1 else 0,
                "point_type": "common_cause",
                "target": row["target"],
            }
        )
    return made


def comparison_row(indicator: str = "recycling", **given: Any) -> dict[str, Any]:
    row = {
        "series": f"{indicator}|X1|||v1",
        "indicator": indicator,
        "area": "X1",
        "peer_set": "neighbours",
        "peer_set_title": "Nearest neighbours",
        "period": pd.Timestamp(2026, 4, 1),
        "period_label": "2026-27 Q1",
        "value": 39.84,
        "lower": 39.1,
        "upper": 40.6,
        "peer_median": 42.1,
        "peer_q1": 40.2,
        "peer_q3": 44.5,
        "peer_min": 36.4,
        "peer_max": 51.0,
        "n_peers": 15,
        "peers_missing": "",
        "rank": 12,
        "rank_of": 16,
        "percentile": 0.25,
        "mad_distance": -0.8,
        "verdict": "worse",
        "method": "wilson",
        "evidence": "counts",
        "reason": "",
        "gap": -2.26,
        "gap_verdict": "closing",
        "gap_reason": "",
        "nation_value": 43.3,
        "region_value": 41.0,
        "peer_mean": 43.05,
        "pooled": 42.57,
        "n_counted": 15,
        "rank_best": 9,
        "rank_worst": 14,
        "quarter": 3,
        "funnel_label": "within",
        "adjusted_z": -1.1,
        "phi": 7.62,
        "tau2": 0.01,
        "robust_of": 11,
        "robust_same": 9,
        "robust_opposite": 0,
        "peers_ahead": 0,
        "close_years": 3,
        "close_pace": 0.75,
        "peers_tested": 14,
        "peers_kept": 3,
        "own_kept": 1,
        "peer_set_source": "Finance institute",
        "peer_set_as_at": "2025-11-03",
        "peer_set_method": "Distance over 30 characteristics.",
    }
    return {**row, **given}


def robustness_row(indicator: str = "recycling", **given: Any) -> dict[str, Any]:
    row = {
        "series": f"{indicator}|X1|||v1",
        "indicator": indicator,
        "peer_set": "neighbours",
        "peer_set_title": "Nearest neighbours",
        "k": 0,
        "n_peers": 15,
        "peer_median": 42.1,
        "rank": 12,
        "rank_of": 16,
        "quarter": 3,
        "verdict": "worse",
        "evidence": "counts",
        "agrees": NAN,
    }
    return {**row, **given}


def lead_row(indicator: str = "recycling", **given: Any) -> dict[str, Any]:
    row = {
        "series": f"{indicator}|X1|||v1",
        "indicator": indicator,
        "peer_set": "neighbours",
        "place": 1,
        "area": "X5",
        "area_name": "Council D",
        "start_period": pd.Timestamp(2023, 4, 1),
        "start_label": "2023-24",
        "period": pd.Timestamp(2026, 4, 1),
        "period_label": "2026-27 Q1",
        "start_value": 38.2,
        "value": 44.9,
        "improvement": 5.3,
        "shrunken": 3.4,
        "lower": 0.6,
        "upper": 6.2,
        "own_improvement": 0.4,
        "group_improvement": 1.4,
        "n_group": 9,
        "years": 3,
        "reliability": 0.64,
        "stands_out": 1,
    }
    return {**row, **given}


def equality_row(indicator: str = "recycling", **given: Any) -> dict[str, Any]:
    row = {
        "series": f"{indicator}|X1|||v1",
        "indicator": indicator,
        "dimension": "ward",
        "dimension_value": "Harbour",
        "reference": "",
        "period": pd.Timestamp(2026, 4, 1),
        "period_label": "2026-27 Q1",
        "value": 31.5,
        "lower": 29.0,
        "upper": 34.1,
        "reference_value": 40.7,
        "difference": -9.2,
        "difference_lower": -11.9,
        "difference_upper": -6.5,
        "ratio": 0.77,
        "ratio_lower": 0.7,
        "ratio_upper": 0.84,
        "verdict": "worse",
        "trend": "widening",
        "n_groups": 2,
        "evidence": "counts",
        "reason": "",
    }
    return {**row, **given}


def value_rows() -> list[dict[str, Any]]:
    """Us and six others in three years of a pair."""
    pair = {
        "pair": "waste",
        "title": "Waste collection",
        "cost_indicator": "flytipping",
        "cost_title": "Spending on waste for each resident",
        "performance_indicator": "recycling",
        "performance_title": "Household recycling",
        "peer_set": "neighbours",
        "n_peers": 6,
    }
    verdict = {"verdict": "high_cost_low_performance", "years_same": 3, "years": 3, "reason": ""}
    verdict |= {"quadrant": "high_cost_low_performance"}
    return [
        {
            **pair,
            "year_label": f"{year}-{year % 100 + 1}",
            "is_newest": year == 2025,
            "area": f"X{place}",
            "area_name": "Westshire Council" if place == 1 else PEER_NAMES[place - 2],
            "is_own": place == 1,
            "cost_value": 60.0 + place,
            "performance_value": 40.0 - place,
            "cost_percentile": 83.0 if place == 1 else 15.0 * place - 20,
            "performance_percentile": 17.0 if place == 1 else 100 - 14.0 * place,
            **(verdict if place == 1 else {}),
        }
        for year in (2023, 2024, 2025)
        for place in range(1, 8)
    ]


def funnel_rows(series: str) -> list[dict[str, Any]]:
    return [
        {
            "series": series,
            "peer_set": "neighbours",
            "size": size,
            "benchmark": 42.57,
            "lower_95": 42.57 - 200 / size**0.5,
            "upper_95": 42.57 + 200 / size**0.5,
            "lower_998": 42.57 - 310 / size**0.5,
            "upper_998": 42.57 + 310 / size**0.5,
        }
        for size in range(4_000, 24_001, 500)
    ]


def target_row(indicator: str = "recycling", **given: Any) -> dict[str, Any]:
    row = {
        "target_id": f"{indicator}-2027",
        "series": f"{indicator}|X1|||v1",
        "indicator": indicator,
        "area": "X1",
        "period": pd.Timestamp(2027, 7, 1),
        "period_label": "2027-28 Q2",
        "kind": "improvement",
        "target": 44.0,
        "target_low": NAN,
        "target_high": NAN,
        "probability": 0.16,
        "lower": 0.11,
        "upper": 0.23,
        "verdict": "stretch",
        "verdict_low": "stretch",
        "verdict_high": "stretch",
        "evidence": "own_and_peers",
        "reason": "",
        "value_60": 40.4,
        "value_45": 41.1,
        "value_30": 42.3,
        "method": "own_and_peers",
        "n": 26,
        "horizon": 4,
        "last_value": 39.84,
        "last_label": "2026-27 Q2",
        "required_change": 4.16,
        "own_share": 0.09,
        "peer_share": 0.12,
        "own_n": 11,
        "peer_n": 214,
        "headroom": 0.07,
        "probability_1": 0.16,
        "probability_2": 0.24,
        "probability_3": 0.31,
        "similar_share": 0.22,
        "similar_n": 41,
        "best_change": 3.1,
        "reversion": 0.6,
        "reversion_low": 0.2,
        "reversion_high": 1.0,
        "capability": "consistent_fail",
        "people": 123.4,
        "people_unit": "households",
        "rationale": "Median of similar councils in 2025-26.",
        "set_by": "Cabinet",
        "set_on": pd.Timestamp(2026, 3, 1),
        "is_reference": False,
    }
    return {**row, **given}


def outturn_row(indicator: str = "visits", **given: Any) -> dict[str, Any]:
    """A target for the year's total, of which two quarters of four are known."""
    asked = {"target_id": f"{indicator}-year", "period_label": "2026-27 Q4", "method": "outturn"}
    asked |= {"period": pd.Timestamp(2027, 1, 1), "target": 500_000.0, "probability": 0.35}
    asked |= {"last_value": 244_400.0, "done": 2, "of": 4, "required_rate": 127_800.0}
    asked |= {"rate_share": 0.3, "rate_n": 12, "outturn_low": 461_000.0, "outturn_mid": 492_000.0}
    asked |= {"outturn_high": 523_000.0, "verdict": "challenging", "required_change": NAN}
    asked |= {"value_60": 485_000.0, "value_45": 494_000.0, "value_30": 503_000.0}
    asked |= {f"d{n:02d}": 493_000.0 + 2_000.0 * (n - 10) for n in range(1, 21)}
    return target_row(indicator, **(asked | given))


def path_rows(indicator: str = "visits", done: int = 2) -> list[dict[str, Any]]:
    return [
        {
            "target_id": f"{indicator}-year",
            "series": f"{indicator}|X1|||v1",
            "period": pd.Timestamp(2026, 4, 1) + pd.DateOffset(months=3 * place),
            "period_label": f"2026-27 Q{place + 1}",
            "actual": 122_200.0 * (place + 1) if place < done else NAN,
            "path": 125_000.0 * (place + 1),
            "chance_on_path": NAN if place < done else 0.45 - 0.05 * place,
            "q05": NAN if place < done else 119_000.0 * (place + 1),
            "q50": NAN if place < done else 123_000.0 * (place + 1),
            "q95": NAN if place < done else 128_000.0 * (place + 1),
        }
        for place in range(4)
    ]


def check_row(indicator: str = "recycling", **given: Any) -> dict[str, Any]:
    row = {"target_id": f"{indicator}-2027", "series": f"{indicator}|X1|||v1"}
    row |= {"indicator": indicator, "check": "outside_history", "periods": "", "text": ""}
    return {**row, "value": 44.0, "expected": 39.3, "n": 25, **given}


def decision_rows(indicator: str = "recycling") -> list[dict[str, Any]]:
    row = {"series": f"{indicator}|X1|||v1", "indicator": indicator, "value": NAN}
    row |= {"target_id": f"{indicator}-2027", "comparator": ""}
    compared = {"value": 42.1, "comparator": "peer_median", "period_label": "2025-26 Q4"}
    return [
        {**row, "place": 2, "step": "already_better", "answer": "no"},
        {**row, "place": 1, "step": "neighbours", "answer": "yes", **compared},
        {**row, "place": 3, "step": "as_challenging", "answer": "yes", **compared}
        | {"period_label": ""},
    ]


def portfolio_rows(theme: str = "homes") -> list[dict[str, Any]]:
    counts = {"n": 9, "expected": 3.2, "low": 1.0, "high": 6.0}
    counts |= {"n_easy": 1, "n_challenging": 4, "n_out_of_reach": 2, "n_kept": 1, "n_at_risk": 0}
    return [
        {"group": "council", "name": "", **counts, "n": 56, "expected": 21.3, "low": NAN},
        {"group": "theme", "name": theme, **counts},
        {"group": "theme", "name": "another", **counts, "n": 77},
        {"group": "directorate", "name": "director_place", **counts},
    ]


def record_rows(theme: str = "homes") -> list[dict[str, Any]]:
    past = {"source": "targets", "band": "all", "reason": ""}
    whole = {"group": "all", "band": "all", "reason": "", "said": 0.4, "seen": 0.41}
    scores = {"skill": 0.18, "calibration_error": 0.041, "perfect_error": 0.036}
    bands = [
        {"source": source, "group": "all", "band": band, "n": 300, "said": at, "seen": at + 0.04}
        | {"bar_low": at - 0.05, "bar_high": at + 0.05, "reason": ""}
        for source in ("backtest", "shipped")
        for band, at in (("low", 0.15), ("middle", 0.5), ("high", 0.85))
    ]
    few = "Only 17 chances have come to their end; a record needs 60."
    return [
        {**past, "group": theme, "n": 21, "seen": 8 / 21},
        {**past, "group": "all", "n": 141, "seen": 58 / 141},
        {"source": "sealed", "group": "all", "band": "all", "n": 17, "reason": few},
        {**whole, **scores, "source": "backtest", "n": 900},
        {**whole, **scores, "source": "shipped", "n": 116_466},
        *bands,
    ]


def outcome_rows(indicator: str = "recycling") -> list[dict[str, Any]]:
    row = {"series": f"{indicator}|X1|||v1", "indicator": indicator, "source": "sealed"}
    row |= {"period": pd.Timestamp(2026, 7, 1), "period_label": "2026-27 Q2", "target": 42.0}
    row |= {"outcome": 39.84, "met": 0.0, "probability": 0.3, "sealed_on": "2025-10-31"}
    row |= {"reason": ""}
    late = {**row, "met": NAN, "reason": LATE}
    return [row, late, {**row, "source": "backtest"}, {**row, "met": 1.0}]


def forecast_rows(series: str, middle: float, horizons: int = 4) -> list[dict[str, Any]]:
    rows = []
    for horizon in range(1, horizons + 1):
        start = pd.Timestamp(2026, 7, 1) + pd.DateOffset(months=3 * horizon)
        spread = 1.0 + 0.4 * horizon
        row: dict[str, Any] = {
            "series": series,
            "horizon": horizon,
            "period": start,
            "period_label": f"2026-27 +{horizon}",
        }
        for share in (5, 10, 25, 40, 50, 55, 60, 70, 75, 90, 95):
            row[f"q{share:02d}"] = middle + spread * (share - 50) / 20
        for place in range(20):
            row[f"d{place + 1:02d}"] = middle + spread * (2.5 + 5 * place - 50) / 20
        rows.append(row)
    return rows


def peer_rows(series: str, middle: float) -> list[dict[str, Any]]:
    names = ["", *PEER_NAMES]
    return [
        {
            "series": series,
            "peer_set": "neighbours",
            "area": f"X{place + 1}",
            "area_name": name,
            "period": pd.Timestamp(2026, 4, 1),
            "value": middle + place - 8 if place else middle - 0.16,
            "lower": NAN,
            "upper": NAN,
            "numerator": 3_000.0 + 100 * place,
            "denominator": 8_000.0 + 800 * place,
            "label": "low_998" if place < 2 else "within",
            "is_own": not place,
        }
        for place, name in enumerate(names)
    ]


def gap_rows(series: str, middle: float) -> list[dict[str, Any]]:
    return [
        {
            "series": series,
            "peer_set": "neighbours",
            "period": start,
            "period_label": f"{start.year}",
            "value": middle + place / 2,
            "peer_median": middle + 2,
            "gap": place / 2 - 2,
            "n_peers": 15,
            "mean": NAN,
            "lower_limit": NAN,
            "upper_limit": NAN,
            "rule": "none",
            "is_as_if": place < 2,
        }
        for place, start in enumerate(pd.date_range("2024-04-01", periods=8, freq="QS"))
    ]


ROLES = frozenset({"head of waste", "head of housing"})
INDICATORS = (
    indicator("recycling"),
    indicator("flytipping", data_type="rate", unit="per 1,000 people", polarity="lower"),
    indicator("planning"),
    indicator("prevention"),
    indicator("air", data_type="index", unit="µg/m3", polarity="lower", control="city"),
    indicator("visits", data_type="count", unit="visits", polarity="none"),
    indicator("plan", data_type="statement", polarity="none"),
    indicator("unheard"),
)


def trend_rows() -> list[dict[str, Any]]:
    return [
        trend_row(),
        trend_row(
            "flytipping",
            title="Fly-tipping incidents per 1,000 people",
            short_title="Fly-tipping",
            unit="per 1,000 people",
            polarity="lower",
            value=14.2,
            previous_value=13.1,
            change=1.1,
            last_year_value=14.2,
            change_on_year=0.01,
            mean=13.6,
            lower_limit=11.8,
            upper_limit=15.4,
            rule="none",
            rule_points=0,
            verdict="no_clear_change",
            chance_alone=0.017,
            target=14.0,
            status="provisional",
        ),
        trend_row(
            "planning",
            title="Major planning applications decided on time",
            short_title="Major planning on time",
            value=71.0,
            mean=88.0,
            lower_limit=78.0,
            upper_limit=98.0,
            rule="outside_limits",
            rule_points=1,
            verdict="worsening",
            previous_value=90.0,
            change=-19.0,
            change_on_year=-20.0,
            last_year_value=91.0,
            target=90.0,
            is_stale=True,
            age_days=214,
        ),
        trend_row(
            "prevention",
            title="Homelessness prevented",
            short_title="Homelessness prevented",
            method="none",
            verdict="cannot_judge",
            reason="Four figures are too few: five are needed",
            n=4,
            mean=NAN,
            lower_limit=NAN,
            upper_limit=NAN,
            rule="none",
            chance_alone=NAN,
            target=NAN,
            assurance="",
        ),
        trend_row(
            "air",
            title="Nitrogen dioxide, annual mean",
            short_title="Nitrogen dioxide",
            unit="µg/m3",
            polarity="lower",
            control="city",
            verdict="worsening",
            value=41.0,
            change=2.0,
            change_on_year=3.0,
        ),
        trend_row(
            "visits",
            title="Visits to libraries",
            short_title="Library visits",
            unit="visits",
            decimals=0,
            polarity="none",
            verdict="rising",
            rule="trend",
            rule_points=7,
            value=125_400,
            previous_value=119_000,
            change=6_400,
            last_year_value=100_200,
            change_on_year=25_200,
            mean=101_000,
            lower_limit=90_000,
            upper_limit=120_000,
            target=NAN,
            assurance="",
        ),
    ]


def made_up_view(**given: Any) -> ThemeView:
    trends = trend_rows()
    series = [row["series"] for row in trends]
    points = [point for row in trends for point in points_of(row)]
    comparisons = [
        comparison_row(funnel_label="low_998"),
        comparison_row(
            peer_set="region", peer_set_title="The region", n_peers=9, verdict="similar"
        ),
        comparison_row(
            "flytipping",
            value=14.2,
            peer_median=14.3,
            gap=-0.1,
            rank=7,
            verdict="similar",
            funnel_label="low_95",
            robust_same=3,
            robust_opposite=2,
            peers_missing="Council A; Council B",
            n_peers=13,
            peers_ahead=2,
        ),
        comparison_row(
            "planning",
            value=71.0,
            peer_median=90.0,
            gap=-19.0,
            rank=16,
            evidence="values_only",
            verdict="position_only",
        ),
        comparison_row(
            "prevention",
            verdict="cannot_judge",
            evidence="none",
            rank=NAN,
            peer_median=NAN,
            gap=NAN,
            n_peers=3,
            reason="Fewer than 5 similar councils have a figure",
        ),
        comparison_row(
            "air",
            value=41.0,
            peer_median=30.0,
            gap=11.0,
            rank=16,
            verdict="worse",
            gap_verdict="widening",
        ),
        comparison_row(
            "visits",
            value=125_400,
            peer_median=90_000,
            gap=35_400,
            rank=2,
            verdict="higher",
            evidence="own_history",
        ),
    ]
    robustness = [
        robustness_row(),
        robustness_row(peer_set="region", peer_set_title="The region", verdict="similar", rank=6),
        *(robustness_row(k=k, agrees=float(k < 13)) for k in range(10, 16)),
        robustness_row("planning", verdict="position_only", evidence="values_only", rank=16),
        robustness_row("air"),
    ]
    leads = [
        lead_row(),
        lead_row(place=2, area="X6", area_name="Council E", stands_out=0, lower=-0.4),
        lead_row("planning", stands_out=0, lower=-1.0),
        lead_row(peer_set="region", area_name="Council Z"),
    ]
    equality = [
        equality_row(),
        equality_row(dimension_value="Hill", verdict="similar", difference=0.4, trend="steady"),
        equality_row(
            dimension_value="Lake",
            verdict="cannot_judge",
            evidence="none",
            reason="The count is below 10.",
            **dict.fromkeys(("difference", "difference_lower", "difference_upper"), NAN),
        ),
        equality_row("air", value=44.0, reference_value=40.0, difference=4.0),
    ]
    targets = [
        target_row(),
        target_row(
            "flytipping",
            target=14.0,
            verdict="challenging",
            probability=0.42,
            value_60=14.4,
            value_45=14.1,
            value_30=13.6,
            last_value=14.2,
            required_change=-0.2,
            kind="floor",
        ),
        target_row(
            "planning",
            target=99.0,
            verdict="not_realistic",
            probability=0.02,
            lower=0.02,
            upper=0.03,
            peer_share=0.01,
            value_60=80.0,
            value_45=84.0,
            value_30=88.0,
            last_value=71.0,
            required_change=28.0,
            rationale="",
        ),
        target_row(
            "prevention",
            target=50.0,
            verdict="cannot_judge",
            probability=NAN,
            lower=NAN,
            upper=NAN,
            value_60=NAN,
            value_45=NAN,
            value_30=NAN,
            reason="Four figures are too few: five are needed",
            last_value=46.0,
            required_change=4.0,
        ),
        target_row(
            "air",
            kind="maintain",
            is_reference=True,
            target=41.0,
            probability=0.52,
            target_id="air#maintain",
            verdict="no_verdict",
            last_value=41.0,
            required_change=0.0,
            value_60=41.2,
            value_45=40.8,
            value_30=40.1,
        ),
        target_row(
            "air",
            kind="peer_median",
            is_reference=True,
            target=30.0,
            probability=0.04,
            target_id="air#peer_median",
            verdict="no_verdict",
            last_value=41.0,
            required_change=-11.0,
            value_60=41.2,
            value_45=40.8,
            value_30=40.1,
        ),
    ]
    forecasts = [
        row
        for key, middle in zip(series, (39.8, 14.1, 75.0, 46.0, 41.0), strict=False)
        for row in forecast_rows(key, middle)
    ]
    problems = [
        {
            "level": "warning",
            "code": "late",
            "file": "KPI.xlsx",
            "sheet": "PI",
            "row": 7,
            "column": "E",
            "value": "#DIV/0!",
            "message": "The cell holds an error.",
            "expected": "a number",
            "fix": "correct the cell",
            "indicator": "recycling",
            "theme": "homes",
        }
    ]
    narratives = [
        {
            "indicator_id": "recycling",
            "period_start": pd.Timestamp(2026, 7, 1),
            "period_end": pd.Timestamp(2026, 9, 30),
            "kind": "reason",
            "text": "A wet summer brought less garden waste.",
            "author_role": "Head of Waste",
            "written_on": pd.Timestamp(2026, 10, 12),
            "due_back_on_target": pd.Timestamp(2027, 3, 31),
        }
    ]
    view = {
        "council": "Westshire Council",
        "theme": "homes",
        "theme_title": "Homes and communities",
        "period": "2026-27 Q2",
        "as_at": date(2026, 10, 31),
        "peer_set": "neighbours",
        "indicators": INDICATORS,
        "trends": pd.DataFrame(trends),
        "points": pd.DataFrame(points),
        "comparisons": pd.DataFrame(comparisons),
        "peers": pd.DataFrame([row for key in series for row in peer_rows(key, 40.0)]),
        "gaps": pd.DataFrame(gap_rows(series[0], 38.0)),
        "funnels": pd.DataFrame([row for key in series[:2] for row in funnel_rows(key)]),
        "robustness": pd.DataFrame(robustness),
        "leads": pd.DataFrame(leads),
        "equality": pd.DataFrame(equality),
        "value": pd.DataFrame(value_rows()),
        "targets": pd.DataFrame(targets),
        "forecasts": pd.DataFrame(forecasts),
        "problems": pd.DataFrame(problems),
        "narratives": pd.DataFrame(narratives),
        "events": pd.DataFrame(
            [
                event_row(),
                event_row(
                    "flytipping",
                    kind="suggested_step",
                    text="",
                    owner="",
                    evidence="average before 12.3, after 14.9",
                ),
            ]
        ),
        "packs": pd.DataFrame([*pack_rows(""), *pack_rows()]),
        "outturn_paths": pd.DataFrame(path_rows()),
        "target_checks": pd.DataFrame([check_row(), check_row(check="mostly_easy", series="")]),
        "decisions": pd.DataFrame(decision_rows()),
        "portfolio": pd.DataFrame(portfolio_rows()[1:2]),
        "records": pd.DataFrame(record_rows()),
        "outcomes": pd.DataFrame(outcome_rows()),
        "notice": "Westshire is a fictional council.",
        "vintage": "0123456789abcdef",
        "seed": 1,
    }
    view |= given
    tables = {name: view.pop(name) for name in stored("cells.yml")["tables"] if name in view}
    return ThemeView(tables=tables, **{"roles": ROLES, **view})
