"""Output of the runner: log lines and error messages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import partial
from urllib.parse import unquote

from runner_errors import FatalError, RevisionFailed, sqlstate
from runner_session import APPLICATION_URL, DIRECT_URL
from sqlalchemy.exc import DBAPIError

DIRECT_URL_ADVICE = f"Set {DIRECT_URL} to PostgreSQL's own URL: migrations need a dedicated session."

report = partial(print, flush=True)


def format_revisions(revisions: Iterable[str]) -> str:
    """Return the sorted revisions as text."""
    return ", ".join(sorted(revisions)) or "no revision"


def describe(error: BaseException) -> str:
    """Return the revision, message, SQLSTATE, statement, and leftovers of an error, without any password."""
    lines, leftovers = ["Migration failed."], ""
    if isinstance(error, RevisionFailed):
        lines, leftovers, error = [str(error)], error.leftovers, error.cause
    if isinstance(error, DBAPIError):
        lines.append(str(error.orig).strip())
    elif isinstance(error, FatalError):
        lines.append(str(error))
    else:
        lines.append(f"{type(error).__name__}: {error}")
    if state := sqlstate(error):
        lines.append(f"SQLSTATE {state}")
    if "unsupported startup parameter" in str(error):
        lines.append(f"The URL points to a connection pooler. {DIRECT_URL_ADVICE}")
    if statement := getattr(error, "statement", None):
        lines.append(f"Statement: {' '.join(statement.split())[:600]}")
    if leftovers:
        lines.append(leftovers)
    return mask_passwords("\n".join(lines))


def mask_passwords(message: str) -> str:
    """Replace the passwords of the environment's URLs."""
    urls = " ".join(os.environ.get(variable, "") for variable in ("DATABASE_URL", APPLICATION_URL))
    for found in re.finditer(r"://[^:/]*:([^@\s]+)@|[?&]password=([^&\s]+)", urls):
        password = found[1] or found[2]
        message = message.replace(password, "[secret]").replace(unquote(password), "[secret]")
    return message
