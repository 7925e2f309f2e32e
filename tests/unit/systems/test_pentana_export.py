"""What goes back into Pentana: its four import sheets within their limits; what does not fit."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pandas as pd
import pytest

from pmf_analysis.data.contract import conform
from pmf_analysis.parameters.workspace import Parameters
from pmf_analysis.systems.pentana import write_back

ORDER = ["Local PI", "PI Data Collection Settings", "PI Annual Target", "PI Value"]
MANDATORY = ["Code", "Short Name", "Data Type", "Audited", "Days until Overdue", "Start Date"]


def register(parameters: Parameters, **changes: Any) -> pd.DataFrame:
    """Two indicators, percentage and count, with settings of `changes` for the first."""
    frame = parameters.register.frame().set_index("indicator", drop=False)
    frame = frame.loc[["PCT", "CNT"]].reset_index(drop=True).assign(aliases="")
    for name, cell in changes.items():
        frame[name] = frame[name].astype("object")
        frame.loc[0, name] = cell
    return frame


def observations(**changes: Any) -> pd.DataFrame:
    starts = pd.to_datetime(["2026-04-01", "2026-07-01", "2026-04-01"])
    rows: dict[str, Any] = {
        "indicator_id": ["PCT", "PCT", "CNT"],
        "period_start": starts,
        "period_end": starts + pd.offsets.QuarterEnd(),
        "frequency": "quarterly",
        "area_code": "X06000001",
        "value": [45.2, 46.25, 7],
        "numerator": [452, None, None],
        "value_note": ["=1+1", "", "-"],
    }
    return conform(pd.DataFrame(rows | changes), "observations")


def targets(**changes: Any) -> pd.DataFrame:
    rows: dict[str, Any] = {
        "target_id": ["old", "new", "quarter"],
        "indicator_id": ["PCT", "PCT", "CNT"],
        "period_start": pd.to_datetime(["2026-04-01", "2026-04-01", "2026-04-01"]),
        "period_end": pd.to_datetime(["2027-03-31", "2027-03-31", "2026-06-30"]),
        "target": [50.0, 55.0, 9.0],
        "supersedes": ["", "old", ""],
    }
    return conform(pd.DataFrame(rows | changes), "targets")


def sheets(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Rows of each sheet as openpyxl reads them again; nothing in them is a formula."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    found = {}
    for sheet in book:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
        header, *rows = sheet.iter_rows(values_only=True)
        found[sheet.title] = [dict(zip(map(str, header), row, strict=True)) for row in rows]
    return found


def test_the_four_sheets_come_in_order_with_what_is_mandatory(parameters: Parameters) -> None:
    made = sheets(write_back(register(parameters, polarity="higher"), observations(), targets()))
    assert list(made) == [*ORDER, "Codes", "Not written"]
    first, second = made["Local PI"]
    for row in (first, second):
        assert all(row[name] not in (None, "") for name in MANDATORY)
        assert len(row["Code"]) <= 16 and len(row["Short Name"]) <= 225
    assert list(first)[:2] == ["Code", "Short Name"]
    assert (first["Data Type"], second["Data Type"]) == ("Percentage", "Number")
    assert (first["Start Date"], first["Days until Overdue"]) == ("01/04/26", 30)
    assert (first["Gauge Format type"], second["Gauge Format type"]) == ("Aim to Maximise", None)
    assert made[ORDER[1]][0]["Data Collection Frequency"] == "Quarters"
    assert made[ORDER[2]] == [{"Code": "PCT", "Year": "2026/27", "Target": 55}]
    values = [(row["Code"], row["Period"], row["Value"]) for row in made["PI Value"]]
    assert values == [
        ("PCT", "Q1 2026/27", 45.2),
        ("PCT", "Q2 2026/27", 46.25),
        ("CNT", "Q1 2026/27", 7),
    ]
    assert [row["Note"] for row in made["PI Value"]] == ["'=1+1", None, "'-"]


@pytest.mark.parametrize(
    ("changes", "column", "why"),
    [
        ({"code": "A" * 17}, "Code", "longer than the 16 characters that are taken"),
        ({"title": "T" * 226}, "Short Name", "longer than the 225 characters that are taken"),
        ({"title": ""}, "Short Name", "this column is mandatory"),
        ({"data_type": "statement"}, "Data Type", "Pentana has no word for this, or it is missing"),
        ({"code": "cnt"}, "Code", "another PI has this code"),
    ],
)
def test_what_does_not_fit_is_listed_with_all_that_hangs_on_it(
    parameters: Parameters, changes: dict[str, Any], column: str, why: str
) -> None:
    rows, values, aims = register(parameters, **changes_of(changes)), observations(), targets()
    if code := changes.get("code"):
        rows["indicator"] = rows["indicator"].replace("PCT", code)
        values["indicator_id"] = values["indicator_id"].replace("PCT", code)
        aims["indicator_id"] = aims["indicator_id"].replace("PCT", code)
    made = sheets(write_back(rows, values, aims))
    listed = made["Not written"]
    assert (listed[0]["Sheet"], listed[0]["Reason"]) == ("Local PI", f"{column}: {why}")
    refused = listed[0]["PI"]
    for sheet in ORDER:
        assert refused not in [row["Code"] for row in made[sheet]]
    lost = [row for row in listed if row["PI"] == refused and row["Sheet"] == "PI Value"]
    assert [row["Reason"] for row in lost] == ["Code: its PI is not in Local PI"] * 2
    # Every row given is in its sheet or listed.
    assert len(made["PI Value"]) + sum(row["Sheet"] == "PI Value" for row in listed) == 3
    assert sum(row["Sheet"] == "PI Annual Target" for row in listed) == 2


def changes_of(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: cell for name, cell in changes.items() if name != "code"}


def test_codes_at_the_limit_fit_and_a_long_id_goes_by_its_only_short_alias(
    parameters: Parameters,
) -> None:
    long = "a_name_of_seventeen"
    for name, aliases, written in (
        ("A" * 16, "", "A" * 16),
        (long, "BV012", "BV012"),
        (long, "BV012; BV078", None),
    ):
        rows = register(parameters, aliases=aliases)
        rows["indicator"] = rows["indicator"].replace("PCT", name)
        values = observations(indicator_id=[name, name, "CNT"])
        made = sheets(write_back(rows, values, targets().iloc[:0]))
        codes = {row["Code"] for row in made["PI Value"]}
        assert codes == {"CNT", *([written] if written else [])}


def test_breakdowns_absent_values_and_targets_of_quarters_are_listed(
    parameters: Parameters,
) -> None:
    rows = observations(
        dimension=["sex", "", ""],
        dimension_value=["women", "", ""],
        value_status=["final", "suppressed", "final"],
    )
    made = sheets(write_back(register(parameters), rows, targets()))
    why = [(row["Sheet"], row["Reason"]) for row in made["Not written"]]
    assert why == [
        ("PI Annual Target", "an annual target is for twelve months"),
        ("PI Value", "Pentana holds totals and no breakdowns"),
        ("PI Value", "there is no value to be shown"),
    ]


def test_no_note_is_lost_for_its_length_and_no_value_for_its_indicator(
    parameters: Parameters,
) -> None:
    rows = observations(
        value_note=["n" * 32_768, "n" * 32_767, ""], indicator_id=["PCT", "PCT", "GONE"]
    )
    made = sheets(write_back(register(parameters), rows, targets().iloc[:0]))
    assert [len(row["Note"]) for row in made["PI Value"]] == [32_767]
    listed = [
        (row["Sheet"], row["PI"], str(row["Reason"]).partition(":")[0])
        for row in made["Not written"]
    ]
    assert listed == [
        ("Local PI", "CNT", "Start Date"),  # no figure says when it began
        ("PI Value", "PCT", "Note"),
        ("PI Value", "GONE", "Period"),
    ]


def test_a_made_id_goes_by_the_code_it_came_in_with_and_the_workbook_says_so(
    parameters: Parameters,
) -> None:
    for aliases, code in (
        ("Bins missed; BV012", "BV012"),
        ("Recycling", "bins_missed"),
        ("BV012; BV078", "bins_missed"),  # nobody knows which of them
        ("CNT", None),  # taken, so both are refused
    ):
        rows = register(parameters, indicator="bins_missed", aliases=aliases, unit="bins")
        values = observations(indicator_id=["bins_missed", "bins_missed", "CNT"])
        made = sheets(write_back(rows, values, targets().iloc[:0]))
        codes = {row["Indicator"]: (row["Code"], row["Unit"]) for row in made["Codes"]}
        assert codes.get("bins_missed", (None,))[0] == code
        assert [row["Code"] for row in made["PI Value"]][:2] == ([code] * 2 if code else [])


@pytest.mark.parametrize(
    ("unit", "written", "said"),
    [("£", "Money", None), ("£ thousand", "Number", "Unit: £ thousand.")],
)
def test_thousands_of_pounds_are_no_money(
    parameters: Parameters, unit: str, written: str, said: str | None
) -> None:
    rows = register(parameters, data_type="money", unit=unit, definition="")
    made = sheets(write_back(rows, observations(), targets()))
    assert (made["Local PI"][0]["Data Type"], made["Local PI"][0]["Description"]) == (written, said)
    assert made["PI Value"][0]["Value"] == 45.2  # nothing is multiplied


def test_one_target_a_year_is_written_and_the_others_are_listed(parameters: Parameters) -> None:
    days = pd.to_datetime(["2026-03-01", "2026-05-01", None])
    rows = targets(
        indicator_id="PCT",
        period_start=pd.Timestamp(2026, 4, 1),
        period_end=pd.Timestamp(2027, 3, 31),
        kind=["floor", "ambition", "baseline"],
        supersedes="",
        set_on=days,
    )
    made = sheets(write_back(register(parameters), observations(), rows))
    assert made["PI Annual Target"] == [{"Code": "PCT", "Year": "2026/27", "Target": 55}]
    told = [(row["PI"], row["Year or period"], row["Value"]) for row in made["Not written"]]
    assert told == [("PCT", "2026/27", 50), ("PCT", "2026/27", 9)]
    assert [str(row["Reason"]).split()[-1] for row in made["Not written"]] == ["floor", "baseline"]


def test_the_last_target_of_a_running_total_is_the_years(parameters: Parameters) -> None:
    starts = pd.to_datetime(["2026-04-01", "2026-10-01", "2027-01-01"])
    ends = pd.to_datetime(["2026-06-30", "2026-12-31", "2027-03-31"])
    rows = targets(indicator_id="PCT", period_start=starts, period_end=ends, supersedes="")
    for accumulation, written in (("ytd", [9]), ("discrete", [])):
        given = register(parameters, accumulation=accumulation)
        made = sheets(write_back(given, observations(), rows))
        assert [row["Target"] for row in made["PI Annual Target"]] == written
        listed = [row["Year or period"] for row in made["Not written"]]
        assert listed[:2] == ["Q1 2026/27", "Q3 2026/27"] and len(listed) == 3 - len(written)


def test_a_pi_without_a_word_for_its_frequency_is_in_no_sheet(parameters: Parameters) -> None:
    made = sheets(
        write_back(register(parameters, frequency="termly"), observations(), targets().iloc[1:2])
    )
    for sheet in (*ORDER, "Codes"):
        assert "PCT" not in [row["Code"] for row in made[sheet]]
    listed = [(row["Sheet"], row["PI"]) for row in made["Not written"]]
    assert listed == [("Local PI", "PCT"), ("PI Annual Target", "PCT"), *[("PI Value", "PCT")] * 2]


def test_nothing_gives_headers_alone_and_the_same_gives_the_same_bytes(
    parameters: Parameters,
) -> None:
    nothing = write_back(register(parameters).iloc[:0], observations().iloc[:0], targets().iloc[:0])
    assert all(rows == [] for rows in sheets(nothing).values())
    again = [write_back(register(parameters), observations(), targets()) for _ in range(2)]
    assert again[0] == again[1]
