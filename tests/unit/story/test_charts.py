"""Laws that every chart keeps: same bytes, small, own ids, nothing active, no words on words."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from awkward_charts import awkward_charts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from made_runs import REPOSITORY

from pmf_analysis.measures import benchmarking
from pmf_analysis.parameters.drawings import check_svg
from pmf_analysis.problems import PmfError
from pmf_analysis.story import funnel as funnel_module
from pmf_analysis.story import spc as spc_module
from pmf_analysis.story import strip as strip_module
from pmf_analysis.story import style
from pmf_analysis.story.canvas import WIDTH, Box, spread
from pmf_analysis.story.dots import count_meeting, draw_dots, draw_reliability, draw_trajectory
from pmf_analysis.story.facts import ComparisonFacts, Subject
from pmf_analysis.story.figures import Figure
from pmf_analysis.story.funnel import draw_funnel, draw_quadrant
from pmf_analysis.story.lettering import Words, measure, short_value, tick_texts
from pmf_analysis.story.strip import Panel, StripRow, draw_multiples, draw_spark, draw_strip

SVG = "{http://www.w3.org/2000/svg}"
MONTHS = {"monthly": 1, "quarterly": 3, "termly": 4, "annual": 12}
QUANTILES = (5, 10, 25, 40, 50, 55, 60, 70, 75, 90, 95)


def make_points(
    values: list[float],
    *,
    frequency: str = "quarterly",
    limits: bool = True,
    target: float = np.nan,
) -> pd.DataFrame:
    start = pd.Timestamp("2019-04-01")
    known = np.array(values)[np.isfinite(values)]
    mean = float(known.mean())
    half = 2.66 * float(np.abs(np.diff(known)).mean()) if len(known) > 1 else 0.0
    kinds = np.where(np.array(values) > mean + half, "special_cause_improvement", "common_cause")
    kinds = np.where(np.array(values) < mean - half, "special_cause_concern", kinds)
    step = MONTHS[frequency]
    return pd.DataFrame(
        {
            "period": [start + pd.DateOffset(months=step * i) for i in range(len(values))],
            "period_label": [f"Period {i}" for i in range(len(values))],
            "value": values,
            "status": ["final"] * (len(values) - 1) + ["provisional"],
            "segment": 0,
            "mean": mean if limits else np.nan,
            "lower_limit": mean - half if limits else np.nan,
            "upper_limit": mean + half if limits else np.nan,
            "point_type": kinds,
            "target": target,
        }
    )


def make_fan(points: pd.DataFrame, horizon: int, spread_by: float) -> pd.DataFrame:
    known = points.dropna(subset=["value"])
    last, value = known["period"].iloc[-1], float(known["value"].iloc[-1])
    rows = []
    for step in range(1, horizon + 1):
        row: dict[str, object] = {"period": last + pd.DateOffset(months=3 * step)}
        row |= {f"q{q:02d}": value + spread_by * step**0.5 * (q - 50) / 30 for q in QUANTILES}
        rows.append(row)
    return pd.DataFrame(rows)


def make_events(points: pd.DataFrame, *rows: tuple[int, str], until: int = 0) -> pd.DataFrame:
    """Events at places among the points; spans end on the day before the point ``until``."""
    return pd.DataFrame(
        [
            {
                "period": points["period"].iloc[at],
                "kind": kind,
                "number": number,
                "until": points["period"].iloc[until] - pd.Timedelta(days=1) if until else pd.NaT,
            }
            for number, (at, kind) in enumerate(rows, start=1)
        ]
    )


def a_subject(known: dict[str, Any]) -> Subject:
    """Take what a series is out of the arguments of a chart."""
    names = ("unit", "decimals", "polarity", "frequency", "year_type", "control")
    given = {name: known.pop(name) for name in names if name in known}
    return Subject.of({"frequency": "quarterly", **given}, "Us")


def draw_spc(points: pd.DataFrame, **known: Any) -> str:
    return spc_module.draw_spc(points, a_subject(known), **known)


def draw_gap(gaps: pd.DataFrame, **known: Any) -> str:
    return strip_module.draw_gap(gaps, a_subject(known), **known)


def make_row(
    title: str, polarity: str = "higher", verdict: str = "similar", own: float = 5.0
) -> StripRow:
    peers = [4.0, 4.5, 6.0, 7.0, float("nan")]
    quartiles = {"peer_q1": 4.4, "peer_q3": 6.2, "peer_median": 5.2}
    row = {"value": own, **quartiles, "rank": 3, "rank_of": 5, "verdict": verdict}
    named = {"short_title": title, "polarity": polarity, "unit": "%", "decimals": 1}
    return StripRow(ComparisonFacts.of(row, Subject.of(named, "Us")), peers)


def dots(svg: str) -> list[tuple[float, float]]:
    """Places of the other councils: the starts of the lines of no length, grey ones only."""
    paths_of_dots = [
        str(node.get("d"))
        for node in etree.fromstring(svg).iter(f"{SVG}path")
        if "stroke:#505a5f;stroke-width:6.5" in node.get("style", "").lower()
    ]
    starts = re.findall(r"M ?(\S+) (\S+?)h", " ".join(paths_of_dots))
    return [(float(x), float(y)) for x, y in starts]


def make_funnel(
    count: int = 15, *, centre: float = 40.0, spread_by: float = 1.0, largest: float = 9_000.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Councils of sizes from 200 up around a centre, us in the middle, and limits around them."""
    place = np.arange(count + 1)
    size = np.geomspace(200, largest, count + 1)
    wobble = np.sin(2.3 * place) * spread_by * 14 / np.sqrt(size / 20)
    peers = pd.DataFrame(
        {
            "area_name": [f"Council {each}" for each in place],
            "is_own": place == count // 2,
            "value": np.clip(centre + wobble, 0, 100),
            "denominator": size,
            "label": "within",
        }
    )
    sizes = np.geomspace(200, largest, 40)
    limits = pd.DataFrame({"size": sizes, "benchmark": centre})
    for level, z in (("95", 1.96), ("998", 3.09)):
        for side, sign in (("lower", -1), ("upper", 1)):
            limits[f"{side}_{level}"] = np.clip(centre + sign * z * 40 / np.sqrt(sizes), 0, 100)
    return peers, limits


def funnel(peers: pd.DataFrame, limits: pd.DataFrame, **known: Any) -> str:
    naming = {name: known.pop(name) for name in ("id", "verdict") if name in known}
    subject = a_subject({"unit": "%", "decimals": 1, "polarity": "higher", **known})
    return draw_funnel(peers, limits, subject, own_name="Westshire", **{"id": "fig-a", **naming})


QUARTERS = ("low_cost_high", "high_cost_high", "low_cost_low", "high_cost_low")
QUADRANT_WORDS = {f"{code}_performance": code.replace("_", " ") for code in QUARTERS}
QUADRANT_WORDS |= {"costs_less": "Costs less", "costs_more": "Costs more"}
QUADRANT_WORDS |= {"does_worse": "Does worse", "does_better": "Does better"}


