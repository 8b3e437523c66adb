"""Errors of a migration: which are fatal, and which are worth a retry."""

from __future__ import annotations

import re

from sqlalchemy.exc import OperationalError

# Transient: lost connection, serialization failure, deadlock, lock timeout, server restart, too many connections. Not
# 08P01 (protocol violation), which is also PgBouncer's response to settings that it does not forward.
TRANSIENT_STATES = re.compile(r"08(?!P01)...|40001|40P01|55P03|57P0[1235]|53300")
# A failed connection has no SQLSTATE; these messages mean that a retry can't help. A name that can't be resolved is not
# among them: a Service may be younger than the Job.
PERMANENT_MESSAGES = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|does not exist|permission denied|not permitted to log in"
    r"|not currently accepting connections|does not support SSL|certificate|invalid port|configuration parameter"
    r"|unsupported startup parameter"
)


class FatalError(Exception):
    """An error that a retry can't fix; its message names the fix."""


class RevisionFailed(Exception):
    """The error of a revision whose transaction was rolled back.

    `leftovers` names what the revision left behind outside of its transaction. With any, it is not retried.
    """

    def __init__(self, revision: str, cause: BaseException, leftovers: str) -> None:
        super().__init__(f"Revision {revision} failed and was rolled back.")
        self.cause = cause
        self.leftovers = leftovers


def is_retryable(error: BaseException) -> bool:
    """Return whether a retry may succeed."""
    if isinstance(error, RevisionFailed):
        return not error.leftovers and is_retryable(error.cause)
    if state := sqlstate(error):
        return TRANSIENT_STATES.fullmatch(state) is not None
    return isinstance(error, OperationalError) and not PERMANENT_MESSAGES.search(str(error.orig))


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a SQLAlchemy or driver error, or None."""
    origin = getattr(error, "orig", error)
    state = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    return state if isinstance(state, str) else None
