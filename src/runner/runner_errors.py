"""Errors of a migration: which are fatal, and which are worth a retry."""

from __future__ import annotations

import re

from runner_dbapi import driver_sqlstate
from sqlalchemy.exc import PendingRollbackError

TRANSIENT_STATES = {
    "08000": "connection exception",
    "08001": "the client can't connect",
    "08003": "the connection does not exist",
    "08004": "the server rejected the connection",
    "08006": "the connection failed",
    "08007": "the transaction's outcome is unknown: the version table knows it",
    "25006": "read-only: a standby that is about to be promoted, or a failover; `reject_read_only` detects it first",
    "40001": "serialization failure",
    "40P01": "deadlock",
    "53300": "too many connections",
    "55P03": "lock timeout",
    "57P01": "the server shuts down, or an administrator ended the session",
    "57P02": "the server crashed",
    "57P03": "the server starts up, or recovers",
    "57P05": "idle session timeout",
}
"""The SQLSTATEs that are worth a retry (https://www.postgresql.org/docs/current/errcodes-appendix.html); no other is.

Not 08P01 (protocol violation), which is also PgBouncer's response to settings that it does not forward.
"""
UNDEFINED_TABLE = "42P01"
ABORTED_TRANSACTION = "25P02"

# A failed connection has no SQLSTATE; these messages mean that a retry can't help. A name that can't be resolved is not
# among them: a Service may be younger than the Job.
PERMANENT_MESSAGES = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|does not exist|permission denied|not permitted to log in"
    r"|not currently accepting connections|does not support SSL|certificate|invalid port|configuration parameter"
    r"|unsupported startup parameter|refuses SSL|rejected SSL upgrade"
)
CONNECTION_ERRORS = frozenset(["OperationalError", "InterfaceError"])
"""Names of PEP 249, which SQLAlchemy and the drivers have in common: env.py and revisions may use a driver itself."""


CAUGHT = (
    "The revision caught this error, but PostgreSQL rejects what follows in its transaction. "
    "To go on after an error, execute the statement in a savepoint: with op.get_bind().begin_nested()"
)


class FatalError(Exception):
    """An error that a retry can't fix; its message names the fix."""


class TransientError(Exception):
    """An error that a retry may fix."""


class LockLost(TransientError):
    """The end of the session that holds the advisory lock. A retry acquires it again and plans again."""


class RevisionFailed(Exception):
    """The error of a revision whose transaction was rolled back.

    `leftovers` names what the revision left behind outside of its transaction. With any, it is not retried.
    """

    def __init__(self, revision: str, cause: BaseException, leftovers: str) -> None:
        super().__init__(f"Revision {revision} failed and was rolled back.")
        self.cause = cause
        self.leftovers = leftovers


def note_caught(error: BaseException, first: BaseException) -> None:
    """Note the error that aborted a transaction, which a revision caught, on that of a later statement."""
    vars(error)["aborted_by"] = first
    vars(first)["caught"] = True


def was_caught(error: BaseException) -> bool:
    """Return whether a revision caught an error that aborted its transaction."""
    return "caught" in vars(error)


def origin(error: BaseException) -> BaseException:
    """Return the error that ended a session, which Alembic hides, or a transaction, which a revision caught."""
    while isinstance(error, PendingRollbackError) and error.__context__ is not None:
        error = error.__context__
    first: BaseException = vars(error).get("aborted_by", error)
    return first


def is_retryable(error: BaseException) -> bool:
    """Return whether a retry may succeed."""
    if isinstance(error, RevisionFailed):
        return not error.leftovers and is_retryable(error.cause)
    if isinstance(error, TransientError):
        return True
    if state := sqlstate(error):
        return state in TRANSIENT_STATES
    # An OSError comes from drivers that don't use libpq: refused, unreachable, unknown host.
    if not isinstance(error, OSError) and CONNECTION_ERRORS.isdisjoint(each.__name__ for each in type(error).__mro__):
        return False
    return not PERMANENT_MESSAGES.search(str(getattr(error, "orig", error)))


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a SQLAlchemy or driver error, or None."""
    return driver_sqlstate(getattr(error, "orig", error))