def make_pair(count: int = 15, own: tuple[tuple[float, float], ...] = ((30, 70),)) -> pd.DataFrame:
    place = np.arange(count)
    others = pd.DataFrame(
        {
            "is_own": False,
            "is_newest": True,
            "year_label": "2025-26",
            "cost_percentile": 100 * place / max(1, count - 1),
            "performance_percentile": 100 * ((place * 7) % count) / max(1, count - 1),
        }
    )
    years = [
        {
            "is_own": True,
            "is_newest": number == len(own) - 1,
            "year_label": f"{2026 - len(own) + number}-{27 - len(own) + number}",
            "cost_percentile": cost,
            "performance_percentile": performance,
        }
        for number, (cost, performance) in enumerate(own)
    ]
    return pd.concat([others, pd.DataFrame(years)], ignore_index=True)


def quadrant(rows: pd.DataFrame) -> str:
    return draw_quadrant(rows, words=QUADRANT_WORDS, id="fig-a", own_name="Westshire")


def make_gaps(count: int, gap: float = -3.0, **known: object) -> pd.DataFrame:
    points = make_points([40.0 + (i * 7 % 5) / 4 for i in range(count)])
    charted = {"mean": gap, "lower_limit": gap - 2, "upper_limit": gap + 2}
    fields = {"peer_median": points["value"] - gap, "rule": "none", "is_as_if": False, **charted}
    return points[["period", "value"]].assign(**{**fields, **known})


def gap_chart(gaps: pd.DataFrame, **known: object) -> str:
    fields = {"unit": "%", "decimals": 1, "polarity": "higher", "id": "fig-a"}
    return draw_gap(gaps, **{**fields, **known})


def spc(values: list[float] | pd.DataFrame, **known: object) -> str:
    fields = {"unit": "%", "decimals": 1, "polarity": "higher", "id": "fig-a"}
    points = values if isinstance(values, pd.DataFrame) else make_points(values)
    return draw_spc(points, **fields | known)  # type: ignore[arg-type]


KINDS = ["definition", "boundary", "rebase", "restatement", "annotation", "suggested_step"]
KINDS += ["baseline", "exceptional"]


LOOK = {"unit": "%", "decimals": 1, "id": "fig-a"}
CHARTS: dict[str, Callable[[], str]] = {
    "spc": lambda: spc([40, 41, 43, 40, 39, 60, 41, 42, 38, 20, 41, 40, 42]),
    "spc and fan": lambda: spc(
        [40, 41, 43, 40, 39, 41, 42], forecast=make_fan(make_points([40, 41, 43] * 3), 6, 2.0)
    ),
    "strip": lambda: draw_strip(
        [make_row("Household recycling", verdict="worse"), make_row("Spending", "none")], id="fig-a"
    ),
    "dots": lambda: draw_dots(
        [float(i) for i in range(20)],
        target=16.5,
        better="higher",
        unit="%",
        decimals=1,
        id="fig-a",
    ),
    "funnel": lambda: funnel(*make_funnel(15), verdict="worse"),
    "funnel of all": lambda: funnel(*make_funnel(349, largest=400_000.0)),
    "quadrant": lambda: quadrant(make_pair(15, ((60, 40), (50, 50), (30, 70)))),
    "quadrant of all": lambda: quadrant(make_pair(350, ((60, 40), (50, 50), (30, 70)))),
    "gap with its usual range": lambda: gap_chart(make_gaps(31)),
    "gap": lambda: draw_gap(
        make_points([40, 41, 43, 40], limits=False).assign(peer_median=[44.0, 44.2, 44.1, np.nan]),
        unit="%",
        decimals=1,
        id="fig-a",
    ),
}


def text_boxes(svg: str) -> list[tuple[str, Box]]:
    """Measure the words of a finished picture, from its SVG alone."""
    root = etree.fromstring(svg)
    found = []
    for node in root.iter(f"{SVG}text"):
        looks = dict(node.attrib)
        looks |= dict(look.split(":") for look in node.get("style", "").split(";") if look)
        size = float(looks.get("font-size", root.get("font-size")).removesuffix("px"))
        words = "".join(node.itertext())
        width = measure(Words(words, bold=looks.get("font-weight") in ("700", "bold"), size=size))[
            0
        ]
        anchor = {"start": 0.0, "middle": 0.5, "end": 1.0}[looks.get("text-anchor", "start")]
        left, foot = float(node.get("x")) - anchor * width, float(node.get("y"))
        # From a little under the baseline to the height of capitals, downwards as SVG counts.
        found.append((words, Box(left, foot - 0.75 * size, left + width, foot + 0.2 * size)))
    return found


def mark_boxes(svg: str) -> list[Box]:
    councils = [Box(x - 2, y - 2, x + 2, y + 2) for x, y in dots(svg)]
    return councils + [
        Box(x - 2, y - 2, x + 2, y + 2)
        for node in etree.fromstring(svg).iter(f"{SVG}use")
        for x, y in [(float(node.get("x")), float(node.get("y")))]
        if (x, y) != (0, float(etree.fromstring(svg).get("viewBox").split()[3]))  # a filled area
    ]


def collisions(svg: str) -> list[str]:
    height = float(etree.fromstring(svg).get("viewBox").split()[3])
    boxes, marks = text_boxes(svg), mark_boxes(svg)
    found = [f"{a} | {b}" for (a, x), (b, y) in combinations(boxes, 2) if x.overlaps(y)]
    found += [f"{words} | mark" for words, box in boxes for mark in marks if box.overlaps(mark)]
    for words, box in boxes:
        if box.left < 0 or box.right > WIDTH or box.bottom < 0 or box.top > height:
            found.append(f"{words} | edge")
    return found


@pytest.mark.parametrize("name", CHARTS)
def test_same_bytes_whatever_the_analyst_has_set(name: str) -> None:
    first = CHARTS[name]()
    with matplotlib.rc_context({"svg.fonttype": "path", "font.size": 30, "lines.linewidth": 9}):
        assert CHARTS[name]() == first
        assert matplotlib.rcParams["font.size"] == 30, "the analyst's own settings are given back"


def test_same_bytes_in_another_process_with_another_hash_seed() -> None:
    program = "import awkward_charts as a; print('\\n'.join(a.awkward_charts(4).values()))"
    drawn = []
    for seed in ("1", "2"):
        paths = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "tests")))
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()[-500:]
        drawn.append(done.stdout)
    assert drawn[0] == drawn[1] and drawn[0].count(b"<svg") >= 30
    assert drawn[0].decode() == "\n".join(awkward_charts(4).values()) + "\n"


@pytest.mark.parametrize("name", CHARTS)
def test_small_text_as_text_own_ids_nothing_active(name: str) -> None:
    svg = CHARTS[name]()
    assert len(svg.encode()) <= 20_000
    check_svg(svg)
    assert "<text" in svg and "DejaVu" not in svg
    ids = re.findall(r'id="([^"]+)"', svg)
    assert len(ids) == len(set(ids)) and all(each.startswith("fig-a--") for each in ids)
    assert set(re.findall(r'href="#([^"]+)"', svg)) == set(ids)
    assert not re.search(r"\d\.\d{3}", svg)
    assert "url(" not in svg
    assert not collisions(svg)


