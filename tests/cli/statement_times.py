"""Print the milliseconds of each statement of revisions, as JSON, without the time in which it waits for a processor.

Each is the fastest of three executions, of which two are rolled back, as a rehearsal takes the faster of two.
Reads the URL and the statements of each revision, which are one transaction, from standard input.
"""

import json
import sys
import threading
import time
from pathlib import Path

import psycopg


def schedule(name: str) -> list[float]:
    """Return how long a thread has used a processor, and how long it has waited for one, in milliseconds."""
    return [int(each) / 1e6 for each in Path("/proc", name, "schedstat").read_text().split()[:2]]


def execute(connection: psycopg.Connection, statement: str) -> float:
    """Execute a statement, and return its milliseconds."""
    names = (str(connection.info.backend_pid), f"self/task/{threading.get_native_id()}")
    before, started = [schedule(name) for name in names], time.monotonic()
    connection.execute(statement)
    elapsed, after = (time.monotonic() - started) * 1000, [schedule(name) for name in names]
    waited = sum(new[1] - old[1] for old, new in zip(before, after))
    return max(elapsed - waited, after[0][0] - before[0][0])


request = json.load(sys.stdin)
times = {}
with psycopg.connect(request["url"], autocommit=True) as connection:
    for statements in request["revisions"]:
        with connection.transaction():
            for statement in statements:
                samples = []
                for is_last in (False, False, True):
                    with connection.transaction(force_rollback=not is_last):
                        samples.append(execute(connection, statement))
                times[statement] = min(samples)
print(json.dumps(times))
