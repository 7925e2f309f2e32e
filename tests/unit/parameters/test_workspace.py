"""A whole workspace: found, read, checked across its files, all problems at once."""

import shutil
import subprocess
import sys
from datetime import date

import pytest

from pmf_analysis.parameters.place import WORKSPACE_VARIABLE
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import PmfError, Problems


def _said(action) -> str:
    with pytest.raises(PmfError) as caught:
        action()
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_workspace_is_found_from_within_and_by_the_environment(workspace, monkeypatch, tmp_path):
    inside = workspace.root / "notebooks" / "mine"
    inside.mkdir(parents=True)
    assert Workspace.find(inside) == Workspace(workspace.root.resolve())
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(workspace.root))
    assert Workspace.find(tmp_path.parent) == Workspace(workspace.root.resolve())
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(inside))
    assert "names is not in a workspace" in _said(Workspace.find)


def test_a_folder_that_is_in_no_workspace_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)
    assert _said(lambda: Workspace.find(tmp_path)) == (
        "This folder is not in a workspace: there is no parameters/framework.yml. "
        "Fix: make a workspace with pmf new FOLDER, or work inside one."
    )


def test_everything_declared_is_there(workspace):
    parameters = workspace.load()
    assert [theme.id for theme in parameters.framework.themes] == ["people", "place"]
    assert [i.id for i in parameters.register.for_theme("place")] == ["recycling"]
    assert list(parameters.peer_sets) == ["neighbours"]
    assert parameters.problems == []
    assert sorted(parameters.files) == [
        "parameters/corrections.yml",
        "parameters/framework.yml",
        "parameters/framework_other.yml",
        "parameters/indicators.yml",
        "parameters/peer_sets.yml",
    ]
    other = workspace.load("framework_other.yml")
    assert [i.id for i in other.register.for_theme("streets")] == ["recycling"]


def test_peer_sets_and_corrections_may_be_absent_but_the_register_may_not(workspace):
    for name in ("peer_sets.yml", "corrections.yml"):
        (workspace.parameters / name).unlink()
    assert workspace.load().peer_sets == {}
    (workspace.parameters / "indicators.yml").unlink()
    assert _said(workspace.load) == (
        "parameters/indicators.yml: This file is missing or cannot be opened."
    )


def test_problems_of_all_files_come_at_once_and_in_order(workspace, spoil):
    spoil("framework.yml", "director: director_place", "director: director_plaice")
    spoil("framework_other.yml", "title: Another plan", "titel: Another plan")
    spoil("indicators.yml", "themes: [people]", "themes: [poeple]")
    spoil("indicators.yml", "data_type: rate", "")
    spoil("indicators.yml", "polarity: higher", "polarity: up")
    spoil("peer_sets.yml", "source: Invented", "")
    spoil("corrections.yml", "[]", "none")
    assert _said(workspace.load) == "\n".join(
        [
            'parameters/corrections.yml line 2: "corrections" must be a list, each entry on a line '
            "that begins with a hyphen.",
            'parameters/framework.yml line 9: In "place": director "director_plaice" is not in '
            'this framework. Did you mean "director_place"?',
            'parameters/framework_other.yml line 1: "title" is missing.',
            'parameters/framework_other.yml line 2: "titel" is not a setting here. '
            'Did you mean "title"?',
            'parameters/indicators.yml line 7: In "recycling": "polarity" is "up", which is not '
            "known. It can be higher, lower, range, none or unknown.",
            'parameters/indicators.yml line 11: In "visits": "data_type" is missing. It can be '
            "percentage, survey_percentage, rate, count, money, days, duration, score, index, "
            "ratio, statement, milestone or ordinal.",
            'parameters/indicators.yml line 13: In "visits": theme "poeple" is not in any '
            'framework file. Did you mean "people"?',
            'parameters/peer_sets.yml line 3: In "neighbours": "source" is missing.',
        ]
    )