def test_the_collision_check_can_fail() -> None:
    svg = CHARTS["spc"]()
    words = re.search(r"<text[^>]*>[^<]*</text>", svg)
    assert words
    assert collisions(svg.replace(words[0], words[0] * 2))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    values=st.lists(st.floats(-3, 3).map(lambda v: round(v, 2)), min_size=1, max_size=48),
    gaps=st.sets(st.integers(0, 47), max_size=6),
    level=st.sampled_from([0.0, 39.0, -40.0, 1_234_567.0]),
    unit=st.sampled_from(["%", "£", "days", "per 1,000 people", "score"]),
    frequency=st.sampled_from(["quarterly", "monthly", "annual", "termly"]),
    horizon=st.sampled_from([0, 0, 4, 8]),
    happened=st.lists(st.tuples(st.integers(0, 47), st.sampled_from(KINDS)), max_size=9),
    is_stale=st.booleans(),
    target=st.none() | st.floats(-4, 4) | st.just(1e6),
    limits=st.booleans(),
)
def test_labels_never_collide(
    values: list[float],
    gaps: set[int],
    level: float,
    unit: str,
    frequency: str,
    horizon: int,
    happened: list[tuple[int, str]],
    is_stale: bool,
    target: float | None,
    limits: bool,
) -> None:
    scale = max(1.0, abs(level) / 40)
    series = [level + scale * v if i not in gaps else np.nan for i, v in enumerate(values)]
    if not np.isfinite(series).any():
        series[0] = level
    goal = np.nan if target is None else level + scale * target
    points = make_points(series, frequency=frequency, limits=limits, target=goal)
    placed = [(at % len(points), kind) for at, kind in happened]
    svg = draw_spc(
        points,
        events=make_events(points, *placed, until=len(points) - 1) if placed else None,
        is_stale=is_stale,
        unit=unit,
        decimals=1,
        polarity="lower",
        id="fig-a",
        forecast=make_fan(points, horizon, scale) if horizon else None,
        frequency=frequency,
    )
    assert not collisions(svg)
    assert len(svg.encode()) <= 20_000


def test_line_breaks_at_a_missing_value_and_at_a_missing_row() -> None:
    def moves(points: pd.DataFrame) -> int:
        svg = draw_spc(points, unit="%", decimals=1, polarity="higher", id="fig-a")
        lines = etree.fromstring(svg).iter(f"{SVG}path")
        blue = [line for line in lines if "fill:none;stroke:#12436d" in line.get("style", "")]
        return str(blue[0].get("d")).count("M")

    whole = make_points([40.0, 41, 42, 41, 40, 42, 41])
    assert moves(whole) == 1
    assert moves(whole.assign(value=whole["value"].where(whole.index != 3))) == 2
    assert moves(whole.drop(index=3)) == 2


def test_points_are_marked_by_shape_and_provisional_ones_are_hollow() -> None:
    svg = spc([40, 41, 40, 41, 40, 90, 40, 41, 40, 41, 40, -10, 40])
    text = svg.lower()
    assert text.count("fill:#f46a25") == 1 and "fill:#ffffff;stroke:#12436d" in text
    flipped = make_points([40, 41, 40, 41, 40, 90, 40, 41, 40, 41, 40, -10, 40])
    flipped["point_type"] = "common_cause"
    plain = draw_spc(flipped, unit="%", decimals=1, polarity="higher", id="fig-a")
    assert "f46a25" not in plain.lower()


def test_axis_names_the_councils_years_and_never_a_calendar_quarter() -> None:
    words = " ".join(text for text, _ in text_boxes(spc([40.0] * 12)))
    assert "2019-20" in words and "2021-22" in words and not re.search(r"\bQ\d", words)
    few = " ".join(text for text, _ in text_boxes(spc([40.0, 41.0, 42.0, 40.0])))
    assert [word for word in few.split() if re.fullmatch(r"Q\d", word)] == ["Q4", "Q3", "Q2", "Q1"]
    assert "Q1 Apr to Jun" in few and "Q4 Jan to Mar" in few, "months named once, under the number"
    assert "2019-20" in few
    calendar = spc([40.0, 41.0, 42.0, 40.0], year_type="calendar")
    assert "Q2 Apr to Jun" in " ".join(text for text, _ in text_boxes(calendar))
    academic = make_points([40.0] * 9, frequency="termly")
    svg = draw_spc(
        academic,
        unit="%",
        decimals=1,
        polarity="higher",
        id="f",
        frequency="termly",
        year_type="academic",
    )
    assert "2019/20" in svg


def test_target_far_away_is_named_without_flattening_the_history() -> None:
    svg = draw_spc(
        make_points([40.0, 41, 42, 40], target=4400.0),
        unit="%",
        decimals=0,
        polarity="higher",
        id="fig-a",
    )
    words = [text for text, _ in text_boxes(svg)]
    assert "Target 4,400%" in words and "(off this chart)" in words
    assert "4,000%" not in words


def test_series_without_any_value_is_a_problem() -> None:
    nothing = make_points([40.0, 41.0]).assign(value=np.nan)
    with pytest.raises(PmfError):
        draw_spc(nothing, unit="%", decimals=1, polarity="higher", id="fig-a")
    with pytest.raises(PmfError):
        draw_gap(nothing.assign(peer_median=1.0), unit="%", decimals=1, id="fig-a")


def test_forecast_without_values_is_no_forecast() -> None:
    values = [40.0, 41, 42, 40]
    refused = make_fan(make_points(values), 4, 1.0).assign(**dict.fromkeys(("q05", "q50"), np.nan))
    assert spc(values, forecast=refused) == spc(values, forecast=refused.iloc[:0]) == spc(values)


@pytest.mark.filterwarnings("error")
def test_signs_that_the_font_lacks_are_measured_without_a_word() -> None:
    assert measure(Words("Bins \U0001f5d1 collected"))[0] > measure(Words("Bins collected"))[0]


def test_unit_in_words_stands_once_in_a_range() -> None:
    words = [text for text, _ in text_boxes(spc([40.0, 41, 42, 40, 41, 43], unit="people"))]
    assert "37.4 to 44.9 people" in words


def band(svg: str) -> list[str]:
    """Heights of the corners of the usual range."""
    area = re.search(
        r'd="M([^"]+)z" id="([^"]+)"/></defs><use xlink:href="#\2"[^>]+fill:#eceff1', svg
    )
    assert area
    return [corner.split()[1] for corner in area[1].split("L")]


def edges(svg: str, dashes: str) -> list[float]:
    """Heights of level dashed lines."""
    return [float(path.split()[1].split("h")[0]) for path in paths(svg, f"dasharray:{dashes};")]


def test_usual_range_follows_the_season_as_its_points_do() -> None:
    points = make_points([40.0, 50, 45, 55] * 4)
    plain = draw_spc(points, unit="%", decimals=1, polarity="higher", id="fig-a")
    season = np.tile([-5.0, 5, 0, 10], 4)
    for name in ("lower_limit", "upper_limit", "mean"):
        points[name] += season
    seasonal = draw_spc(points, unit="%", decimals=1, polarity="higher", id="fig-a")
    assert len(set(band(plain))) == 2 and len(set(band(seasonal))) == 8
    assert "for the time of year" in seasonal and "for the time of year" not in plain
    assert not collisions(seasonal)


