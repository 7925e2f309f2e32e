"""The page of `pmf look` on spreadsheets of which nothing is known, from the command line."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from lxml import html
from messy_council import write_messy_workbook

from pmf_analysis.cli import main
from pmf_analysis.documents.audit import audit_html


def _look(place: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    page = place / "page.html"
    assert main(["look", str(file), "--page", str(page)]) == 0
    return page.read_text(encoding="utf-8"), capsys.readouterr().out


def _words(page: str) -> str:
    return " ".join(html.fromstring(page).text_content().split())


def test_a_messy_workbook_gives_a_page_that_says_what_its_arrows_are_worth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_messy_workbook(file := tmp_path / "Messy KPIs.xlsx")
    page, printed = _look(tmp_path, file, capsys)
    assert printed.splitlines()[-1].startswith("Is each change real? See ")
    words = _words(page)
    assert audit_html(page) == []
    for said in (
        "Messy KPIs.xlsx: is each change real?",
        "header in row 3, 6 rows below it",
        "F Q1 2021/22 to AA Q2 2026/27",
        "Worse than its average: Calls answered within 60 seconds.",
        "a comparison with the period before shows 5 arrows",
        "Of them, 3 stand where the change cannot be told from chance.",
        "pmf guessed these settings from the spreadsheet",
        "Nobody has confirmed what each measure is",
    ):
        assert said in words
    assert "http" not in page.replace("http://www.w3.org", "")
    assert {path.name for path in tmp_path.iterdir()} == {"Messy KPIs.xlsx", "page.html"}


def test_a_column_that_was_not_read_is_named_on_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quarters = [f"Q{q} {year}/{year - 1999}" for year in (2024, 2025) for q in (1, 2, 3, 4)]
    rows = ["Ref,Indicator," + ",".join(quarters) + ",Oddity", "A,Visits,9,8,7,9,8,9,7,8,x"]
    (file := tmp_path / "ours.csv").write_text("\n".join(rows), encoding="utf-8")
    words = _words(_look(tmp_path, file, capsys)[0])
    assert "Columns that were not read" in words
    assert 'K "Oddity"' in words


def test_a_sheet_without_figures_gets_a_page_that_says_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = openpyxl.Workbook()
    for row in (["Name", "Room"], ["<script>alert(1)</script>", "=1+1"], ["Ms Green", "B2"]):
        book.active.append(row)
    book.save(file := tmp_path / "staff.xlsx")
    page, _ = _look(tmp_path, file, capsys)
    assert audit_html(page) == []
    assert "Why its figures cannot be judged" in _words(page)
    assert "<script>alert(1)" in html.fromstring(page).text_content()
    assert "<script>alert" not in page


def test_small_numbers_are_shown_on_a_page_that_says_it_is_not_to_be_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = openpyxl.Workbook()
    accidents = [9, 8, 9, 7, 8, 6, 7, 5, 6, 4, 3, 3, 2, 1, 2, 1]
    quarters = [f"Q{q} {y}/{y - 1999}" for y in (2022, 2023, 2024, 2025) for q in (1, 2, 3, 4)]
    book.active.append(["Ref", "Indicator", *quarters])
    book.active.append(["F1", "Number of serious accidents to employees", *accidents])
    book.save(file := tmp_path / "small.xlsx")
    words = _words(_look(tmp_path, file, capsys)[0])
    assert "The latest figure is 1, for quarter 4 (January to March) 2025-26." in words
    assert "Small numbers are not hidden, so this page is not for publication." in words
    assert "suppressed" not in words


def test_what_is_no_table_gets_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file := tmp_path / "photo.xlsx").write_bytes(b"\x89PNG\r\n")
    assert main(["look", str(file), "--page", str(tmp_path / "page.html")]) == 3
    assert "a picture (PNG)" in capsys.readouterr().out
    assert not (tmp_path / "page.html").exists()


@pytest.mark.realdata
def test_a_council_s_published_indicators_get_a_page(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, _ = _look(tmp_path, real_data / "tidy" / "hart_kpis_as_published.csv", capsys)
    assert audit_html(page) == []
    assert "45 indicators" in _words(page)


def test_a_file_without_a_period_beside_a_number_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file := tmp_path / "d6.csv").write_text("Ref,Indicator,Q1 2025/26\nA1,Homes,about\n", "utf-8")
    page, _ = _look(tmp_path, file, capsys)
    words = _words(page)
    assert "first_report" not in words and "there is no figure to judge" in words


def test_days_of_one_week_cannot_be_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"D1,0{day}/01/2025,{day}\n" for day in range(1, 7))
    (file := tmp_path / "d7.csv").write_text("Ref,Date,Value\n" + rows, "utf-8")
    page, _ = _look(tmp_path, file, capsys)
    assert "The trend cannot be judged." in _words(page)
