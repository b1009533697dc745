"""A real PostgreSQL for tests: a cluster of its own on a free port of 127.0.0.1, with TLS, gone afterwards."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import psycopg

from support.tls import files

HERE: Final = "127.0.0.1"
ADMIN: Final = "admin"
PASSWORD: Final = "admin's p@ss/word%"
_PATIENCE_SECONDS: Final = 60.0
_SETTINGS: Final = {
    "listen_addresses": HERE,
    "unix_socket_directories": "",
    "fsync": "off",
    "shared_buffers": "16MB",
    "max_connections": "30",
    "ssl": "on",
    "log_min_messages": "fatal",
}


@dataclass
class Postgres:
    """A server that runs.

    Args:
        port: on 127.0.0.1, with and without TLS; its certificate is for `localhost` and `127.0.0.1`.
        authority: the file of the certificate that its own is signed with.
    """

    port: int
    authority: Path

    def admin(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection of the superuser."""
        return psycopg.connect(
            host=HERE, port=self.port, user=ADMIN, password=PASSWORD, dbname=database, autocommit=True
        )

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the superuser: the rows of the last one."""
        for statement in statements:
            cursor = self._kept.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []

    @cached_property
    def _kept(self) -> psycopg.Connection[Any]:
        return self.admin()

    def close(self) -> None:
        """Close what `run` keeps."""
        self._kept.close()


@contextmanager
def running() -> Iterator[Postgres]:
    """Start a server, and end it."""
    user = _other_user()
    # Not pytest's folder: only the user of the tests may enter that.
    folder = Path(tempfile.mkdtemp(prefix="postgres-of-tests-"))
    try:
        authority, port = _initialise(folder, user), _free_port()
        settings = [f"-c{name}={value}" for name, value in (_SETTINGS | {"port": str(port)}).items()]
        process = subprocess.Popen([_program("postgres"), "-D", folder / "data", *settings], user=user)
        try:
            server = Postgres(port, authority)
            _wait_for(server, process)
            yield server
            server.close()
        finally:
            process.send_signal(signal.SIGINT)  # its "fast" shutdown
            process.wait(_PATIENCE_SECONDS)
    finally:
        shutil.rmtree(folder)


def _initialise(folder: Path, user: str | None) -> Path:
    (folder / "password").write_text(PASSWORD)
    authority, certificate, key = files(folder)
    key.chmod(0o600)
    if user:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    data = folder / "data"
    options = ["-U", ADMIN, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8", "--locale=C"]
    subprocess.run(
        [_program("initdb"), "-D", data, "--no-sync", *options], user=user, check=True, capture_output=True
    )
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"ssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n")
    return authority


def _program(name: str) -> str:
    # Debian keeps its versions side by side, off the path.
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([os.environ["PATH"], *map(str, folders)])
    found = shutil.which(name, path=path)
    assert found, (
        f"there is no {name} here: the tests of the kind sql need a PostgreSQL server (Debian: postgresql)"
    )
    return found


def _other_user() -> str | None:
    """Whom to start it as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.create_server((HERE, 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(server: Postgres, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        assert process.poll() is None, "PostgreSQL has ended by itself"
        try:
            server.admin().close()
        except psycopg.OperationalError:
            assert time.monotonic() < until, "PostgreSQL does not start"
            time.sleep(0.05)
        else:
            return