def test_signals_of_earlier_periods_are_small_and_muted() -> None:
    svg = spc([40, 41, 40, 90, 40, 41, 40, 41, 40, 41, -10, 40, 41]).lower()
    assert svg.count("fill:#6f8ca9") == 1 and svg.count("fill:#f46a25") == 1
    assert "fill:#bc7f5f" in spc([40, 41, 40, -90, *[40, 41] * 4]).lower()


def paths(svg: str, *looks: str) -> list[str]:
    """Shapes of the paths that have all of these looks."""
    nodes = etree.fromstring(svg).iter(f"{SVG}path")
    return [
        str(node.get("d")) for node in nodes if all(look in node.get("style", "") for look in looks)
    ]


LONG = [40.0, 41, 42, 41, 40, 42, 41, 40, 39, 41, 42, 41, 40, 42, 41, 40]


def numbers(svg: str) -> list[str]:
    return [words for words, _ in text_boxes(svg) if re.fullmatch(r"\d+", words)]


def test_what_happened_is_numbered_over_a_thin_line_and_only_the_newest_six() -> None:
    points = make_points(LONG)
    all_kinds = make_events(points, *((at, "annotation") for at in range(2, 11)))
    assert numbers(spc(points, events=all_kinds)) == ["4", "5", "6", "7", "8", "9"]
    one = spc(points, events=make_events(points, (8, "annotation")))
    (line,) = paths(one, "stroke-dasharray:5,3")
    x = float(line.removeprefix("M").split()[0])
    marks = [float(node.get("x")) for node in etree.fromstring(one).iter(f"{SVG}use")]
    spots = sorted({place for place in marks if place})
    assert x == pytest.approx((spots[7] + spots[8]) / 2, abs=0.1), "the start of the period"
    assert numbers(spc(points)) == []
    beyond = make_events(points, (8, "annotation")).assign(period=pd.Timestamp("2040-01-01"))
    assert numbers(spc(points, events=beyond)) == []


def test_suggested_steps_do_not_look_recorded() -> None:
    points = make_points(LONG)
    recorded, suggested = (
        spc(points, events=make_events(points, (8, kind))) for kind in ("rebase", "suggested_step")
    )
    assert paths(recorded, "stroke-dasharray:5,3") and not paths(recorded, "stroke-dasharray:1,2.5")
    assert paths(suggested, "stroke-dasharray:1,2.5") and not paths(suggested, "dasharray:5,3")
    assert paths(recorded, "fill:#505a5f;stroke:#505a5f")
    assert paths(suggested, "fill:#ffffff;stroke:#505a5f")


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_change_of_what_is_measured_breaks_the_line(kind: str) -> None:
    points = make_points(LONG)
    (line,) = paths(spc(points, events=make_events(points, (8, kind))), "fill:none;stroke:#12436d")
    assert line.count("M") == (2 if kind in ("definition", "boundary") else 1)


def test_exceptional_periods_are_hatched_and_what_they_leave_out_is_crossed() -> None:
    points = make_points(LONG)
    points.loc[[4, 5, 6], "point_type"] = "missing"
    svg = spc(points, events=make_events(points, (4, "exceptional"), until=7))
    (hatch,) = paths(svg, "stroke:#aeb6ba")
    assert hatch.count("M") > 20, "slanting lines, seen without colour"
    assert svg.count("<use") - spc(points).count("<use") == 0
    crosses = re.search(r'<g style="fill:#ffffff;stroke:#505a5f[^>]*>(.*?)</g>', svg)
    assert crosses and crosses[1].count("<use") == 3
    uncharted = points.assign(mean=np.nan, lower_limit=np.nan, upper_limit=np.nan)
    uncharted["point_type"] = "common_cause"
    short = spc(uncharted, events=make_events(points, (4, "exceptional"), until=7))
    found = re.search(r'<g style="fill:#ffffff;stroke:#505a5f[^>]*>(.*?)</g>', short)
    assert found and found[1].count("<use") == 3


def test_limits_kept_beyond_their_baseline_are_open_dotted_and_named() -> None:
    points = make_points(LONG)
    plain = spc(points)
    frozen = spc(points, events=make_events(points, (0, "baseline"), until=8))
    assert plain.count("fill:#eceff1") == frozen.count("fill:#eceff1") == 1
    assert len(band(plain)) == len(band(frozen)) and len(edges(plain, "3.6,2.7")) == 2
    # Kept beyond its periods the range is only a pair of dotted lines, at the same heights.
    assert edges(frozen, "0.9,1.8") == edges(frozen, "3.6,2.7")[:2] == edges(plain, "3.6,2.7")
    words = [text for text, _ in text_boxes(frozen)]
    assert words[words.index("Usual range of") + 1 :][:2] == ["Period 0 to", "Period 7:"]
    assert "Usual range" in [text for text, _ in text_boxes(plain)]


def test_late_newest_value_carries_its_period() -> None:
    assert "(Period 15)" not in spc(LONG)
    for late in (spc(LONG, is_stale=True), spc([*LONG, np.nan])):
        assert "(Period 15)" in late


def test_revised_values_are_ringed() -> None:
    points = make_points(LONG)
    points.loc[3, "status"] = "revised"
    assert spc(points).count("<use") == spc(LONG).count("<use") + 1


def test_figures_of_a_wider_area_are_neither_better_nor_worse() -> None:
    values = [40, 41, 40, 41, 40, 41, 40, 90, 40, 41, 40, 41, 40, -10, 40]
    assert "#f46a25" in spc(values).lower()
    neutral = spc(values, control="city").lower()
    assert "#f46a25" not in neutral and "fill:#505a5f;stroke:#ffffff" in neutral
    assert "#6f8ca9" not in spc(values + [40.0] * 9, control="city").lower()


def make_panel(**known: object) -> Panel:
    points = make_points([40.0, 41, 43, 40, 39, 44], target=44.0).assign(status="final")
    fields = {"title": "Recycling", "value_text": "39.8%", "status": "improving", "points": points}
    return Panel(**fields | known)  # type: ignore[arg-type]


def pictures(svg: str) -> list[etree._Element]:
    return list(etree.fromstring(f"<p>{svg}</p>"))


def test_panels_are_separate_pictures_of_one_look() -> None:
    svg = draw_multiples([make_panel(), make_panel(title="A < B", word="Improving")], id="fig-a")
    check_svg(svg)
    assert svg == draw_multiples(
        [make_panel(), make_panel(title="A < B", word="Improving")], id="fig-a"
    )
    one, two = pictures(svg)
    assert one.get("aria-hidden") == two.get("aria-hidden") == "true" and one.get("id") != two.get(
        "id"
    )
    said = [words for words, _ in text_boxes(etree.tostring(two).decode())]
    assert said == ["A < B", "39.8%", "Improving", "Period 0", "Period 5"]
    assert "NaN" not in svg and "nan" not in svg


def test_panels_of_a_whole_theme_stay_small_whatever_they_hold() -> None:
    season = np.tile([-5.0, 5, 0, 10], 12)
    points = make_points(list(40 + season + np.arange(48) % 7), frequency="monthly")
    for name in ("mean", "lower_limit", "upper_limit"):
        points[name] += season
    points["target"] = 40.0 + np.arange(48) // 12
    title = "Residual household waste collected per household"
    panel = make_panel(
        title=title, value_text="£14.2 per 10,000 households", points=points, word="W"
    )
    svg = draw_multiples([panel] * 12, id="small-multiples")
    assert len(svg.encode()) <= 20_000
    for picture in pictures(svg):
        width = float(picture.get("viewBox").split()[2])
        boxes = text_boxes(etree.tostring(picture).decode())
        assert not [box for box in boxes if box[1].left < 0 or box[1].right > width]
        assert not any(a.overlaps(b) for (_, a), (_, b) in combinations(boxes, 2))


