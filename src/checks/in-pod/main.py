"""Inspect the backend from inside its pod, and print the requested parts as JSON: those that measure, then the others.

Its input is a JSON object: the input of each requested part, by name. A part that fails returns its error, and does
not affect the others.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor

from api import call
from connection import INPUT, MARK, describe
from execution import check_execution
from image import inspect_image
from privileges import read_privileges

HEALTH_GRACE_SECONDS = 6
"""How long /health may fail to read the revision: on a busy node, a query may take too long for it."""


def knows_revision(body):
    """Return whether the body of /health says the revision: then it answers the question, healthy or not."""
    try:
        return json.loads(body)["components"]["database"]["revision"] is not None
    except (ValueError, LookupError, TypeError):
        return False


def read_health():
    """Return the body of /health, once it says the revision or the grace period is over."""
    started = time.monotonic()
    _, body = call("/health")
    while not knows_revision(body) and time.monotonic() - started < HEALTH_GRACE_SECONDS:
        time.sleep(0.5)
        _, body = call("/health")
    return body


MEASURED = {"health": lambda _: read_health(), "plugins": lambda _: call("/api/plugins")[1]}
OTHERS = {"image": inspect_image, "execution": lambda _: check_execution(), "privileges": read_privileges}
"""Not concurrent with the first ones: the start of the image's Alembic would slow them down."""


def run(part, value):
    """Return the value of a part, or its error."""
    try:
        return {"value": part(value)}
    except Exception as error:
        return {"error": describe(error)}


requested = json.loads(INPUT)
measured = {name: run(MEASURED[name], requested[name]) for name in MEASURED if name in requested}
print("alembic-measured " + json.dumps(measured), flush=True)
with ThreadPoolExecutor() as pool:
    futures = {name: pool.submit(run, OTHERS[name], requested[name]) for name in OTHERS if name in requested}
print(MARK + json.dumps({name: future.result() for name, future in futures.items()}), flush=True)
