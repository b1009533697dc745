"""Azurite, Azure's own stand-in for its Blob service, as a process; and what fills it."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import (
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    PublicAccess,
    generate_container_sas,
)

SCRIPT = Path(__file__).parents[2] / "dev/azurite/node_modules/azurite/dist/src/blob/main.js"
ACCOUNT = "devstoreaccount1"
# Every Azurite has this account and key: they are documented, and no secret.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
PATIENCE = 60
_OPTIONS = ("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent", "--blobPort", "0")


class Azurite:
    """A running one.

    Args:
        origin: scheme, host and port.
        trusted: the certificate that its own is signed by, where it speaks TLS.
    """

    def __init__(self, origin: str, trusted: Path | None = None) -> None:
        self.origin = origin
        self.account_url = f"{origin}/{ACCOUNT}"
        self.port = int(origin.rpartition(":")[2])
        self._service = BlobServiceClient(
            self.account_url,
            AzureNamedKeyCredential(ACCOUNT, KEY),
            connection_verify=str(trusted) if trusted else True,
            use_env_settings=False,
        )

    def container(self, access: PublicAccess | None = None) -> ContainerClient:
        """A new container, empty."""
        return self._service.create_container(f"c{uuid4().hex}", public_access=access)

    def signature(self, container: str, permission: str = "rl", *, minutes: float = 60) -> str:
        """A shared access signature for a container."""
        return generate_container_sas(
            ACCOUNT,
            container,
            account_key=KEY,
            permission=ContainerSasPermissions.from_string(permission),
            expiry=datetime.now(UTC) + timedelta(minutes=minutes),
        )

    def close(self) -> None:
        """Close the connections to it."""
        self._service.close()


@contextmanager
def azurite(folder: Path, *options: str, trusted: Path | None = None) -> Iterator[Azurite]:
    """Run one, all in memory, on a free port of 127.0.0.1.

    Args:
        folder: what it writes to all the same goes here.
        options: of its command line, besides the usual ones.
        trusted: see Azurite.

    Raises:
        AssertionError: it is not installed, or does not start.
    """
    assert SCRIPT.exists(), "Azurite is not installed: `make unit` does that (it needs Node.js 20 with npm)"
    log = folder / "azurite.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["node", SCRIPT, *_OPTIONS, "--blobHost", "127.0.0.1", *options],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        running = Azurite(_origin(process, log), trusted)
        try:
            yield running
        finally:
            running.close()
    finally:
        process.kill()
        process.wait(PATIENCE)


def _origin(process: subprocess.Popen[bytes], log: Path) -> str:
    given_up = time.monotonic() + PATIENCE
    while True:
        said = log.read_text(errors="replace")
        # A whole line, so that no port is cut off.
        for line in said.splitlines(keepends=True):
            if "listens on " in line and line.endswith("\n"):
                return line.rpartition("listens on ")[2].strip()
        assert process.poll() is None, f"Azurite has ended: {said}"
        assert time.monotonic() < given_up, f"Azurite did not start: {said}"
        time.sleep(0.05)