def test_newest_point_of_a_panel_has_the_shape_of_its_status_and_is_hollow_if_provisional() -> None:
    final = make_panel().points
    provisional = final.assign(status=["final"] * 5 + ["provisional"])
    drawn = {
        (status, len(set(points["status"]))): draw_multiples(
            [make_panel(status=status, points=points)], id="f"
        ).rsplit("<g", 1)[1]
        for status in ("improving", "worsening", "no_clear_change", "rising")
        for points in (final, provisional)
    }
    assert "F46A25" in drawn["worsening", 1] and 'fill="#FFFFFF"' in drawn["worsening", 2]
    assert 'fill="#FFFFFF"' not in drawn["improving", 1]
    assert drawn["no_clear_change", 1] == drawn["rising", 1] != drawn["rising", 2]
    shapes = {look.split(">")[1] for (_, count), look in drawn.items() if count == 1}
    assert len(shapes) == 3


def test_panels_without_a_value_are_left_out_and_gaps_break_their_lines() -> None:
    points = make_panel().points
    nothing = make_panel(points=points.assign(value=np.nan))
    assert len(pictures(draw_multiples([make_panel(), nothing], id="f"))) == 1
    with pytest.raises(PmfError):
        draw_multiples([nothing], id="f")
    gap = points.assign(value=points["value"].where(points.index != 3))
    (broken,) = pictures(draw_multiples([make_panel(points=gap)], id="f"))
    line = broken.xpath("//*[@stroke-linejoin='round']/@d")[0]
    assert line.count("M") == 2


def own_place(svg: str) -> float:
    """The horizontal place of the own marker of a strip of one row: the last mark drawn."""
    return float(list(etree.fromstring(svg).iter(f"{SVG}use"))[-1].get("x"))


def test_strip_puts_better_to_the_right_whatever_the_polarity() -> None:
    high = own_place(draw_strip([make_row("A", "higher", own=6.9)], id="s"))
    low = own_place(draw_strip([make_row("A", "lower", own=6.9)], id="s"))
    unjudged = own_place(draw_strip([make_row("A", "none", own=6.9)], id="s"))
    assert low < high == unjudged
    words = draw_strip([make_row("A", "none")], id="s")
    assert "Higher" in words and "Better" not in words and "3rd highest" in words


def test_strip_has_the_rank_of_the_table_where_a_rank_counts_from_a_range() -> None:
    row = make_row("A", "range", own=4.2)
    svg = draw_strip([row], id="s")
    assert ">3rd of 5<" in svg and "highest" not in svg, "rank 3 is the third nearest the range"
    unranked = replace(row.facts, more={**row.facts.more, "rank": Figure(None, "")})
    assert "highest" not in draw_strip([StripRow(unranked, row.peers)], id="s")


def test_strip_marker_follows_the_verdict_and_missing_peers_are_left_out() -> None:
    worse, better = (draw_strip([make_row("A", verdict=v)], id="s") for v in ("worse", "better"))
    assert "f46a25" in worse.lower() and "f46a25" not in better.lower()
    assert "fill:#12436d" in better.lower()
    for verdict, whole in (("somewhat_worse", worse), ("somewhat_better", better)):
        mild = draw_strip([make_row("A", verdict=verdict)], id="s")
        shape, filled = (
            next(node.get("d") for node in etree.fromstring(svg).iter() if node.get("id"))
            for svg in (mild, whole)
        )
        assert re.sub(r"[-\d. ]+", "", shape) == re.sub(r"[-\d. ]+", "", filled)
        assert not re.search("f46a25|fill:#12436d", mild.lower()), "open, in ink, does not shout"
    assert len(dots(better)) == 4 and len(list(etree.fromstring(better).iter(f"{SVG}use"))) == 1
    absent = draw_strip([make_row("A", own=float("nan"))], id="s")
    assert "no value" in absent and "3rd" not in absent


def test_full_strip_stays_small_and_its_long_titles_do_not_collide() -> None:
    named, peers = {"polarity": "lower", "unit": "kg", "decimals": 0}, list(np.linspace(30, 50, 17))
    row = {"value": 40.0, "peer_q1": 35.0, "peer_q3": 45.0, "peer_median": 40.0, "rank": 9}
    row |= {"rank_of": 18, "verdict": "similar"}
    rows = [
        StripRow(ComparisonFacts.of(row, Subject.of({**named, "short_title": title}, "Us")), peers)
        for title in (f"Residual household waste collected per household {n}" for n in range(12))
    ]
    svg = draw_strip(rows, id="fig-a")
    assert len(svg.encode()) <= 20_000
    assert not collisions(svg)


def strip_of(values: list[float], own: float, **known: object) -> str:
    row = make_row("A", **known)  # type: ignore[arg-type]  # mixed settings
    facts = replace(row.facts, more={**row.facts.more, "value": Figure(own, str(own))})
    return draw_strip([StripRow(facts, values)], id="s")


def test_councils_of_one_value_are_seen_to_be_several() -> None:
    equal = dots(strip_of([100.0] * 9 + [90.0], 95.0))
    assert len(equal) == len(set(equal)) == 10
    assert len({x for x, _ in equal}) == 2 and len({y for _, y in equal}) == 9
    beside_us = dots(strip_of([95.0, 90.0, 100.0], 95.0))
    heights = sorted({y for _, y in beside_us})
    assert len(heights) == 2, "the council with our value is not hidden under our marker"
    assert len(dots(strip_of([1.0, 2.0, 3.0, 4.0], 2.5))) == 4
    far_apart = {y for _, y in dots(strip_of([1.0, 2.0, 3.0, 4.0], 2.5))}
    assert len(far_apart) == 1, "nobody leaves the row without need"


def test_strip_says_how_far_chance_could_move_our_rank() -> None:
    row = make_row("A")
    plain = draw_strip([row], id="s")
    ranged = draw_strip([StripRow(replace(row.facts, rank_range="2nd to 5th"), row.peers)], id="s")
    assert ">2nd to 5th<" in ranged and ">3rd of 5<" in ranged and "2nd to 5th" not in plain
    unjudged = [make_row("A", "none"), make_row("B", "range")]
    told = [StripRow(replace(r.facts, rank_range="2nd to 5th"), r.peers) for r in unjudged]
    assert not collisions(draw_strip(told, id="s"))
    absent = make_row("A", own=float("nan"))
    facts = replace(absent.facts, rank_range="2nd to 5th")
    assert "2nd to 5th" not in draw_strip([StripRow(facts, absent.peers)], id="s")


def test_strip_of_a_wider_area_has_no_better_end() -> None:
    row = make_row("A", verdict="worse")
    city = replace(row.facts, subject=replace(row.facts.subject, is_city=True), verdict="lower")
    svg = draw_strip([StripRow(city, row.peers)], id="s")
    assert ">Higher →<" in svg and "Better" not in svg and "f46a25" not in svg.lower()


