"""Web services: asked with patience, their answers checked, kept as they came, and then read.

A key comes from the environment alone. It joins the address below the client, in
:class:`_Keyed`, so that no log, exception or copy that the client makes ever holds it.
"""

import csv
import os
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from time import monotonic
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx
import tenacity

from pmf_analysis.data.raw_zone import RawZone
from pmf_analysis.parameters.workspace import Workspace
from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem, without_secrets
from pmf_analysis.shipped import read_shipped
from pmf_analysis.systems.folder import RawFile, read_content
from pmf_analysis.systems.mapping import spelling

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
KNOWN = read_shipped("systems/web.yml")
# How long and how often a service is asked.
PATIENCE: dict[str, Any] = KNOWN["patience"]


class _NoAnswerError(Exception):
    """No usable answer, and why; asking again may help, not before some seconds."""

    def __init__(self, why: str, after: float = 0, *, again: bool = True) -> None:
        super().__init__(why)
        self.after, self.again = after, again


class _Keyed(httpx.HTTPTransport):
    """Adds the key to an address on its way out; the client knows the address without it."""

    def __init__(self, secrets: Mapping[str, str], proxy: str | None) -> None:
        super().__init__(proxy=proxy)
        self._secrets = secrets

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with the key."""
        address = request.url.copy_merge_params(self._secrets)
        parts: Any = {"stream": request.stream, "extensions": request.extensions}
        keyed = httpx.Request(request.method, address, headers=request.headers, **parts)
        return super().handle_request(keyed)


class Service:
    """A service of ``web.yml``, for as long as one import asks it.

    Raises
    ------
    PmfError
        Exit 2: the key is missing in the environment, or the address is no https address.
    """

    def __init__(self, name: str, workspace: Workspace, as_at: date) -> None:
        facts = KNOWN["services"][name]
        self._name, self._title, self._as_at = name, facts["title"], as_at
        self._down = ""
        self._zone, self._asks = RawZone(workspace.store), facts["asks"]
        variable = facts.get("key_variable", "")
        self._key = os.environ.get(variable, "").strip()
        if variable and not self._key:
            raise PmfError(self._problem("web-key-missing", variable=variable))
        given = facts["address_variable"]
        self._address = httpx.URL(os.environ.get(given) or facts["address"])
        is_near = self._address.scheme == "http" and self._address.host in _LOOPBACK
        if self._address.scheme != "https" and not is_near:
            raise PmfError(self._problem("web-not-https", variable=given))
        self._secrets = {facts["key_name"]: self._key} if self._key else {}

    def fetch(self, ask: str, stem: str, **params: object) -> RawFile:
        """Return an answer as a file, kept in the raw zone; where none comes, the newest copy.

        Parameters
        ----------
        ask
            What is asked for, as ``web.yml`` calls it.
        stem
            What the file is called, beside a mark of the parameters.
        params
            Parameters of the address, but for the key and those that ``web.yml`` always gives.

        Raises
        ------
        PmfError
            Exit 3: the service refuses, sends elsewhere, or gives no usable answer and there is
            no copy of an earlier one.
        """
        rule = self._asks[ask]
        params = rule.get("always", {}) | params
        asked = sha256(repr((ask, sorted(params.items()))).encode()).hexdigest()[:8]
        name, why = f"{stem}_{asked}.{rule['kind']}", self._down
        if not why:
            try:
                content = self._ask(rule["path"], params)
                raw = _checked(name, content, rule["expects"])
            except _NoAnswerError as error:
                why = without_secrets(str(error))
                # Who did not answer at all is not asked for the next file.
                self._down = why if error.again else ""
            else:
                self._zone.keep(self._name, name, content, self._as_at)
                return raw
        copy = self._zone.newest(self._name, name, self._as_at)
        if copy is None:
            raise PmfError(self._problem("web-no-answer", why=why), EXIT_DATA_UNUSABLE)
        raw, day = read_content(name, copy[0]), f"{copy[1].day} {copy[1]:%B %Y}"
        raw.problems.add(self._problem("web-older-copy", why=why, file=name, day=day))
        return raw

    def _ask(self, path: str, params: Mapping[str, object]) -> bytes:
        host, scheme = self._address.host, self._address.scheme
        proxy = None if host in _LOOPBACK or proxy_bypass(host) else getproxies().get(scheme)
        sender = _Keyed(self._secrets, proxy)
        usual = tenacity.wait_random_exponential(PATIENCE["wait"], 20)
        asking = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(PATIENCE["attempts"]),
            wait=lambda state: max(usual(state), _asked_to_wait(state)),
            retry=tenacity.retry_if_exception(lambda error: getattr(error, "again", False)),
            reraise=True,
        )
        with httpx.Client(transport=sender, timeout=PATIENCE["seconds"]) as client:
            content: bytes = asking(self._ask_once, client, self._address.join(path), params)
        # Some services repeat in their answers what they were asked.
        return content.replace(self._key.encode(), b"***") if self._key else content

    def _ask_once(self, client: httpx.Client, address: httpx.URL, params: Any) -> bytes:
        limit, content = monotonic() + PATIENCE["seconds"], bytearray()
        try:
            with client.stream("GET", address, params=params) as response:
                self._check_status(response)
                for part in response.iter_bytes():
                    content += part
                    if len(content) > PATIENCE["most_bytes"]:
                        raise PmfError(self._problem("web-too-large"), EXIT_DATA_UNUSABLE)
                    if monotonic() > limit:
                        raise httpx.ReadTimeout("")
        except httpx.TimeoutException:
            why = f"it did not answer within {PATIENCE['seconds']:g} seconds"
        except httpx.RemoteProtocolError:
            why = "its answer broke off"
        except httpx.HTTPError as error:
            if "CERTIFICATE" in str(error).upper():
                raise PmfError(self._problem("web-not-trusted"), EXIT_DATA_UNUSABLE) from None
            why = "it cannot be reached"
        else:
            return bytes(content)
        raise _NoAnswerError(why)

    def _check_status(self, response: httpx.Response) -> None:
        """Refuse any status but 200; a redirect too, as the key must not go to another host."""
        status = response.status_code
        if status in KNOWN["try_again"]:
            after = response.headers.get("retry-after", "")
            wait = float(after) if after.isdigit() else 0
            raise _NoAnswerError(f"it answered with status {status}", wait)
        if status != 200:
            fault = KNOWN["refusals"].get(status, "web-refused")
            fault = "web-redirected" if response.is_redirect else fault
            raise PmfError(self._problem(fault, status=status), EXIT_DATA_UNUSABLE)

    def _problem(self, fault: str, **facts: Any) -> Problem:
        return Problem.of(fault, service=self._title, **facts)


def _asked_to_wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return min(getattr(error, "after", 0.0), 30.0)


def _checked(name: str, content: bytes, expects: Sequence[str]) -> RawFile:
    """Read an answer, which must be a table, whole, with the columns that are expected."""
    try:
        raw = read_content(name, content)
    except PmfError as error:
        why = error.problems[0].message
    else:
        sheet = raw.sheets[0]
        rows = [sheet.names] if sheet.names else sheet.cells.head(20).to_numpy().tolist()
        if not any({*map(spelling, expects)} <= {*map(spelling, map(str, row))} for row in rows):
            why = f'its answer has no columns "{", ".join(expects)}"'
        elif not sheet.names and _breaks_off(content):
            why = "its answer broke off"
        else:
            return raw
    raise _NoAnswerError(f"{why[0].lower()}{why[1:]}".rstrip("."), again=False)


def _breaks_off(content: bytes) -> bool:
    """Whether the last line of a CSV has fewer cells than the line before, or an open quote."""
    text = content.decode("utf-8", "replace")
    *_, before, last = ["", *text.splitlines()]
    is_short = len(next(csv.reader([last]), [])) < len(next(csv.reader([before]), []))
    return text.count('"') % 2 == 1 or (is_short and not text.endswith(("\n", "\r")))
