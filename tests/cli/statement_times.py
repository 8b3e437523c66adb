"""Print the milliseconds of each statement of revisions, as JSON, without the time in which it waits for a processor.

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


request = json.load(sys.stdin)
times = {}
with psycopg.connect(request["url"], autocommit=True) as connection:
    names = (str(connection.info.backend_pid), f"self/task/{threading.get_native_id()}")
    for statements in request["revisions"]:
        with connection.transaction():
            for statement in statements:
                before, started = [schedule(name) for name in names], time.monotonic()
                connection.execute(statement)
                elapsed, after = (time.monotonic() - started) * 1000, [schedule(name) for name in names]
                waited = sum(new[1] - old[1] for old, new in zip(before, after))
                times[statement] = max(elapsed - waited, after[0][0] - before[0][0])
print(json.dumps(times))
