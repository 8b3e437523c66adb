"""Output of the runner: log lines and error messages."""

from __future__ import annotations

import os
from collections.abc import Iterable

from runner_errors import CAUGHT, FatalError, RevisionFailed, TransientError, sqlstate, was_caught
from runner_session import APPLICATION_URL, DIRECT_URL
from runner_text import printable, redact
from sqlalchemy.exc import DBAPIError

DIRECT_URL_ADVICE = f"Set {DIRECT_URL} to PostgreSQL's own URL: migrations need a dedicated session."


def report(line: str) -> None:
    """Print a line of the log."""
    print(printable(line), flush=True)


def format_revisions(revisions: Iterable[str]) -> str:
    """Return the sorted revisions as text."""
    return ", ".join(sorted(revisions)) or "no revision"


def describe(error: BaseException) -> str:
    """Return the revision, message, SQLSTATE, statement, and leftovers of an error, without any password.

    It also has no character or command that a terminal or CI would run.
    """
    lines, leftovers = ["Migration failed."], ""
    if isinstance(error, RevisionFailed):
        lines, leftovers, error = [str(error)], error.leftovers, error.cause
    if isinstance(error, DBAPIError):
        lines.append(str(error.orig).strip())
    elif isinstance(error, (FatalError, TransientError)):
        lines.append(str(error))
    else:
        lines.append(f"{type(error).__name__}: {error}")
    if state := sqlstate(error):
        lines.append(f"SQLSTATE {state}")
    if "unsupported startup parameter" in str(error):
        lines.append(f"The URL points to a connection pooler. {DIRECT_URL_ADVICE}")
    if statement := getattr(error, "statement", None):
        lines.append(f"Statement: {mask_passwords(' '.join(statement.split()))[:600]}")
    if was_caught(error):
        lines.append(CAUGHT)
    if leftovers:
        lines.append(leftovers)
    return printable(mask_passwords("\n".join(lines)))


def mask_passwords(message: str) -> str:
    """Replace the passwords of the environment's URLs."""
    return redact(message, [os.environ.get(variable, "") for variable in ("DATABASE_URL", DIRECT_URL, APPLICATION_URL)])
