"""What one call of the runner has to do, and with what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner_chain import Chain, Revision
from runner_database import Database
from runner_roles import ApplicationRole
from sqlalchemy.engine import URL


@dataclass(frozen=True)
class Task:
    """What every mode gets."""

    database: Database
    chain: Chain
    url: URL
    # Of `time.monotonic`, in seconds: later than this nothing is begun again.
    deadline: float
    # A revision, or `base` for a downgrade; None is the chain's heads.
    target: str | None
    # The application's own role, if it has one.
    role: ApplicationRole | None = None


@dataclass(frozen=True)
class Steps:
    """What a migration has to do, found under the lock."""

    # `upgrade` or `downgrade`.
    direction: str
    # Where the database is: the rows of `alembic_version`.
    current: frozenset[str]
    # Where it is to be; none is before the first revision.
    target: frozenset[str]
    # In order of application: to apply, or to undo.
    revisions: tuple[Revision, ...]
    # What the log counts them by, and of how many.
    numbers: Sequence[int]
    total: int
    # For people, when there is nothing to do.
    standing: str
