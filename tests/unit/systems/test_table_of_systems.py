"""Every system that pmf is said to work with, and the tests that prove it.

The rows are those of the table of systems in the design; what a later piece of work brings says so.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

UNIT = "tests/unit/systems"
PROVED: dict[str, tuple[str, ...]] = {
    "Pentana": (
        f"{UNIT}/test_pentana.py::test_a_long_report_gives_values_targets_notes_and_what_pentana_says",
        f"{UNIT}/test_pentana.py::test_the_published_layout_has_sub_tables_a_column_a_year_and_words_for_what_is_missing",
        f"{UNIT}/test_pentana.py::test_actions_and_risks_with_and_without_an_indicator",
        f"{UNIT}/test_pentana.py::test_arrows_and_statuses_are_worked_out_again_and_every_disagreement_listed",
        f"{UNIT}/test_pentana_export.py::test_the_four_sheets_come_in_order_with_what_is_mandatory",
        "tests/unit/measures/test_arrows.py::test_ongoing_and_year_to_year_trends",
        "tests/unit/measures/test_arrows.py::test_goldilocks_closer_to_target_is_better",
    ),
    "Power BI live reports": (
        f"{UNIT}/test_powerbi.py::test_every_document_is_what_its_schema_asks_for",
        f"{UNIT}/test_powerbi.py::test_a_broken_document_is_found",
        f"{UNIT}/test_powerbi.py::test_every_table_has_exactly_its_columns_and_types",
        f"{UNIT}/test_powerbi.py::test_the_visual_of_making_data_count_finds_its_fields",
        f"{UNIT}/test_tmdl.py::test_a_model_broken_by_hand_is_not_sound",
    ),
    "Microsoft Office": (
        f"{UNIT}/test_cells.py::test_what_pandas_loses_is_kept",
        "tests/unit/documents/test_word.py::test_every_table_has_header_row_caption_and_columns_that_fit_the_page",
        "tests/unit/documents/test_workbook.py::test_the_analysts_copy_has_line_charts_with_alternative_text_and_true_gaps",
        "tests/unit/documents/test_slides.py::test_chart_is_native_with_gaps_target_and_alternative_text",
    ),
    "SPAR.net and InPhase": (
        f"{UNIT}/test_spar_inphase.py::test_figures_targets_and_commentary_of_one_table",
        f"{UNIT}/test_spar_inphase.py::test_narratives_of_their_own_export_are_kept_word_for_word",
        f"{UNIT}/test_spar_inphase.py::test_an_unknown_column_is_a_clear_error_and_no_row_is_lost",
        f"{UNIT}/test_spar_inphase.py::test_polarity_is_held_against_the_verb_of_the_title",
    ),
    "Microsoft Data Lake": (
        "tests/systems/test_lake.py::test_what_was_imported_is_in_the_lake_and_nowhere_else",
        "tests/systems/test_lake.py::test_papermill_reads_and_writes_notebooks_in_the_lake",
        "tests/systems/test_lake.py::test_every_import_is_a_version_of_the_tables_for_other_programs",
        "tests/systems/test_lake.py::test_what_is_wrong_with_the_lake_is_one_line_soon_and_without_the_key",
    ),
    "Internal systems and open data": (
        "tests/systems/test_sql.py::test_every_kind_of_cell_comes_as_what_it_is",
        "tests/systems/test_sql.py::test_a_database_cannot_be_changed",
        f"{UNIT}/test_importing.py::test_a_tidy_file_becomes_a_vintage",
        "tests/real/test_trafford_files.py::test_every_row_of_the_57_files_is_accounted_for",
    ),
    "Quality of life survey": (
        f"{UNIT}/test_survey.py::test_two_surveys_are_two_proportions",
        f"{UNIT}/test_survey.py::test_a_ward_is_held_against_the_city",
    ),
    "RAG replaced by insight": (
        "tests/unit/story/test_theme_page.py::test_same_data_three_styles",
        "tests/unit/measures/test_council_status.py::test_havering_gives_its_published_classes",
        "tests/unit/measures/test_council_status.py::test_brighton_gives_its_published_classes",
        "tests/unit/parameters/test_models.py::test_both_published_rules_of_colour_in_the_guide_are_rules",
    ),
    "Corporate plan themes": (
        "tests/westshire/test_westshire_run.py::test_all_reports_are_made_and_pass_the_audit",
        "tests/westshire/test_four_themes.py::test_a_council_of_four_themes_gets_a_page_for_each",
        "tests/unit/story/test_theme_page.py::test_actions_risks_and_projects_stand_beneath_each_with_its_indicator",
    ),
    "Single Data List, ASCOF, PHOF": (
        f"{UNIT}/test_frameworks.py::test_a_shipped_framework_is_sound",
        f"{UNIT}/test_frameworks.py::test_metadata_of_fingertips_make_phof_and_show_contradictions",
        "tests/systems/test_web_services.py::test_groups_never_pass_as_england_and_pooled_years_stay_pooled",
    ),
    "CIPFA value for money": (
        "tests/unit/measures/test_value.py::test_a_percentile_is_the_share_of_peers_below_and_equals_count_half",
    ),
    "Single data list of PIs": (
        f"{UNIT}/test_drafting.py::test_the_single_list_says_what_it_lacks",
    ),
    "Analyse, plan, do, review": (
        "tests/real/test_trafford_files.py::test_figures_restated_between_two_publications",
        "tests/westshire/test_westshire_run.py::test_two_runs_with_the_same_inputs_give_the_same_bytes",
        f"{UNIT}/test_rules_of_stewards.py::test_a_restated_value_is_told_once_with_both_values",
    ),
    "Actions and risks linked to KPIs": (
        "tests/unit/measures/test_plan_tables.py::test_open_actions_have_their_days_late_and_done_ones_are_left_out",
        "tests/unit/measures/test_plan_tables.py::test_a_closed_risk_is_left_out_and_no_score_is_made",
        "tests/unit/story/test_theme_page.py::test_actions_risks_and_projects_stand_beneath_each_with_its_indicator",
    ),
}
# What is still to come, in words; a row that is proved in part may stand in both.
TO_COME = {
    "Balanced scorecard": "declared in the framework; no page of perspectives by themes yet",
    "Packs and a Members' subset": "packs by audience, Members' figures a strict subset of them",
    "Analyse, plan, do, review": "a page that reviews what the run before forecast",
}


@pytest.mark.parametrize("system", [*dict.fromkeys([*PROVED, *TO_COME])])
def test_every_row_is_proved_or_says_what_is_to_come(system: str, repository: Path) -> None:
    assert PROVED.get(system) or TO_COME[system].strip()
    for name in PROVED.get(system, ()):
        file, _, function = name.partition("::")
        tree = ast.parse((repository / file).read_text(encoding="utf-8"))
        tests = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
        assert function in tests, name


def test_the_table_has_all_rows_of_the_design() -> None:
    assert len({*PROVED, *TO_COME}) == 16