def test_an_unreadable_framework_makes_no_theme_look_unknown(workspace):
    (workspace.parameters / "framework_other.yml").write_text("a: [", encoding="utf-8")
    assert _said(workspace.load) == (
        "parameters/framework_other.yml line 1: A bracket is opened and never closed."
    )


def test_a_misspelt_framework_is_refused(workspace):
    assert _said(lambda: workspace.load("framwork.yml")) == (
        'There is no framework file "framwork.yml" in parameters. Did you mean "framework.yml"?'
    )
    assert "no framework file" in _said(lambda: workspace.load("../framework.yml"))


def test_faults_of_a_framework(workspace, invalid):
    shutil.copy(invalid / "framework_faults.yml", workspace.parameters / "framework.yml")
    shutil.copy(invalid / "indicators_faults.yml", workspace.parameters / "indicators.yml")
    said = [line.removeprefix("parameters/") for line in _said(workspace.load).splitlines()]
    assert said == [
        'framework.yml line 3: In "westshire": "note" is not a setting here. '
        'Did you mean "notice"?',
        'framework.yml line 4: "year_type" is "fiscal", which is not known. '
        'Did you mean "financial"? It can be financial, academic or calendar.',
        'framework.yml line 11: In "people": director "director_peple" is not in this framework. '
        'Did you mean "director_people"?',
        'framework.yml line 12: "people" is declared twice, on lines 9 and 12.',
        'framework.yml line 15: In "people": "descripton" is not a setting here. '
        'Did you mean "description"?',
        'framework.yml line 19: In "governance": theme "peopel" is not in this framework. '
        'Did you mean "people"?',
        "framework.yml line 20: The chances must fall from too_easy to little_stretch to "
        "challenging to stretch.",
        'framework.yml line 22: verdict "improvng" is not a verdict of pmf. '
        'Did you mean "improving"?',
        "framework.yml line 24: The exceptional period ends before it begins.",
        'indicators.yml line 5: In "recycling": theme "plce" is not in any framework file. '
        'Did you mean "people"?',
        'indicators.yml line 7: In "recycling": "polarity" is "hihger", which is not known. '
        'Did you mean "higher"? It can be higher, lower, range, none or unknown.',
        'indicators.yml line 9: In "recycling": director "director_place" is not in any framework '
        'file. Did you mean "director_people"?',
        'indicators.yml line 10: "recycling" is declared twice, on lines 3 and 10.',
        'indicators.yml line 12: In "recycling": "themes" has nothing in it.',
        'indicators.yml line 13: In "recycling": "data_type" is "percent", which is not known. '
        'Did you mean "percentage"? It can be percentage, survey_percentage, rate, count, '
        "money, days, duration, score, index, ratio, statement, milestone or ordinal.",
        'indicators.yml line 16: In "recycling": alias "visits" already stands for "visits".',
        'indicators.yml line 23: In "visits": "decimals" must be a whole number.',
        'indicators.yml line 24: In "air": polarity "range" needs target_low and target_high.',
        'indicators.yml line 31: In "rolling": accumulation "rolling" needs period_span, '
        'such as "1y".',
    ]


def test_faults_of_corrections(workspace, invalid):
    shutil.copy(invalid / "corrections_faults.yml", workspace.parameters / "corrections.yml")
    said = _said(workspace.load).splitlines()
    assert said[0] == (
        'parameters/corrections.yml line 3: indicator "recyling" is not in the register. '
        'Did you mean "recycling"?'
    )
    assert said[1].startswith("parameters/corrections.yml line 10: Action")
    assert 'line 11: The period "Q4 2022" can mean more than one thing' in said[2]


def test_a_run_is_found_by_name_or_path(workspace, monkeypatch):
    by_name = workspace.load_run("q2")
    assert by_name == workspace.load_run("q2.yml") == workspace.load_run("parameters/runs/q2.yml")
    assert by_name == workspace.load_run(workspace.parameters / "runs" / "q2.yml")
    monkeypatch.chdir(workspace.parameters / "runs")
    assert by_name == workspace.load_run("../runs/q2.yml")
    assert by_name.themes == "all"
    assert _said(lambda: workspace.load_run("q22")) == (
        'There is no run file "q22" in parameters/runs. Did you mean "q2"? Expected q2. '
        "Fix: pmf register draft FILE makes first_report.yml there; copy it and change council, "
        "period and as_at"
    )


