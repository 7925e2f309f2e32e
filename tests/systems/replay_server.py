"""A server on the loopback address that answers as LG Inform Plus and Fingertips do.

Its figures are invented. It can also refuse, stumble, dawdle, break off, answer with a web page or
another table, and send elsewhere: what it shall do to the next requests is its ``script``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "Zq7-replay-key-91fX"
AREAS = {"E06000991": "Smallton", "E06000992": "Otherton", "E92000001": "England"}
YEARS = ["2021/22", "2022/23", "2023/24", "2024/25"]
PAGE = b"<!DOCTYPE html><html><body><h1>Sign in to the council's network</h1></body></html>"


def metric_rows(metric: str) -> list[dict[str, Any]]:
    """Records of ``data.table``: the areas, a group of them, and their years."""
    rows = []
    for place, (code, name) in enumerate([*AREAS.items(), ("Smallton_Near_Neighbours", "Group")]):
        for year, label in enumerate(YEARS):
            value = None if (place, year) == (1, 3) else 1000 * place + 100.5 + 10 * year
            rows.append(
                {
                    "metricTypeIdentifier": metric,
                    "metricTypeLabel": f"Metric {metric}",
                    "metricTypeAltLabel": "",
                    "metricTypeIsSummary": False,
                    "areaIdentifier": code,
                    "areaLabel": name,
                    "areaAltLabel": "",
                    "areaLongLabel": f"{name}, all of it",
                    "areaIsSummary": place == len(AREAS),
                    "periodIdentifier": f"fi_Apr-{label[:4]}",
                    "periodLabel": label,
                    "periodAltLabel": "",
                    "periodIsSummary": False,
                    "valueTypeIdentifier": "raw",
                    "valueTypeLabel": "Raw value",
                    "valueTypeIsSummary": False,
                    "value": value,
                    "source": "Invented figures",
                    "formatted": "" if value is None else f"{value:,.1f}",
                    "format": "#,##0.0",
                    "confidenceIntervalLower": value and value - 5,
                    "confidenceIntervalUpper": value and value + 5,
                    "publicationStatus": "suppressed" if value is None else "Published",
                }
            )
    return rows


def metric_csv(metric: str) -> bytes:
    """The same figures as the CSV that people save: preamble, header repeated, commas, suffix."""
    by_area: dict[str, list[str]] = {}
    for row in metric_rows(metric):
        start = [row["areaIdentifier"], row["areaLabel"], row["areaLongLabel"]]
        by_area.setdefault(row["areaIdentifier"], start).append(row["formatted"])
    header = ["area", "area label", "area long label", *(f"{year} (academic)" for year in YEARS)]
    return as_csv([[f"Metric {metric}"], ["Invented figures"], header, header, *by_area.values()])


def fingertips_csv(indicator: str, parent: str) -> bytes:
    """27 columns: areas, sexes, and England by tenths of deprivation; three years pooled."""
    header = [
        *("Indicator ID", "Indicator Name", "Parent Code", "Parent Name", "Area Code", "Area Name"),
        *("Area Type", "Sex", "Age", "Category Type", "Category", "Time period", "Value"),
        *("Lower CI 95.0 limit", "Upper CI 95.0 limit", "Lower CI 99.8 limit"),
        *("Upper CI 99.8 limit", "Count", "Denominator", "Value note", "Recent Trend"),
        *("Compared to England value or percentiles", f"Compared to {parent} value or percentiles"),
        *("Time period Sortable", "New data", "Compared to goal", "Time period range"),
    ]
    assert len(header) == 27
    tenth = "Unitary authority deprivation deciles (IMD 2019)"
    groups = [("Persons", "", ""), ("Male", "", ""), ("Female", "", "")]
    rows: list[list[object]] = []
    for first in range(2012, 2022):
        for place, (code, name) in enumerate(AREAS.items()):
            own = [*groups, *((("Persons", tenth, "Most deprived decile"),) if place == 2 else ())]
            for number, (sex, category_type, category) in enumerate(own):
                hidden = (place, first, number) == (1, 2021, 0)
                value = "" if hidden else round(60 + place + first % 7 + 3 * number, 2)
                rows.append(
                    [
                        *(indicator, f"Indicator {indicator}", "E12000001", parent, code, name),
                        *("Counties & UAs", sex, "All ages", category_type, category),
                        f"{first} - {(first + 2) % 100}",
                        *(value, *([""] * 4 if hidden else [55, 75, 50, 80]), "", ""),
                        "Value suppressed for disclosure control" if hidden else "",
                        *("", "Similar", "Better", f"{first}0000", "", "", "3y"),
                    ]
                )
    return as_csv([header, *rows])


def metadata_csv(indicators: str) -> bytes:
    header = ["Indicator ID", "Indicator", "Indicator number", "Frequency", "Polarity"]
    rows = [
        [each, f"A0{n}a - Indicator {each}", f"A0{n}a", "Annual", "RAG - Low is good   "]
        for n, each in enumerate(indicators.split(","), 1)
    ]
    return as_csv([header, *rows])


def as_csv(rows: list[list[Any]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


@dataclass
class Replay:
    """A running server: what it was asked, and what it shall do to the next requests."""

    address: str = ""
    script: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    elsewhere: str = ""
    parent: str = "North East region"
    closing: Event = field(default_factory=Event)


def answer_to(path: str, asked: dict[str, str], parent: str) -> bytes:
    if path.endswith("data.table"):
        return json.dumps(metric_rows(asked["metricType"])).encode()
    if "metadata" in path:
        return metadata_csv(asked.get("indicator_ids", "93088"))
    return fingertips_csv(asked["indicator_ids"], parent)


class _Handler(BaseHTTPRequestHandler):
    replay: Replay

    def do_GET(self) -> None:
        self.replay.asked.append(self.path)
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        doing = self.replay.script.pop(0) if self.replay.script else ""
        if doing == "slow":
            self.replay.closing.wait(20)
            return
        if parts.path.endswith("data.table") and asked.get("ApplicationKey") != KEY:
            doing = "401"
        if doing.isdigit():
            self._send(int(doing), b"refused " + self.path.encode(), {"Retry-After": "0"})
            return
        if doing == "redirect":
            self._send(302, b"", {"Location": f"{self.replay.elsewhere}{self.path}"})
            return
        body = answer_to(parts.path, asked, self.replay.parent)
        body = {"html": PAGE, "other": b"a,b\n1,2\n", "empty": b""}.get(doing, body)
        if doing == "echo":
            body = body.replace(b"Invented figures", f"from {self.path}".encode())
        self._send(200, body, short=doing == "short", cut=doing == "cut")

    def _send(
        self,
        status: int,
        body: bytes,
        more: dict[str, str] | None = None,
        *,
        short: bool = False,
        cut: bool = False,
    ) -> None:
        self.send_response(status)
        for name, text in (more or {}).items():
            self.send_header(name, text)
        if not cut:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # A cut body has no length: only what is in it tells that it broke off.
        self.wfile.write(body[: len(body) // 2] if short or cut else body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing on the error stream, which a test searches."""


@contextmanager
def replaying() -> Iterator[Replay]:
    """Start a server and end it."""
    replay = Replay()
    handler = type("Handler", (_Handler,), {"replay": replay})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    replay.address = f"http://127.0.0.1:{server.server_port}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield replay
    finally:
        replay.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
