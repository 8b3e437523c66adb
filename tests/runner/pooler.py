"""PgBouncer in front of PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from network import free_port
from sqlalchemy.engine import URL
from support import until

NOBODY_UID = 65534


def program() -> str:
    """Return the path of PgBouncer, or skip the test."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not found:
        pytest.skip("pgbouncer is not installed: on Debian and Ubuntu, apt-get install pgbouncer")
    return found


def listens(port: int) -> bool:
    """Return whether a port of loopback accepts connections."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextmanager
def pooler(server: URL, mode: str, *, timeouts: dict[str, int] | None = None, **settings: object) -> Iterator[URL]:
    """Run PgBouncer in front of a server, and yield its URL.

    :param timeouts: Milliseconds of each timeout that the pooler sets on its server processes.
    :param settings: Settings of PgBouncer's configuration.
    """
    path = program()
    port = free_port()
    connect = f"host={server.host} port={server.port} user={server.username}"
    if timeouts:
        connect += " connect_query='" + "; ".join(f"SET {name} = {value}" for name, value in timeouts.items()) + "'"
    lines = [
        "[databases]",
        f"* = {connect}",
        "[pgbouncer]",
        "listen_addr = 127.0.0.1",
        f"listen_port = {port}",
        "unix_socket_dir =",
        "auth_type = any",
        f"pool_mode = {mode}",
        *(f"{name} = {value}" for name, value in settings.items()),
    ]
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        file = Path(folder) / "pgbouncer.ini"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        user = {"user": NOBODY_UID, "group": NOBODY_UID} if os.getuid() == 0 else {}  # it does not run as root
        with subprocess.Popen([path, "--quiet", str(file)], stderr=subprocess.DEVNULL, **user) as process:
            try:
                until(lambda: process.poll() is not None or listens(port), "pgbouncer listens")
                assert process.poll() is None, "pgbouncer has ended"
                yield server.set(host="127.0.0.1", port=port)
            finally:
                process.terminate()