def test_faults_of_a_run_file(workspace, invalid):
    said = _said(lambda: workspace.load_run(invalid / "run_many_faults.yml"))
    assert said.splitlines() == [
        'run_many_faults.yml line 1: "period" is missing.',
        'run_many_faults.yml line 4: "perod" is not a setting here. Did you mean "period"?',
        'run_many_faults.yml line 5: "as_at" must be a date such as 2026-10-31, without quotes '
        "and without a time.",
        'run_many_faults.yml line 6: theme "plce" is not in this framework. Did you mean "place"?',
        'run_many_faults.yml line 7: "analyses" is "trend", which is not known. '
        'Did you mean "trends"? It can be trends, benchmarking or target_realism.',
        'run_many_faults.yml line 8: "peer_set" has no value. Write one, or remove the line.',
        'run_many_faults.yml line 9: "seed" must be a whole number.',
    ]


def test_a_run_may_do_without_a_peer_set(workspace, spoil):
    spoil("runs/q2.yml", "peer_set: neighbours", "")
    run = workspace.load_run("q2", store_peer_sets=())
    assert (run.peer_set, "benchmarking" in run.analyses) == ("", True)


BUILT = "characteristics: [recycling], size: 6, among: neighbours"


def test_a_peer_set_may_be_built_or_be_everyone(workspace, spoil):
    spoil("peer_sets.yml", "  - id: neighbours", _set("likest", BUILT))
    spoil("peer_sets.yml", "  - id: neighbours", _set("all", "everyone: true"))
    sets = workspace.load().peer_sets
    assert (sets["likest"].characteristics, sets["likest"].size) == (("recycling",), 6)
    assert [name for name, spec in sets.items() if spec.is_described] == []
    spoil("runs/q2.yml", "peer_set: neighbours", "peer_set: likest")
    assert workspace.load_run("q2", store_peer_sets=()).peer_set == "likest"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("characteristics: [recyclin]", 'indicator "recyclin" is not in the register.'),
        (BUILT.replace("neighbours", "neighbour"), 'Did you mean "neighbours"?'),
        (BUILT.replace("neighbours", "odd"), "another set of this file that is not built itself"),
        (BUILT.replace("6", "4"), '"size" must be at least 5'),
        ("size: 9", '"size" and "among" need characteristics'),
        ("characteristics: []", '"characteristics" has nothing in it'),
        ("everyone: true, members: {X06000002: A}", "keep one"),
        (f"everyone: true, {BUILT}", "keep one"),
    ],
)
def test_a_peer_set_is_made_in_one_way(workspace, spoil, settings, said):
    spoil("peer_sets.yml", "  - id: neighbours", _set("odd", settings))
    assert f'In "odd": {said}' in _said(workspace.load) or said in _said(workspace.load)


def _set(name: str, settings: str) -> str:
    head = f"  - {{id: {name}, title: T, source: S, as_at: 2026-04-01, {settings}}}\n"
    return head + "  - id: neighbours"


PAIR = "value_for_money:\n  - {id: p, title: P, cost: spend, performance: recycling}\ndirectors:"
SPEND = """    aliases: [NI192]
  - {id: spend, title: Spend, themes: [place], data_type: rate, unit: £ per head,
     frequency: annual, director: director_place}"""


