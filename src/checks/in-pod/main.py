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
from privileges import judge

PATIENCE = 6
"""Seconds for which /health may say no: on a busy node one answer of the database may take too long."""


def health():
    """What /health answers in the end."""
    started = time.monotonic()
    status, body = call("/health")
    while status != 200 and time.monotonic() - started < PATIENCE:
        time.sleep(0.5)
        status, body = call("/health")
    return body


FIRST = {"health": lambda _: health(), "plugins": lambda _: call("/api/plugins")[1]}
THEN = {"image": look, "execution": lambda _: check(), "privileges": judge}
"""Not beside the first ones: the image's Alembic takes the processor from them while it starts."""


def answer(look_at, asked):
    """What a part found, or why it could not look."""
    try:
        return {"value": look_at(asked)}
    except Exception as error:
        return {"error": describe(error)}


wanted = json.loads(sys.argv[1])
answers = {part: answer(FIRST[part], wanted[part]) for part in FIRST if part in wanted}
with ThreadPoolExecutor() as pool:
    later = {part: pool.submit(answer, THEN[part], wanted[part]) for part in THEN if part in wanted}
answers.update((part, future.result()) for part, future in later.items())
print(MARK + json.dumps(answers), flush=True)