def own_mark(svg: str) -> str:
    """Colour of our own mark, the last that is drawn; black is that of the picture itself."""
    style = str(list(etree.fromstring(svg).iter(f"{SVG}use"))[-1].get("style")).lower()
    found = re.search("fill:(#[0-9a-f]+)", style)
    return found[1] if found else "#0b0c0c"


@pytest.mark.parametrize(
    ("label", "polarity", "control", "verdict", "colour"),
    [
        ("low_998", "higher", "council", "", "#f46a25"),
        ("low_998", "lower", "council", "", "#12436d"),
        ("high_998", "higher", "council", "", "#12436d"),
        ("high_998", "none", "council", "", "#0b0c0c"),
        ("high_998", "higher", "city", "", "#0b0c0c"),
        ("low_95", "higher", "council", "", "#0b0c0c"),
        ("within", "higher", "council", "", "#0b0c0c"),
        ("low_998", "higher", "council", "similar", "#0b0c0c"),
        ("within", "higher", "council", "worse", "#f46a25"),
    ],
)
def test_our_mark_in_a_funnel_says_what_the_words_say(
    label: str, polarity: str, control: str, verdict: str, colour: str
) -> None:
    peers, limits = make_funnel()
    peers.loc[peers["is_own"], "label"] = label
    svg = funnel(peers, limits, polarity=polarity, control=control, verdict=verdict)
    assert own_mark(svg) == colour


def test_funnel_shows_every_council_and_names_the_few_outside() -> None:
    peers, limits = make_funnel(15)
    svg = funnel(peers, limits)
    assert len(dots(svg)) == 15 and "Council" not in svg and "Westshire 39.3%" in svg
    peers.loc[[1, 12], "label"] = ["low_998", "high_998"]
    peers.loc[[3, 4], "label"] = ["low_95", "high_95"]
    named = [words for words, _ in text_boxes(funnel(peers, limits)) if "Council" in words]
    assert sorted(named) == ["Council 1", "Council 12"]
    peers.loc[[9, 10], "label"] = "low_998"
    assert "Council" not in funnel(peers, limits), "four are too many to name"
    peers.loc[2, "value"] = np.nan
    peers.loc[3, "denominator"] = 0.0
    assert len(dots(funnel(peers, limits))) == 13
    with pytest.raises(PmfError):
        funnel(peers.assign(value=np.nan), limits)
    assert len(dots(funnel(peers, limits.iloc[:0]))) == 13, "without limits"


def test_sizes_are_written_as_councils_write_them() -> None:
    def sizes(largest: float) -> list[str]:
        boxes = text_boxes(funnel(*make_funnel(15, largest=largest)))
        foot = max(box.bottom for words, box in boxes if "based on" not in words)
        return [words for words, box in boxes if abs(box.bottom - foot) < 1]

    assert sizes(3_900.0) == ["1,000", "2,000", "3,000"], "up to 20-fold the scale is linear"
    assert sizes(20_100.0) == ["200", "500", "1,000", "2,000", "5,000", "10,000", "20,000"]
    assert sizes(2_000_000.0) == ["1,000", "10,000", "100,000", "1m"]


def test_limits_of_a_funnel_are_smooth_named_and_within_the_scale() -> None:
    svg = funnel(*make_funnel(15, centre=99.0, largest=400.0))
    words = [text for text, _ in text_boxes(svg)]
    assert words.count("99.8%") == words.count("95%") == 2
    assert words[words.index("Combined value") :][:3] == [
        "Combined value",
        "of the others",
        "99.0%",
    ]
    top = min(box.top for text, box in text_boxes(svg) if text == "100%")
    drawn = re.findall(r'd="M ([^"]+)" style="fill:none;stroke:#505a5f', svg)
    heights = [float(y) for path in drawn for _, y in re.findall(r"([\d.]+) ([\d.]+)", path)]
    assert min(heights) > top - 12, "no limit above 100%"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    count=st.integers(5, 60),
    centre=st.sampled_from([0.3, 40.0, 99.6]),
    spread_by=st.sampled_from([0.0, 1.0, 8.0]),
    largest=st.sampled_from([201.0, 3_000.0, 5e6]),
    outside=st.sets(st.integers(0, 4), max_size=3),
)
def test_words_of_a_funnel_never_collide(
    count: int, centre: float, spread_by: float, largest: float, outside: set[int]
) -> None:
    peers, limits = make_funnel(count, centre=centre, spread_by=spread_by, largest=largest)
    peers.loc[peers.index.isin(outside), "label"] = "low_998"
    svg = funnel(peers, limits)
    assert not collisions(svg)
    assert len(dots(svg)) == count
    assert sum("Westshire" in words for words, _ in text_boxes(svg)) == 1


def test_all_councils_of_the_country_fit_in_one_small_picture() -> None:
    for largest in (2_000.0, 2e6):
        svg = funnel(*make_funnel(350, largest=largest), id="funnel-household-waste-recycled")
        assert len(svg.encode()) <= 20_000 and len(dots(svg)) == 350


def test_quadrant_puts_low_cost_left_and_better_performance_up() -> None:
    def own(cost: float, performance: float) -> tuple[float, float]:
        svg = quadrant(make_pair(6, ((cost, performance),)))
        mark = list(etree.fromstring(svg).iter(f"{SVG}use"))[-1]
        return float(mark.get("x")), float(mark.get("y"))

    cheap, dear = own(10, 50), own(90, 50)
    assert cheap[0] < dear[0] and cheap[1] == dear[1]
    assert own(50, 90)[1] < own(50, 10)[1], "heights of SVG count downwards"
    boxes = dict(text_boxes(quadrant(make_pair())))
    corner = {code: boxes[QUADRANT_WORDS[f"{code}_performance"]] for code in QUARTERS}
    assert corner["low_cost_high"].right < corner["high_cost_high"].left
    assert corner["low_cost_high"].top < corner["low_cost_low"].bottom
    assert corner["high_cost_high"].top < corner["high_cost_low"].bottom


def test_middle_of_a_quadrant_is_that_of_the_verdicts() -> None:
    assert funnel_module.MIDDLE == benchmarking.MIDDLE


def test_quadrant_joins_our_years_and_shows_the_others_of_the_newest() -> None:
    rows = make_pair(15, ((60, 40), (50, 80), (30, 70)))
    old = rows[~rows["is_own"]].assign(is_newest=False, year_label="2024-25")
    svg = quadrant(pd.concat([rows, old], ignore_index=True))
    assert len(dots(svg)) == 15
    words = [text for text, _ in text_boxes(svg)]
    assert {"2023-24", "2024-25", "Westshire 2025-26"} <= set(words)
    (line,) = paths(svg, "fill:none;stroke:#0b0c0c")
    assert line.count("L") == 2
    shuffled = quadrant(rows.sample(frac=1, random_state=1))
    assert shuffled == quadrant(rows)
    alone = quadrant(make_pair(15, ()))
    assert len(dots(alone)) == 15 and "Westshire" not in alone
    with pytest.raises(PmfError):
        quadrant(rows.assign(cost_percentile=np.nan))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    own=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=5),
    count=st.integers(5, 80),
)
def test_words_of_a_quadrant_never_collide(own: list[tuple[float, float]], count: int) -> None:
    svg = quadrant(make_pair(count, tuple(own)))
    assert not collisions(svg) and "Westshire" in svg