def test_a_value_pair_joins_a_cost_and_a_performance(workspace, spoil):
    spoil("indicators.yml", "    aliases: [NI192]", SPEND)
    spoil("framework.yml", "directors:", PAIR)
    (pair,) = workspace.load().framework.value_for_money
    assert (pair.cost, pair.performance) == ("spend", "recycling")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cost: spend", "cost: spent", 'indicator "spent" is not in the register. Did you mean'),
        ("cost: spend", "cost: visits", 'In "p": "visits" is no cost: its unit is not money.'),
        ("performance: recycling", "performance: spend", "a cost and a performance: keep one"),
        ("performance: recycling", "performance: spend", 'no way is declared better for "spend"'),
    ],
)
def test_a_value_pair_is_checked_against_the_register(workspace, spoil, old, new, said):
    spoil("indicators.yml", "    aliases: [NI192]", SPEND)
    spoil("framework.yml", "directors:", PAIR)
    spoil("framework.yml", old, new)
    assert said in _said(workspace.load)


def test_names_of_a_run_are_checked_against_its_framework_and_the_peer_sets(workspace, invalid):
    path = workspace.parameters / "runs" / "q3.yml"
    shutil.copy(invalid / "run_unknown_names.yml", path)
    said = _said(lambda: workspace.load_run("q3", store_peer_sets=["nearest_neighbours"]))
    assert [line.removeprefix("parameters/runs/") for line in said.splitlines()] == [
        'q3.yml line 2: council "eastshire" is not the council of this framework. '
        'Did you mean "westshire"?',
        "q3.yml line 5: as_at 2026-06-30 is before Quarter 2 (July to September) 2026-27 begins, "
        "so nothing of it can be known.",
        'q3.yml line 8: theme "plce" is not in this framework. Did you mean "place"?',
        'q3.yml line 9: peer set "nearest_neighbors" is not given with members in peer_sets.yml '
        'and did not come with the data. Did you mean "nearest_neighbours"?',
        'q3.yml line 11: theme "propserity" is not in this framework. '
        "Expected one of people, place.",
    ]


def test_peer_sets_of_the_store_count_as_known(workspace, spoil):
    spoil("runs/q2.yml", "neighbours", "from_the_data")
    assert workspace.load_run("q2").peer_set == "from_the_data"
    assert workspace.load_run("q2", store_peer_sets={"from_the_data"})
    assert "from_the_data" in _said(lambda: workspace.load_run("q2", store_peer_sets=()))


def test_a_peer_set_of_the_store_is_known_from_its_day_on(workspace, spoil):
    spoil("runs/q2.yml", "neighbours", "from_the_data")
    days = {"from_the_data": date(2031, 1, 1)}
    said = _said(lambda: workspace.load_run("q2", store_peer_sets=days))
    assert 'peer set "from_the_data" is of 2031-01-01, so nobody knew it on the as-at' in said
    assert workspace.load_run("q2", store_peer_sets={"from_the_data": date.min})


def test_a_standard_population_is_told_of_in_plain_words(workspace, spoil):
    wrong = "    standardised_by: age\n    standard_population: {young: 0.0, old: 1.0}\n"
    spoil("indicators.yml", "    aliases: [NI192]\n", wrong)
    assert '"young" must be more than 0.' in _said(workspace.load)


def test_a_peer_set_without_members_describes_one_that_came_with_the_data(workspace, spoil):
    spoil("peer_sets.yml", "    members: {X06000002: Ambleford}\n", "")
    described = workspace.load().peer_sets["neighbours"]
    assert (described.title, described.members) == ("Nearest neighbours", {})
    assert workspace.load_run("q2", store_peer_sets={"neighbours"}).peer_set == "neighbours"
    assert _said(lambda: workspace.load_run("q2", store_peer_sets=())) == (
        'parameters/runs/q2.yml line 5: peer set "neighbours" is not given with members in '
        "peer_sets.yml and did not come with the data."
    )
    spoil("peer_sets.yml", "as_at: 2026-04-01", "as_at: 2026-04-01\n    members: {}")
    assert '"members" has nothing in it.' in _said(workspace.load)


