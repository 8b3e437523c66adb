"""Run the chain of the Alembic project in the current folder on a throwaway database: each revision up, down, and up.

Usage: python rehearse_chain.py ALEMBIC VERSION_TABLE [TRIAL]     (JSON of the lockfile; in the app's folder)

With TRIAL, a file with JSON, each revision runs only up, those that are pending last, and on rows.

The database is that of DATABASE_URL. It must have no objects, and has none afterwards. If the URL names no driver, that
of REHEARSAL_SCHEME counts, otherwise an installed one. env.py runs once, as in the runner, with one transaction per
revision. The runner's contract rejects a session of another database before it can change anything there.

Writes lines with JSON to standard output: the schema before, each step, and a last one. The project's own output goes
to standard error. Exits with 3 and a message on standard output if the rehearsal can't begin.

Requires Python 3.9, Alembic 1.8, and SQLAlchemy 1.4, or later.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

sys.path.insert(1, str(Path(__file__).parents[1] / "lock"))

from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic_lock.driver import has_default_driver
from alembic_lock.offline import explain
from alembic_lock.statements import keep_order
from alembic_lock.variables import hide, loaded, note_lookups, value_in
from alembic_rehearsal.emptiness import Cleaner, objects
from alembic_rehearsal.models import compare_models
from alembic_rehearsal.observer import Observer
from alembic_rehearsal.statements import Statements
from alembic_rehearsal.trial import Trial
from runner_config import AlembicCall
from runner_contract import CONTRACT
from runner_database import Database, VersionTable, version_table
from runner_driver import image_driver
from runner_errors import CAUGHT, FatalError, origin, sqlstate, was_caught
from runner_session import configure_sessions, connect, database_url
from runner_text import redact

# From here on, imports resolve as for `alembic`: not to the runner's folder, and not to that of the lock.
for folder in (str(Path(inspect.getfile(AlembicCall)).parent), str(Path(__file__).parents[1] / "lock")):
    sys.path.remove(folder)

LOCK_TIMEOUT_SECONDS = 60.0
DEADLINE_SECONDS = 86400.0

Emit = Callable[[dict[str, Any]], None]


class Rehearsal:
    """The steps of all revisions, which Alembic takes one by one while env.py runs."""

    def __init__(
        self,
        database: Database,
        observer: Observer,
        cleaner: Cleaner,
        statements: Statements,
        emit: Emit,
        trial: Trial | None,
    ) -> None:
        self._database, self._observer, self._statements, self._emit = database, observer, statements, emit
        self._cleaner, self._trial = cleaner, trial
        scripts = list(database.script.walk_revisions())
        self._files = {script.revision: script.path for script in scripts}
        order = list(reversed(list(self._files)))
        if trial:
            order = [*(each for each in order if each not in trial.pending), *trial.pending]
        steps = ("upgrade",) if trial else ("upgrade", "downgrade", "upgrade")
        self._left = deque((revision, step) for revision in order for step in steps)
        self._order = order
        # The number of steps that only lead back to where the rehearsal was.
        self._repeated = 0
        self._downgraded: str | None = None
        self._running: tuple[str, str] | None = None
        self._started = 0.0
        self._schema = ""
        self.models: list[str] | None = None
        self.failed: dict[str, str] | None = None

    def run(self) -> None:
        """Run env.py until all steps are done: once, unless it has a transaction of its own, or a revision fails."""
        while self._left and self.failed is None:
            try:
                self._database.run(self._steps, destination_rev="heads")
                if self._running is not None:
                    self._finish()
            except (Exception, SystemExit) as error:
                if self._running is None:
                    raise
                self._fail(CONTRACT.violation or origin(error))

    def _steps(self, _current: frozenset[str], context: MigrationContext) -> Iterator[MigrationStep]:
        while self._left:
            self._table = version_table(context)
            if self._trial and self._left[0][0] == self._trial.pending[0]:
                self._emit({"counts": self._trial.fill(self._observer)})
            self._running = revision, direction = self._left[0]
            self._started = time.monotonic()
            context.impl.memo.clear()  # of the types that were created, which a downgrade may have dropped
            step = self._database.step(direction, revision)
            step.migration_fn = self._recorded(step.migration_fn)
            yield step
            assert context.connection is not None
            if not self._is_committed() and context.connection.in_transaction():
                return  # env.py commits its own transaction when it ends
            self._finish()
        self.models = None if self._trial else compare_models(context)

    def _recorded(self, function: Callable[..., None]) -> Callable[..., None]:
        def run(**options: Any) -> None:
            with self._statements.recorded():
                function(**options)

        return run

    def _is_committed(self) -> bool:
        assert self._running is not None
        revision, direction = self._running
        return (revision in self._observer.rows(self._table)) == (direction == "upgrade")

    def _finish(self) -> None:
        if not self._is_committed():
            raise FatalError(
                "it was rolled back. env.py probably executes a statement before context.configure(), which begins a "
                "transaction that nothing commits. Commit it there: connection.commit()"
            )
        self._left.popleft()
        if self._repeated == 0:
            self._report(None)
            return
        self._running = None
        self._repeated -= 1
        if self._repeated == 0:
            self._schema = self._observer.schema()
            self._emit({"schema": json.loads(self._schema)})

    def _report(self, error: str | None) -> None:
        assert self._running is not None
        (revision, direction), self._running = self._running, None
        self._downgraded = revision if direction == "downgrade" else None
        self._schema = self._observer.schema()
        statements = self._statements.last()
        variable = variable_in([statement["sql"] for statement in statements], self._files[revision])
        for statement in statements if variable is not None else []:
            statement["sql"] = hide(statement["sql"])
        self._emit(
            {
                "revision": revision,
                "direction": direction,
                "error": error,
                "milliseconds": round((time.monotonic() - self._started) * 1000),
                "statements": statements,
                "variable": variable,
                "schema": json.loads(self._schema),
                "total": len(self._order),
            }
        )

    def _fail(self, error: BaseException) -> None:
        """Continue with the next revision if a downgrade failed and changed nothing, or the upgrade after it failed."""
        assert self._running is not None
        revision, direction = self._running
        message = describe(error, self._files[revision])
        if direction == "upgrade" and revision != self._downgraded:
            message += explain_table(message, self._schema)
        if self._repeated > 0:
            failed = self._left[self._repeated - 1][0]
            message += f"\nIt ran before, and again from an empty database after {failed} failed after its downgrade."
        if CONTRACT.violation is None and direction == "upgrade" and revision == self._downgraded:
            self._left.popleft()
            self._report(message)
            self._repeat(revision)
            return
        if direction == "upgrade" or CONTRACT.violation is not None or self._observer.schema() != self._schema:
            self.failed = {"revision": revision, "direction": direction, "error": message}
            return
        for _ in ("downgrade", "upgrade"):
            self._left.popleft()
        self._report(message)

    def _repeat(self, revision: str) -> None:
        """Lead back to a revision from an empty database, by upgrades only."""
        self._observer.end(CONTRACT.sessions, idle=False)
        self._cleaner.drop_all()
        upgrades = self._order[: self._order.index(revision) + 1]
        self._left.extendleft((each, "upgrade") for each in reversed(upgrades))
        self._repeated = len(upgrades)


def variable_in(statements: list[str], file: str) -> str | None:
    """Return the environment variable that the file of a revision reads, or whose value its statements contain."""
    password = re.search(r"://[^:/@]*:([^@]+)@", os.environ["DATABASE_URL"])
    if password and any(password[1] in statement for statement in statements):
        return "DATABASE_URL"
    return loaded.get(file) or value_in(statements, Path(file).read_text(encoding="utf-8"))


def explain_table(message: str, schema: str) -> str:
    """Return a line on a table that an upgrade expects in another state, or nothing.

    :param schema: JSON of the schema before the upgrade.
    """
    found = re.search(r'(?:relation|table) "(?:[^"]*\.)?([^"]+)" (already exists|does not exist)', message)
    if found is None:
        return ""
    name, state = found.groups()
    if state == "does not exist":
        return "\nThe rehearsal starts from an empty database: a revision must create this table first."
    if re.search(rf"\b{re.escape(name)}\b", schema):
        return ""
    return (
        "\nNo earlier revision created it: if the app does when it is loaded, leave that to a revision, because the "
        "rehearsal starts from an empty database."
    )


def describe(error: BaseException, file: str | None = None) -> str:
    """Return the message of an error without passwords and values of environment variables."""
    message = str(error) if isinstance(error, FatalError) else explain(error, file)
    if was_caught(error):
        statement = " ".join((getattr(error, "statement", None) or "").split())
        message += f"\nSQLSTATE {sqlstate(error)}\nStatement: {statement}\n{CAUGHT}"
    return redact(hide(message), [os.environ["DATABASE_URL"]])


def choose_driver() -> None:
    """Add a driver to DATABASE_URL, unless it names one or SQLAlchemy's default is installed."""
    scheme, separator, rest = os.environ["DATABASE_URL"].partition("://")
    given = os.environ.pop("REHEARSAL_SCHEME", "")
    if "+" in scheme:
        return
    if "+" in given:
        scheme = given
    elif not has_default_driver():
        scheme = f"postgresql+{image_driver()}"
    os.environ["DATABASE_URL"] = f"{scheme}{separator}{rest}"


