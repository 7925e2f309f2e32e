"""Where files are: in a folder, or at an address of a data lake such as ``az://container/folder``.

Credentials of a lake come from the environment alone (AZURE_STORAGE_CONNECTION_STRING, or
AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN; else what
``az login`` left), and no message holds one. A lake that does not answer would keep its client
waiting for over a minute, so it is asked for a sign of life first.
"""

import logging
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from pmf_analysis.problems import EXIT_DATA_UNUSABLE, PmfError, Problem

Result = TypeVar("Result")
LAKE = ("az://", "abfs://", "abfss://")
_SECONDS = 1.0
_CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
_ACCOUNT_OF = re.compile(r"@([\w-]+)\.(?:dfs|blob)\.core\.windows\.net")
# By what the lake calls them; all else is refused.
_FAULTS = {"ContainerNotFound": "lake-no-container", "ContainerBeingDeleted": "lake-no-container"}


def is_address(place: Path | str) -> bool:
    """Whether a place is an address and no folder of this machine."""
    return "://" in str(place)


def opened(root: Path | str) -> tuple[Any, str]:
    """Return the file system of a folder or an address, and the path of that within it.

    Raises
    ------
    PmfError
        Exit 3: the lake does not answer within two seconds, refuses the key, or has no such
        container; exit 2: what reads it is not installed. Later calls raise the same.
    """
    from fsspec.core import url_to_fs

    if not str(root).startswith(LAKE):
        files, base = url_to_fs(str(root))
        return files, base.rstrip("/")
    address = str(root).rstrip("/")
    # What its client has to say on the error stream is said again in words.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    with in_words(address):
        _ask_for_sign_of_life(address)
        files, base = url_to_fs(address)
        with suppress(FileNotFoundError):  # as it should be, where the container is there
            _InWords(files, address).cat_file(f"{base.split('/')[0]}/no-such-file")
    return _InWords(files, address), base


def write_whole(files: Any, path: str, content: bytes) -> None:
    """Write a file of a file system under another name and rename it: it is there whole or not."""
    folder, _, name = path.rpartition("/")
    files.makedirs(folder, exist_ok=True)
    files.pipe_file(partial := f"{folder}/.{name}.partial", content)
    files.mv(partial, path)


def copied(pattern: str, folder: Path, files: Any = None) -> None:
    """Copy the files whose addresses, or paths in a file system, fit a pattern into a folder."""
    base = pattern
    if files is None:
        files, base = opened(pattern)
    folder.mkdir(parents=True, exist_ok=True)
    for name in files.glob(base):
        (folder / name.rpartition("/")[2]).write_bytes(files.cat_file(name))


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what `work` gives; a thread that takes longer is left to itself.

    Raises
    ------
    TimeoutError
        It took longer.
    """
    future: Future[Result] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        # Whatever it is, it is raised where the result is waited for.
        except BaseException as error:
            future.set_exception(error)

    Thread(target=do, daemon=True).start()
    return future.result(seconds)


@contextmanager
def in_words(address: str) -> Iterator[None]:
    """Turn whatever the clients of a lake raise into a problem that holds no key."""
    facts = {"address": address, "container": address.rpartition("://")[2].split("/")[0]}
    try:
        yield
    except ImportError:
        raise PmfError(Problem.of("lake-not-installed")) from None
    except PmfError:
        raise
    except Exception as raised:
        error = raised.__cause__ if isinstance(raised, FileNotFoundError) else raised
        code = getattr(error, "error_code", None)
        why = str(getattr(code, "value", code) or type(error).__name__)
        if error is None or why == "BlobNotFound":  # an ordinary file that is not there
            raise
        refused = getattr(error, "status_code", None) in (401, 403)
        fault = "lake-key-refused" if refused else _FAULTS.get(why, "lake-refused")
        raise PmfError(Problem.of(fault, why=why, **facts), EXIT_DATA_UNUSABLE) from None


class _InWords:
    """A file system of the lake whose refusals are problems in plain words."""

    def __init__(self, files: Any, address: str) -> None:
        self._files, self._address = files, address

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._files, name)
        return in_words(self._address)(found) if callable(found) else found


def _connection() -> dict[str, str]:
    parts = os.environ.get(_CONNECTION, "").split(";")
    return dict(part.strip().split("=", 1) for part in parts if "=" in part)


def _ask_for_sign_of_life(address: str) -> None:
    """Stop where nobody answers at the lake's address; any answer will do, a refusal too."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    told, named = _connection(), _ACCOUNT_OF.search(address)
    account = told.get("AccountName") or (named and named[1])
    account = account or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    suffix = told.get("EndpointSuffix", "core.windows.net")
    endpoint = told.get("BlobEndpoint") or (account and f"https://{account}.blob.{suffix}")
    if not endpoint:
        raise PmfError(Problem.of("lake-no-credentials"), EXIT_DATA_UNUSABLE)

    def ask() -> None:
        with suppress(HTTPError), urlopen(Request(endpoint, method="HEAD"), timeout=_SECONDS):
            pass

    try:
        within(_SECONDS, ask)
    except (OSError, ValueError):
        facts = {"address": address, "seconds": f"{_SECONDS:g}"}
        raise PmfError(Problem.of("lake-down", **facts), EXIT_DATA_UNUSABLE) from None
