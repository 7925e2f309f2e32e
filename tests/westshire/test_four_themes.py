"""The same council with a framework of four themes instead of seven."""

from __future__ import annotations

from pathlib import Path

from lxml import html
from made_runs import REPOSITORY, copied_workspace, last_run, make_run

THEMES = ["fit_for_purpose_organisation", "people", "place", "prosperity"]


def test_a_council_of_four_themes_gets_a_page_for_each(tmp_path: Path) -> None:
    workspace = copied_workspace(REPOSITORY / "parameters", tmp_path / "four")
    framework = workspace / "parameters/framework_four.yml"
    rule = "\nstatus_style: rag\nstatus_rule:\n  - {colour: green, when: met}\n"
    rule += "  - {colour: red, when: otherwise}\n"
    framework.write_text(framework.read_text(encoding="utf-8") + rule, encoding="utf-8")
    run = ("run", "westshire_four_2026-27_q2.yml", "--analysis", "trends", "--jobs", "2")
    make_run(workspace, ("demo",), run)
    folder = last_run(workspace)
    assert sorted(page.parent.name for page in folder.glob("*/index.html")) == THEMES
    pages = {name: html.parse(str(folder / name / "index.html")).getroot() for name in THEMES}
    text = {name: " ".join(page.text_content().split()) for name, page in pages.items()}
    assert "Lease 200 homes" in "".join(text.values()) and "Food-waste" not in text["people"]
    for page in pages.values():
        told = page.xpath("//td[@data-label='Our own rule']")
        assert {"Green", "Red"} & {" ".join(each.text_content().split()) for each in told}
        for link in page.xpath("//*[@id='actions' or @id='risks' or @id='projects']//a/@href"):
            name, _, place = link.partition("#")
            report = html.parse(str(folder / _theme(pages, page) / name)).getroot()
            assert report.xpath(f"//*[@id='{place}']"), link


def _theme(pages: dict[str, object], page: object) -> str:
    return next(name for name, each in pages.items() if each is page)