def rehearse(call: AlembicCall, table: VersionTable, emit: Emit, trial: Trial | None) -> dict[str, Any]:
    """Return the last document.

    :raises FatalError: If the database has objects.
    """
    choose_driver()
    url = database_url()
    configure_sessions(LOCK_TIMEOUT_SECONDS, 0, time.monotonic() + DEADLINE_SECONDS)
    CONTRACT.settings.update(trial.settings if trial else {})
    observer = Observer(url)
    if found := objects(observer):
        names = ", ".join(found[:3]) + (f", and {len(found) - 3} more" if len(found) > 3 else "")
        raise FatalError(f"the database has objects: {names}. No changes were made. Pass the URL of an empty database.")
    cleaner = Cleaner(observer)
    emit({"schema": json.loads(observer.schema())})
    try:
        with connect(url) as session, CONTRACT.proven_by(session):
            rehearsal = Rehearsal(Database(call, table), observer, cleaner, Statements(observer), emit, trial)
            rehearsal.run()
    finally:
        observer.end(CONTRACT.sessions)
        cleaner.drop_all()
    version = observer.scalar("SELECT current_setting('server_version')")
    return {"postgres": version, "models": rehearsal.models, "failed": rehearsal.failed}


def end_with_parent() -> None:
    """End this process when the one that started it ends, whatever a revision does then."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> int:
    """Write the documents to standard output, and redirect all other output to standard error."""
    end_with_parent()
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    call, table = AlembicCall.of(json.loads(sys.argv[1])), VersionTable(**json.loads(sys.argv[2]))

    def emit(document: dict[str, Any]) -> None:
        output.write(f"{json.dumps(document)}\n")
        output.flush()

    trial = Trial(**json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))) if len(sys.argv) > 3 else None
    note_lookups()
    keep_order()
    try:
        emit(rehearse(call, table, emit, trial))
    except (Exception, SystemExit) as error:
        output.write(describe(origin(error)))
        output.flush()
        return 3
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # threads of env.py's may run on
