"""What can go wrong: what is worth another try, and how it is told."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

from sqlalchemy.exc import DBAPIError, OperationalError

# Where the URL of the application's own role is, if it has one.
APPLICATION = "APPLICATION_DATABASE_URL"
# SQLSTATEs that time mends: lost connection, deadlock, lock timeout, restart of the server, too many connections. Not
# 08P01, a violation of the protocol, which is also PgBouncer's answer to settings that it does not pass on.
RETRYABLE = re.compile(r"08(?!P01)...|40001|40P01|55P03|57P0[1235]|53300")
# What a refused connection says, which has no SQLSTATE, when waiting is no use. A name that can't be resolved is not
# among it: a Service may be younger than the Job.
HOPELESS = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|does not exist|permission denied|not permitted to log in"
    r"|not currently accepting connections|does not support SSL|certificate|invalid port|configuration parameter"
    r"|unsupported startup parameter"
)
DIRECT_URL_ADVICE = (
    "Set MIGRATION_DATABASE_URL to the URL of PostgreSQL itself: migrations need a session of their own."
)


class Refusal(Exception):
    """What a person has to decide: never retried."""


class RevisionFailed(Exception):
    """What a revision raised, which is rolled back: the cause is the database's or the revision's own error.

    `left` says what it did outside of a transaction that a person must undo; it is not tried again then.
    """

    def __init__(self, revision: str, cause: BaseException, left: str) -> None:
        super().__init__(f"Revision {revision} failed; its transaction is rolled back.")
        self.cause = cause
        self.left = left


def worth_retrying(error: BaseException) -> bool:
    """Whether time may mend what the database said."""
    if isinstance(error, RevisionFailed) and error.left:
        return False
    error = error.cause if isinstance(error, RevisionFailed) else error
    if state := sqlstate(error):
        return RETRYABLE.fullmatch(state) is not None
    return isinstance(error, OperationalError) and not HOPELESS.search(str(error.orig))


def sqlstate(error: BaseException) -> str | None:
    """The five characters of SQL's own error code, from SQLAlchemy's error or a driver's own."""
    origin = getattr(error, "orig", error)
    state = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    return state if isinstance(state, str) else None


def describe(error: BaseException) -> str:
    """What went wrong as a person needs it: revision, message, SQLSTATE, statement; never the password."""
    lines, left = ["Migration failed."], ""
    if isinstance(error, RevisionFailed):
        lines, left, error = [str(error)], error.left, error.cause
    if isinstance(error, DBAPIError):
        lines.append(str(error.orig).strip())
    else:
        lines.append(str(error) if isinstance(error, Refusal) else f"{type(error).__name__}: {error}")
    if state := sqlstate(error):
        lines.append(f"SQLSTATE {state}")
    if "unsupported startup parameter" in str(error):
        lines.append(f"This is a connection pooler. {DIRECT_URL_ADVICE}")
    if statement := getattr(error, "statement", None):
        lines.append(f"Statement: {' '.join(statement.split())[:600]}")
    message = "\n".join([*lines, left] if left else lines)
    urls = " ".join(os.environ.get(name, "") for name in ("DATABASE_URL", APPLICATION))
    for found in re.finditer(r"://[^:/]*:([^@\s]+)@|[?&]password=([^&\s]+)", urls):
        raw = found[1] or found[2]
        message = message.replace(raw, "[secret]").replace(unquote(raw), "[secret]")
    return message
