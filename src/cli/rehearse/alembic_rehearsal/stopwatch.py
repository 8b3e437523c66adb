"""Time that a statement takes, without the time in which processes wait for a processor, which other load decides."""

from __future__ import annotations

import threading
import time
from pathlib import Path


class Stopwatch:
    """Measures from now on."""

    def __init__(self, pid: int | None) -> None:
        """Start.

        :param pid: Of the backend. If it is not one of this Linux machine, its waits count.
        """
        self._backend = str(pid) if pid is not None and read(f"{pid}/comm").strip() == "postgres" else None
        self._used, self._queued = self._schedule()
        self._started = time.monotonic()

    def milliseconds(self) -> float:
        """Return the time so far: that of the clock without waits, and at least what the backend has used.

        The backend and this thread may wait at the same time, when the statement has just ended.
        """
        elapsed = time.monotonic() - self._started
        used, queued = self._schedule()
        return round(max(elapsed - (queued - self._queued), used - self._used, 0.0) * 1000, 3)

    def _schedule(self) -> tuple[float, float]:
        """Return the seconds that the backend has used, and those that it and this thread have waited."""
        _, own = schedule(f"self/task/{threading.get_native_id()}")
        used, queued = schedule(self._backend) if self._backend else (0.0, 0.0)
        return used, queued + own


def schedule(task: str) -> tuple[float, float]:
    """Return the seconds that a task has used a processor, and those that it has waited for one."""
    used, queued, *_ = [*read(f"{task}/schedstat").split(), "0", "0"]
    return int(used) / 1e9, int(queued) / 1e9


def read(name: str) -> str:
    """Return the text of a file of `/proc`; nothing if there is none."""
    try:
        return Path("/proc", name).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
