"""PostgreSQL servers that a test owns, to stop, restart, or promote them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from network import free_port
from sqlalchemy.engine import URL
from support import query

UNPRIVILEGED_ID = 65534
"""User and group without rights: PostgreSQL refuses to run as root."""


class Server:
    """A server on loopback, with the programs of the server of the other tests."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._data = folder / "data"
        port = free_port()
        self.url = URL.create("postgresql", "postgres", host="127.0.0.1", port=port, database="postgres")
        options = ("-c fsync=off", "-c listen_addresses=127.0.0.1", f"-c unix_socket_directories={folder}")
        self._options = " ".join([*options, f"-p {port}"])

    def _run(self, program: str, *arguments: str) -> None:
        user = {"user": UNPRIVILEGED_ID, "group": UNPRIVILEGED_ID, "extra_groups": []} if os.geteuid() == 0 else {}
        command = [str(self._programs / program), "-D", str(self._data), *arguments]
        # The server keeps what it inherits open.
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, **user)  # type: ignore[call-overload]

    def create(self, *access: str) -> None:
        """Create new, empty data.

        :param access: Lines of pg_hba.conf, before those that accept all.
        """
        if os.geteuid() == 0:
            shutil.chown(self._folder, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
        self._run("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        rules = self._data / "pg_hba.conf"
        rules.write_text("\n".join([*access, rules.read_text()]))

    def copy(self, primary: Server) -> None:
        """Copy the data of a server that is stopped, as a standby that can be promoted."""
        shutil.copytree(primary._data, self._data, copy_function=shutil.copy)
        (self._data / "standby.signal").touch()
        if os.geteuid() == 0:
            for path in [self._folder, self._data, *self._data.rglob("*")]:
                shutil.chown(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID)

    def start(self) -> None:
        """Start the server, and wait until it accepts sessions."""
        self._run("pg_ctl", "start", "-w", "-t", "60", "-l", str(self._folder / "log"), "-o", self._options)

    def stop(self, mode: str) -> None:
        """Stop the server.

        :param mode: A shutdown mode of `pg_ctl`; `immediate` leaves data as a crash does.
        """
        self._run("pg_ctl", "stop", "-w", "-t", "60", "-m", mode)

    def begin_to_stop(self) -> None:
        """Begin to stop the server, which then waits for the end of its sessions."""
        self._run("pg_ctl", "stop", "-W", "-m", "smart")

    def restart(self) -> None:
        """Restart the server as after a crash."""
        self.stop("immediate")
        self.start()

    def promote(self) -> None:
        """Make a standby the primary."""
        self._run("pg_ctl", "promote", "-w", "-t", "60")


@contextmanager
def own_server(server: URL) -> Iterator[Server]:
    """Yield a server with empty data that is not started, and stop it in the end.

    :param server: The server of the other tests, on this machine.
    """
    programs = Path(query(server, "SELECT setting FROM pg_config WHERE name = 'BINDIR'")[0][0])
    with tempfile.TemporaryDirectory(prefix="unity-server-", ignore_cleanup_errors=True) as folder:
        own = Server(programs, Path(folder))
        try:
            yield own
        finally:
            with suppress(subprocess.CalledProcessError):  # it is stopped
                own.stop("immediate")
