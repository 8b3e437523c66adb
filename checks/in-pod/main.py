"""Looks at the backend from inside its pod, at all that is asked for; prints JSON.

Takes as its argument what each part needs, by the part's name. A part that fails says why; the others answer.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from api import call
from connection import MARK, describe
from execution import check
from image import look


def health():
    """What /health answers; asked again if it says no, which one slow answer of the database is enough for."""
    status, body = call("/health")
    if status != 200:
        time.sleep(1)
        body = call("/health")[1]
    return body


PARTS = {
    "image": look,
    "health": lambda _: health(),
    "plugins": lambda _: call("/api/plugins")[1],
    "execution": lambda _: check(),
}


def answer(part, asked):
    """What a part found, or why it could not look."""
    try:
        return {"value": PARTS[part](asked)}
    except Exception as error:
        return {"error": describe(error)}


wanted = json.loads(sys.argv[1])
# Two at a time: the image's Alembic takes a while to start, and more would only make each other slow.
with ThreadPoolExecutor(2) as pool:
    answers = {part: pool.submit(answer, part, wanted[part]) for part in PARTS if part in wanted}
print(MARK + json.dumps({part: future.result() for part, future in answers.items()}), flush=True)
