"""The reviewed chain of revisions, and how the image and the database compare with it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from runner_config import AlembicCall, locate
from runner_contract import CONTRACT
from runner_database import Database, VersionTable
from runner_errors import FatalError
from runner_files import BYTECODE, FileWatch, Read, is_dotenv, unreviewable
from runner_output import format_revisions

REBUILD = "Rebuild the image from the reviewed tree."
REVIEW = (
    "Lock the chain again. If it is still missing then, rendering stops before the statement that reads it: read it at "
    "module level, at the top of the revision file."
)


@dataclass(frozen=True)
class Revision:
    """A revision, with the field names of the chain's JSON file."""

    id: str
    title: str
    # The SHA-256 of each reviewed file, by its path in the app's folder, or `package:path`.
    files: dict[str, str]
    # Hash of the SQL by direction, `upgrade` or `downgrade`, for the plan's hash.
    sql: dict[str, str]
    # None if that takes a database to know.
    reversible: bool | None
    # Why `reversible` is not true.
    reversibleReason: str | None
    # `built`: indexes that the upgrade creates concurrently; `repaired`: those that it drops or rebuilds.
    indexes: dict[str, list[str]] = field(default_factory=dict)
    # Why code of an earlier revision may fail on the schema after the upgrade, or None if it keeps working.
    rollbackBlocker: str | None = "unknown"
    # Whether a rehearsal found that: then the revision waits for sessions of releases before the one that it follows.
    breaksOlderCode: bool = False


@dataclass(frozen=True)
class Chain:
    """The revisions of the lockfile, base first."""

    heads: frozenset[str]
    revisions: tuple[Revision, ...]
    # Revisions of later releases that this release can run on.
    tolerated: frozenset[str]
    version_table: VersionTable = VersionTable()
    # The SHA-256 of each reviewed file that belongs to no single revision, by its name in the lockfile; empty if they
    # are unknown, which are those of an older image.
    files: dict[str, str] = field(default_factory=dict)
    # How the revisions were rendered, and thus how they are run.
    alembic: AlembicCall = field(default_factory=AlembicCall)

    @property
    def reviewed(self) -> dict[str, str]:
        """Return the SHA-256 of each reviewed file, also of the revisions that a plan does not contain."""
        of_revisions = (item for revision in self.revisions for item in revision.files.items())
        return {**self.files, **dict(of_revisions)}

    @staticmethod
    def read(path: Path) -> Chain:
        """Read the JSON file of the ConfigMap."""
        content = json.loads(path.read_text(encoding="utf-8"))
        revisions = tuple(Revision(**revision) for revision in content["revisions"])
        heads, tolerated = frozenset(content["heads"]), frozenset(content.get("tolerated", []))
        table, files = VersionTable(**content.get("versionTable", {})), content["files"]
        alembic = AlembicCall.of(content["alembic"]) if "alembic" in content else AlembicCall()
        return Chain(heads, revisions, tolerated, table, files, alembic)

    def find(self, id: str) -> Revision:
        """Return a revision by its id.

        :raises FatalError: If the chain has no such revision.
        """
        for revision in self.revisions:
            if revision.id == id:
                return revision
        raise FatalError(f"unknown revision {id}; known revisions: {', '.join(each.id for each in self.revisions)}")


class Files:
    """A set of files, in which each is found by any of its paths."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = frozenset(map(os.path.abspath, paths))

    @cached_property
    def _real_paths(self) -> frozenset[str]:
        return frozenset(map(os.path.realpath, self._paths))

    def __contains__(self, path: str) -> bool:
        # Most are found by the same path, and resolving the links of a path takes a system call per folder.
        is_same_path = os.pardir not in path and os.path.abspath(path) in self._paths
        return is_same_path or os.path.realpath(path) in self._real_paths


def verify_image(database: Database, chain: Chain) -> None:
    """Compare the image's files with those that were reviewed.

    :raises FatalError: At the first difference.
    """
    reviewed = [(file, locate(file), sha256) for file, sha256 in chain.files.items()]
    for each in chain.revisions:
        reviewed += [(f"{file} of revision {each.id}", locate(file), sha256) for file, sha256 in each.files.items()]
    for name, path, sha256 in reviewed:
        if not path.is_file():
            raise FatalError(f"{name} is missing from the image. {REBUILD}")
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise FatalError(f"{name} differs between the image and the lockfile. {REBUILD}")
    if chain.files:
        paths = Files(path for _, path, _ in reviewed)
        env_py = database.script.env_py_location  # as alembic.ini says, which is not reviewed
        if env_py not in paths:
            raise FatalError(f"{os.path.relpath(env_py)} of the image is not in the lockfile. {REBUILD}")
        reject_unreviewed(database, paths)


def verify_heads(database: Database, chain: Chain) -> None:
    """Compare the image's revisions with the chain's, as Alembic loads them, which may need env.py.

    :raises FatalError: If the heads differ, or another file than the reviewed one contains a revision.
    """
    heads = database.heads()
    if CONTRACT.violation is not None:  # of a revision that has caught it
        raise CONTRACT.violation
    if heads != chain.heads:
        raise FatalError(
            f"the image's head is {format_revisions(heads)}, expected {format_revisions(chain.heads)}. {REBUILD}"
        )
    reviewed = Files(locate(file) for revision in chain.revisions for file in revision.files)
    for id, path in database.revision_files():
        if path not in reviewed:
            raise FatalError(
                f"{os.path.relpath(path)} of the image contains revision {id}, but is not in the lockfile. {REBUILD}"
            )


def reject_unreviewed(database: Database, reviewed: Files) -> None:
    """From now on, reject what a revision reads or imports below the script folder, unless it was reviewed.

    Bytecode without its source is rejected wherever it is imported.
    """

    def check(read: Read) -> None:
        file = os.path.relpath(read.path)
        if read.path.endswith(BYTECODE):
            CONTRACT.reject(FatalError(unreviewable(file)))
        is_setting = is_dotenv(read.path) and read.is_import
        is_free = is_setting or not watch.is_closed(read.path) or read.path in reviewed
        if read.revision is not None and not is_free:
            reader = os.path.relpath(read.revision)
            CONTRACT.reject(FatalError(f"{reader} reads {file}, which is not in the lockfile. {REVIEW}"))

    watch = FileWatch(database.script, check)


def find_pending(database: Database, chain: Chain, current: frozenset[str]) -> list[Revision]:
    """Return the pending revisions, base first. env.py has run, as before `alembic` loads the revisions.

    :param current: The rows of the version table.
    :raises FatalError: If the image has other heads, or a row is not in the chain, or is an ancestor of another row.
    """
    verify_heads(database, chain)
    if unknown := current - {revision.id for revision in chain.revisions}:
        if len(current) == 1 and unknown <= chain.tolerated:
            return []
        raise FatalError(
            f"the database is at {format_revisions(unknown)}, which this image does not contain. Deploy an image that "
            "contains it, or restore the database."
        )
    lineages = {row: database.lineage(row) for row in current}
    if redundant := frozenset(row for row in current if any(row in lineages[other] for other in current - {row})):
        raise FatalError(
            f"{chain.version_table} has overlapping revisions: {format_revisions(current)}. Check the tables, then "
            f"delete the redundant rows: {format_revisions(redundant)}."
        )
    applied = frozenset().union(*lineages.values())
    return [revision for revision in chain.revisions if revision.id not in applied]
