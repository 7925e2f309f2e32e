"""A data lake of the tests' own: Azurite on the loopback address, started once a session."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from systems.servers import ended, free_port, program, wait_for

# The account and key that the emulator itself publishes; no secret of anybody's.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
WRONG_KEY = "QWRkZXI3OTEzNTc5WWV3UmVuV2Vhc2VsT3R0ZXJCYWRnZXI3OTEzNTc5WWV3UmVuV2Vhc2VsT3R0ZXI="
BINARIES = Path(__file__).resolve().parents[2] / ".workbench" / "node_modules" / ".bin"


@dataclass(frozen=True)
class Lake:
    port: int

    def connection(self, key: str = KEY, port: int = 0) -> str:
        endpoint = f"http://127.0.0.1:{port or self.port}/{ACCOUNT}"
        parts = ("DefaultEndpointsProtocol=http", f"AccountName={ACCOUNT}")
        return ";".join((*parts, f"AccountKey={key}", f"BlobEndpoint={endpoint}"))

    def make_container(self, name: str) -> None:
        from azure.storage.blob import BlobServiceClient

        with BlobServiceClient.from_connection_string(self.connection()) as client:
            client.create_container(name).close()


@pytest.fixture(scope="session")
def lake() -> Iterator[Lake]:
    azurite = program("azurite-blob", Path(os.environ.get("PMF_AZURITE", ".")), BINARIES)
    found = Lake(free_port())
    options = ["--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence", "--silent"]
    place = ["--blobHost", "127.0.0.1", "--blobPort", str(found.port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([azurite, *options, *place], **quiet)
    try:
        wait_for(found.port, process)
        yield found
    finally:
        ended(process)