def test_usual_range_of_the_gap_follows_the_others() -> None:
    gaps = make_gaps(13, upper_limit=-2.0, lower_limit=-4.5)
    svg = gap_chart(gaps)
    lines = paths(svg, "stroke-dasharray", "stroke:#505a5f")
    assert len(lines) == 2
    others = paths(svg, "fill:none;stroke:#505a5f;stroke-width:1.6")[0]

    def heights(path: str) -> Any:
        return np.array([float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", path)])

    apart = [heights(line) - heights(others) for line in lines]
    assert [round(each.max() - each.min()) for each in apart] == [0, 0]
    assert sorted(each.mean() for each in apart)[0] > 0, "both below the others"
    assert "Our average" in svg
    short = gap_chart(make_gaps(5, mean=np.nan, upper_limit=np.nan, lower_limit=np.nan))
    assert "Our average" not in short and not paths(short, "stroke-dasharray")
    bare = make_gaps(5)[["period", "value", "peer_median"]]
    assert gap_chart(bare) == short, "columns that an older run has not are not known"


@pytest.mark.parametrize(
    ("gap", "direction", "polarity", "control", "colour"),
    [
        (-6.0, np.nan, "higher", "council", "fill:#f46a25"),
        (-6.0, np.nan, "lower", "council", "fill:#12436d;stroke:#ffffff"),
        (0.0, np.nan, "higher", "council", "fill:#12436d;stroke:#ffffff"),
        (-3.2, 1, "higher", "council", "fill:#12436d;stroke:#ffffff"),
        (-6.0, np.nan, "none", "council", "fill:#505a5f;stroke:#ffffff"),
        (-6.0, np.nan, "higher", "city", "fill:#505a5f;stroke:#ffffff"),
    ],
)
def test_unusual_gaps_have_shapes(
    gap: float, direction: float, polarity: str, control: str, colour: str
) -> None:
    gaps = make_gaps(13).assign(direction=np.nan)
    plain = gap_chart(gaps, polarity=polarity, control=control).lower()
    gaps.loc[12, "peer_median"] = gaps["value"].iloc[12] - gap
    gaps.loc[12, ["rule", "direction"]] = ["outside_limits", direction]
    svg = gap_chart(gaps, polarity=polarity, control=control).lower()
    assert colour in svg and colour not in plain


def test_periods_before_the_council_existed_are_hollow() -> None:
    gaps = make_gaps(13)
    gaps["is_as_if"] = [True] * 4 + [False] * 9
    gaps.loc[2, "rule"] = "shift"
    plain, hollow = gap_chart(make_gaps(13)), gap_chart(gaps)
    assert hollow.lower().count("fill:#ffffff;stroke:#12436d") == 4
    assert "fill:#ffffff;stroke:#12436d" not in plain.lower()


@pytest.mark.parametrize("count", [3, 5, 13, 31])
@pytest.mark.parametrize("gap", [-8.0, 0.0, 0.3])
def test_gap_charts_are_small_and_their_words_do_not_collide(count: int, gap: float) -> None:
    gaps = make_gaps(count, gap)
    gaps.loc[gaps.index[::3], "rule"] = "outside_limits"
    svg = gap_chart(gaps)
    assert len(svg.encode()) <= 12_000 and not collisions(svg)


def filled(svg: str) -> int:
    return sum(
        len(list(group.iter(f"{SVG}use")))
        for group in etree.fromstring(svg).iter(f"{SVG}g", f"{SVG}use")
        if group.get("style", "").lower().startswith("fill:#12436d")
    )


@settings(max_examples=25, deadline=None)
@given(
    centre=st.sampled_from([-3.0, 0.0, 42.0, 95.0, 1.2e6]),
    spread_by=st.sampled_from([0.0, 0.004, 0.05]),
    shift=st.floats(-3, 3),
    better=st.sampled_from(["higher", "lower", "range"]),
    is_lumpy=st.booleans(),
)
def test_filled_dots_are_the_dots_that_meet(
    centre: float, spread_by: float, shift: float, better: str, is_lumpy: bool
) -> None:
    width = max(abs(centre), 1.0) * spread_by
    dots = [centre + width * (i - 9.5) / 5 * (i % 2 or not is_lumpy) for i in range(20)]
    edge = round(centre + width * shift, 1)
    target = (edge, edge + width) if better == "range" else edge
    svg = draw_dots(dots, target=target, better=better, unit="%", decimals=1, id="fig-a")
    uses = [(float(u.get("x")), float(u.get("y"))) for u in etree.fromstring(svg).iter(f"{SVG}use")]
    assert len(uses) == 20
    assert min(math.dist(a, b) for a, b in combinations(uses, 2)) >= 13, "no dot on another"
    assert filled(svg) == count_meeting(dots, target, better, 1)
    assert not [each for each in collisions(svg) if "mark" not in each]


@pytest.mark.parametrize("target", [97.3, 99.9, 100.0])
def test_dots_of_a_share_stay_within_100(target: float) -> None:
    dots = sorted(min(100.0, 96 + i / 4) for i in range(20))
    svg = draw_dots(dots, target=target, better="higher", unit="%", decimals=1, id="fig-a")
    right = 730.0  # where the axis ends, at 100
    assert max(float(use.get("x")) for use in etree.fromstring(svg).iter(f"{SVG}use")) <= right
    ticks = [words for words, _ in text_boxes(svg) if "Target" not in words]
    assert ticks[-1] in ("100%", "100.0%") and filled(svg) == sum(d >= target for d in dots)
    beyond = draw_dots([d + 5 for d in dots], target=target, better="higher", **LOOK)
    assert "105" in beyond or "104" in beyond, "a change in per cent may pass 100"


@pytest.mark.parametrize(("target", "opens_right"), [(5.0, False), (15.0, True), (9e9, True)])
def test_narrow_screens_show_the_end_of_the_dots_where_the_target_is(
    target: float, opens_right: bool
) -> None:
    svg = draw_dots([float(i) for i in range(20)], target=target, better="higher", **LOOK)
    assert (style.END_SVG in svg) is opens_right
    assert style.TIMELINE_SVG not in svg, "no words about earlier periods"
    width = float(svg.split('viewBox="0 0 ')[1].split()[0])
    assert f'style="--part:{width / WIDTH:.2g}"' in svg and width <= 436, "a usual phone shows all"


def test_a_newest_value_far_from_the_right_edge_is_named_at_its_point() -> None:
    points = make_points([40.0, 41, 43, 40, 39, 41])
    later = pd.DataFrame({"period": [pd.Timestamp("2023-01-01")], "target": [44.0]})
    boxes = dict(text_boxes(spc(points, targets=later)))
    assert boxes["41.0% latest"].right < boxes["Target 44.0%"].left - 100
    near = dict(text_boxes(spc(points)))
    assert near["41.0% latest"].left == near["Average 40.7%"].left


def test_exactly_on_target_meets_and_so_does_what_is_published_as_the_target() -> None:
    assert count_meeting([44.0, 43.96, 43.94], 44.0, "higher", 1) == 2
    assert count_meeting([44.0, 44.04, 44.06], 44.0, "lower", 1) == 2
    assert count_meeting([39.9, 40.0, 42.0, 42.1], (40.0, 42.0), "range", 0) == 4


def test_dots_that_meet_lie_on_their_side_of_the_target() -> None:
    dots = [43.96] * 10 + [43.0] * 10
    svg = draw_dots(dots, target=44.0, better="higher", unit="%", decimals=1, id="fig-a")
    root = etree.fromstring(svg)
    edge = next(
        float(node.get("d").split()[1])
        for node in root.iter(f"{SVG}path")
        if "stroke:#801650" in node.get("style", "").lower()
    )
    for group in root.iter(f"{SVG}g"):
        meets = group.get("style", "").lower().startswith("fill:#12436d")
        for use in group.iter(f"{SVG}use"):
            assert (float(use.get("x")) > edge) is meets


@given(st.lists(st.floats(-50, 50) | st.just(float("nan")), max_size=60))
def test_spark_is_small_well_formed_and_broken_by_gaps(values: list[float]) -> None:
    svg = draw_spark(values, -10.0, 10.0, id="spark-a")
    known = [value for value in values[-30:] if np.isfinite(value)]
    assert bool(svg) is bool(known)
    if svg:
        check_svg(svg)
        assert len(svg.encode()) < 600
        runs = "".join("v" if np.isfinite(v) else " " for v in values[-30:]).split()
        assert svg.count("M") - 1 == len(runs)


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(5, 40)), min_size=1, max_size=6).map(sorted))
def test_spread_labels_do_not_overlap_and_stay_inside(labels: list[tuple[float, float]]) -> None:
    wanted, heights = [y for y, _ in labels], [h for _, h in labels]
    middles = spread(wanted, heights, 0, 300)
    ends = [(m - h / 2, m + h / 2) for m, h in zip(middles, heights, strict=True)]
    assert all(a[1] <= b[0] + 1e-6 for a, b in pairwise(ends))
    assert ends[0][0] >= -1e-6 and ends[-1][1] <= 300 + 1e-6