@pytest.mark.parametrize(("as_at", "is_old"), [("2024-10-31", False), ("2024-10-30", True)])
def test_a_peer_set_two_years_older_than_the_run_is_pointed_out(workspace, spoil, as_at, is_old):
    spoil("peer_sets.yml", "as_at: 2026-04-01", f"as_at: {as_at}")
    spoil("runs/q2.yml", "peer_set: neighbours", "peer_set: neighbours\npeer_sets_by_theme:\n"
          "  people: neighbours\n  place: other")  # fmt: skip
    problems = Problems()
    workspace.load_run("q2", problems=problems)
    assert [(problem.level, problem.line()) for problem in problems] == is_old * [
        (
            "warning",
            'parameters/runs/q2.yml line 5: peer set "neighbours" is of 2024-10-30, more than 24 '
            "months before the run's as-at date 2026-10-31. Look for a newer one.",
        )
    ]


def test_a_run_whose_framework_is_misspelt_is_told_so(workspace, spoil):
    spoil("runs/q2.yml", "format: 1", "format: 1\nframework: framework_othr.yml")
    assert _said(lambda: workspace.load_run("q2")) == (
        'parameters/runs/q2.yml line 2: framework "framework_othr.yml" is not a file in '
        'parameters. Did you mean "framework_other.yml"?'
    )


def test_remarks_do_not_stop_a_run(workspace, spoil):
    spoil("indicators.yml", "title: Household waste", "title: Reduce household waste not")
    spoil("indicators.yml", "title: Visits", "short_title: How many people come to our libraries\n"
          "    title: Visits")  # fmt: skip
    spoil("indicators.yml", "rate_base: 1000\n    polarity: higher", "rate_base: 1000")
    lines = [(p.level, p.line()) for p in workspace.load().problems]
    assert lines == [
        (
            "warning",
            'parameters/indicators.yml line 7: In "recycling": the title begins with "Reduce" but '
            'polarity is "higher". One of them is probably wrong.',
        ),
        (
            "info",
            'parameters/indicators.yml line 11: In "visits": no polarity is declared, '
            "so it is not judged.",
        ),
        (
            "warning",
            'parameters/indicators.yml line 12: In "visits": short_title has 7 words; '
            "charts have room for 6.",
        ),
    ]


def test_the_register_as_a_table(workspace):
    frame = workspace.load().register.frame()
    assert frame["indicator"].tolist() == ["recycling", "visits"]
    assert frame["themes"].tolist() == ["place; streets", "people"]
    assert frame["statistic"].tolist() == ["proportion", "rate"]
    assert frame["maximum"].isna().tolist() == [False, True]
    assert str(frame["valid_from"].dtype) == "datetime64[s]"


def test_an_empty_register_has_the_same_columns(workspace):
    full = workspace.load().register.frame()
    (workspace.parameters / "indicators.yml").write_text(
        "format: 1\nindicators: []\n", encoding="utf-8"
    )
    empty = workspace.load().register.frame()
    assert (len(empty), list(empty.columns)) == (0, list(full.columns))


def test_the_workspace_that_ships_is_right(repository, monkeypatch):
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)
    shipped = Workspace.find(repository)
    assert shipped.root == repository
    for run, themes in (("westshire_2026-27_q2", 7), ("westshire_four_2026-27_q2", 4)):
        spec = shipped.load_run(run)
        parameters = shipped.load(spec.framework)
        assert len(parameters.framework.themes) == themes
        assert parameters.framework.council.notice == (
            "Westshire is a fictional council. Every figure in this report is made up."
        )
        in_themes = {theme.id for theme in parameters.framework.themes}
        assert all(in_themes & set(i.themes) for i in parameters.register.indicators.values())
        assert {spec.peer_set, *spec.peer_sets_by_theme.values()} <= set(parameters.peer_sets)
    (section,) = parameters.framework.scorecard
    assert (section.theme, section.id) == (
        "fit_for_purpose_organisation",
        "governance_and_assurance",
    )


def test_reading_parameters_imports_no_pandas():
    code = "import sys, pmf_analysis.parameters.workspace as w; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_peer_set_drawn_up_after_the_run_was_not_known(workspace, spoil):
    spoil("peer_sets.yml", "as_at: 2026-04-01", "as_at: 2026-11-01")
    assert "so nobody knew it on the as-at date 2026-10-31" in _said(
        lambda: workspace.load_run("q2")
    )