def test_spread_leaves_labels_that_have_room_where_they_are() -> None:
    assert spread([50, 100, 200], [10, 10, 10], 0, 300) == [50, 100, 200]


@pytest.mark.parametrize(
    ("values", "unit", "texts"),
    [
        ([36, 38, 40], "%", ["36%", "38%", "40%"]),
        ([0.5, 1.0, 1.5], "days", ["0.5", "1.0", "1.5"]),
        ([1.0e6, 1.2e6], "£", ["£1.0m", "£1.2m"]),
        ([-10, 0, 10], "£", ["−£10", "£0", "£10"]),
        ([2.0, 2.5], "£ million", ["£2.0m", "£2.5m"]),
        ([2e3, 3e3], "£ thousand", ["£2,000k", "£3,000k"]),
        ([10_000, 20_000], "number", ["10,000", "20,000"]),
        ([7.0], "%", ["7%"]),
    ],
)
def test_ticks_are_written_with_just_the_decimals_they_need(
    values: list[float], unit: str, texts: list[str]
) -> None:
    assert tick_texts(values, unit) == texts


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("%", "2.0%"),
        ("£", "£2.0"),
        ("£ per resident", "£2.0"),
        ("£ thousand", "£2.0k"),
        ("£ million", "£2.0m"),
        ("days", "2.0 days"),
        ("per 1,000 people", "2.0"),
        ("", "2.0"),
    ],
)
def test_labels_leave_a_long_unit_to_the_subtitle_but_never_its_scale(unit: str, text: str) -> None:
    assert short_value(2.0, unit, 1) == text


@pytest.mark.parametrize(
    ("median", "side", "far", "edge"), [(97.0, "upper", 9.0, 3.0), (2.0, "lower", -9.0, -2.0)]
)
def test_usual_range_of_the_gap_ends_where_values_do(
    median: float, side: str, far: float, edge: float
) -> None:
    other = {"lower_limit": -1.0, "upper_limit": 1.0, "mean": 0.0}
    gaps = make_gaps(13).assign(value=median + 0.5, peer_median=median, **other)
    limits = [gaps.assign(**{f"{side}_limit": limit}) for limit in (far, edge, edge / 2)]
    drawn = [draw_gap(each, unit="%", decimals=1, id="g") for each in limits]
    assert drawn[0] == drawn[1] != drawn[2]


def year(frequency: str, done: int, level: float, spread_by: float, gap: float) -> pd.DataFrame:
    count = 12 // MONTHS[frequency]
    place = np.arange(1, count + 1)
    ahead = place > done
    middle = level * place * (1 + gap)
    return pd.DataFrame(
        {
            "period": [
                pd.Timestamp("2026-04-01") + pd.DateOffset(months=MONTHS[frequency] * i)
                for i in range(count)
            ],
            "actual": np.where(ahead, np.nan, middle),
            "path": level * place,
            "chance_on_path": np.where(ahead, np.linspace(0, 1, count), np.nan),
            "q05": np.where(ahead, middle - spread_by * (place - done), np.nan),
            "q50": np.where(ahead, middle, np.nan),
            "q95": np.where(ahead, middle + spread_by * (place - done), np.nan),
        }
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["monthly", "quarterly", "termly"]),
    st.integers(0, 12),
    st.sampled_from([0.8, 95.0, 127_800.0, 7_400_000.0]),
    st.floats(0, 2),
    st.floats(-0.3, 0.3),
    st.sampled_from(["%", "visits", "£", "per 1,000 residents aged 65 and over"]),
)
def test_words_of_a_trajectory_never_collide(
    frequency: str, done: int, level: float, spread_by: float, gap: float, unit: str
) -> None:
    rows = year(frequency, done, level, spread_by * level, gap)
    subject = a_subject({"frequency": frequency, "unit": unit})
    svg = draw_trajectory(rows, subject, id="outturn-x")
    assert len(svg.encode()) <= 20_000 and collisions(svg) == []
    assert svg == draw_trajectory(rows.sample(frac=1, random_state=1), subject, id="outturn-x")
    check_svg(svg)
    shown = [words for words, _ in text_boxes(svg) if "%" in words]
    if unit != "%" and len(rows) > done:
        assert "over 95%" in shown  # the chance of the whole year, whatever else had room
    with pytest.raises(PmfError):
        draw_trajectory(rows.assign(actual=np.nan, path=np.nan), subject, id="x")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(*[st.floats(0, 100)] * 4), min_size=1, max_size=9))
def test_bands_of_chances_show_bar_line_and_dot(shares: list[tuple[float, ...]]) -> None:
    bands = [
        ("Our back-tested chances, middling chances", f"said {s:.0f}%, happened {h:.0f}%", rest)
        for rest in shares
        for s, h, *_ in [rest]
    ]
    svg = draw_reliability(bands, id="reliability")
    assert len(svg.encode()) <= 20_000
    check_svg(svg)
    boxes = text_boxes(svg)
    assert not any(a.overlaps(b) for (_, a), (_, b) in combinations(boxes, 2))
    assert svg.count("<use") == len(bands)
    with pytest.raises(PmfError):
        draw_reliability([], id="x")
