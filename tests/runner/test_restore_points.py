"""Restore points: what is recorded as verified can be restored, by a role that is not a superuser."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL
from support import PROJECT, dsn, password_required, query, session, stamp, until

SCRIPT = PROJECT / "src" / "runner" / "restore-point.sh"

pytestmark = pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")


@dataclass(frozen=True)
class Store:
    """A database of a role that is not a superuser, and a folder for its restore points."""

    admin: URL
    owner: URL
    folder: Path
    script: Path = SCRIPT

    def start(self, *args: str, **variables: str) -> subprocess.Popen[str]:
        names = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment = {**names, "DATABASE_URL": dsn(self.owner), "RESTORE_POINTS": str(self.folder), **variables}
        command = ["bash", str(self.script), *args]
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )

    def run(self, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*args, **variables)
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(args, process.returncode, stdout, stderr)

    def take(self, name: str = "one") -> dict[str, Any]:
        """Take a restore point and return its record."""
        result = self.run("take", name)
        assert result.returncode == 0, result.stdout + result.stderr
        return next(point for point in self.list() if point["name"] == name)

    def list(self) -> list[dict[str, Any]]:
        result = self.run("list")
        assert result.returncode == 0, result.stderr
        points: list[dict[str, Any]] = json.loads(result.stdout)
        return points

    def restore(self, name: str = "one") -> subprocess.CompletedProcess[str]:
        return self.run("restore", name)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as the owner."""
        return query(self.owner, statement)

    def scratch(self) -> list[tuple[Any, ...]]:
        """Return the scratch database, if it exists."""
        digest = hashlib.md5(str(self.owner.database).encode(), usedforsecurity=False).hexdigest()[:12]
        return query(self.admin, f"SELECT datname FROM pg_database WHERE datname = 'alembic_restore_check_{digest}'")


@pytest.fixture
def store(server: URL, tmp_path: Path) -> Iterator[Store]:
    """Create a database whose owner may create databases."""
    name = f"unity_points_{uuid.uuid4().hex[:12]}"
    query(server, f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'secret'")
    query(server, f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0")
    owner = server.set(username=name, password="secret", database=name)
    try:
        yield Store(server.set(database=name), owner, tmp_path)
    finally:
        query(server, f"DROP DATABASE {name} WITH (FORCE)")
        query(server, f"DROP ROLE {name}")


CONTENT = "CREATE TABLE notes (id serial PRIMARY KEY, text text); INSERT INTO notes (text) VALUES ('first')"

# What the database contains: statements of the superuser and of the owner, and a query whose result is restored.
KINDS = {
    "a plain table": ("", "", "SELECT text FROM notes"),
    "an extension of another role": (
        "CREATE EXTENSION pg_buffercache; CREATE EXTENSION citext",
        "CREATE TABLE names (name public.citext); INSERT INTO names VALUES ('Ada')",
        "SELECT name::text FROM names",
    ),
    "an extension in a schema of its own": (
        "",
        "CREATE SCHEMA own; CREATE EXTENSION citext SCHEMA own; CREATE TABLE own.names (name own.citext);"
        " INSERT INTO own.names VALUES ('Ada')",
        "SELECT name::text FROM own.names",
    ),
    "a text search configuration": (
        "",
        "CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = simple);"
        " CREATE TEXT SEARCH CONFIGURATION mine (COPY = english);"
        " ALTER TEXT SEARCH CONFIGURATION mine ALTER MAPPING FOR asciiword WITH plain",
        "SELECT cfgname::text FROM pg_ts_config WHERE cfgname = 'mine'",
    ),
    "a collation": (
        "",
        """CREATE COLLATION mine (LOCALE = 'C'); CREATE TABLE sorted (name text COLLATE mine)""",
        "SELECT collname::text FROM pg_collation WHERE collname = 'mine'",
    ),
    "a publication": (
        "",
        "CREATE PUBLICATION mine FOR TABLE notes",
        "SELECT tablename::text FROM pg_publication_tables WHERE pubname = 'mine'",
    ),
    "large objects": (
        "",
        "CREATE TABLE files AS SELECT lo_from_bytea(0, '\\x00ff'::bytea) AS content",
        "SELECT encode(lo_get(content), 'hex') FROM files",
    ),
    "no schema public": (
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA app; CREATE TABLE app.notes (id int); INSERT INTO app.notes VALUES (1)",
        "SELECT id FROM app.notes",
    ),
    "other objects of a schema": (
        "",
        "CREATE TYPE mood AS ENUM ('good'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
        " CREATE TYPE pair AS (a int, b mood); CREATE TYPE span AS RANGE (subtype = int);"
        " CREATE TABLE parts (id int GENERATED ALWAYS AS IDENTITY, m mood, p positive) PARTITION BY LIST (m);"
        " CREATE TABLE good PARTITION OF parts FOR VALUES IN ('good'); CREATE VIEW seen AS SELECT * FROM parts;"
        " CREATE MATERIALIZED VIEW kept AS SELECT * FROM parts; CREATE STATISTICS stats ON id, m FROM good;"
        " CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';"
        " CREATE PROCEDURE act() LANGUAGE sql AS ''; CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int);"
        " CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int);"
        " CREATE CAST (mood AS pair) WITH INOUT; CREATE SEQUENCE alone; INSERT INTO parts (m, p) VALUES ('good', 3)",
        "SELECT twice(p) FROM parts WHERE id === 1",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_verified_restore_point_can_be_restored(store: Store, kind: str) -> None:
    of_admin, of_owner, check = KINDS[kind]
    store.sql(CONTENT)
    query(store.admin, of_admin or "SELECT")
    store.sql(of_owner or "SELECT")
    before = store.sql(check)
    assert store.take()["check"] == ("readable" if kind == "an extension of another role" else "verified")
    assert store.scratch() == []
    store.sql("CREATE SCHEMA later; CREATE TABLE later.later (id int)")
    result = store.restore()
    assert result.returncode == 0, result.stderr
    assert (store.sql(check), before != []) == (before, True)
    assert store.sql("SELECT to_regnamespace('later')") == [(None,)]
    assert store.restore().returncode == 0, "a second time"


def test_schema_public_that_was_dropped_is_created_again(store: Store) -> None:
    store.sql(CONTENT)
    store.take()
    query(store.admin, "DROP SCHEMA public CASCADE")
    result = store.restore()
    assert result.returncode == 0, result.stderr
    assert store.sql("SELECT text FROM public.notes") == [("first",)]


def test_restore_point_of_more_tables_than_fit_in_one_transaction_is_rejected(store: Store) -> None:
    store.sql(
        "DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, name text)', i);"
        " IF i % 100 = 0 THEN COMMIT; END IF; END LOOP; END $$"
    )
    result = store.run("take", "one")
    assert result.returncode == 1
    assert "about 14000 locks are required in one transaction, and the server has room for" in result.stderr
    assert "run: ALTER SYSTEM SET max_locks_per_transaction = " in result.stderr
    assert store.list() == []


def test_restore_point_with_objects_of_another_role_is_rejected(store: Store) -> None:
    store.sql(CONTENT)
    query(
        store.admin,
        "CREATE SCHEMA theirs CREATE TABLE one (id int); GRANT USAGE ON SCHEMA theirs TO PUBLIC;"
        " GRANT SELECT ON theirs.one TO PUBLIC; CREATE PUBLICATION everything FOR ALL TABLES",
    )
    result = store.run("take", "one")
    assert result.returncode == 1
    assert "can't take a restore point: a restore would fail:\n" in result.stderr
    for theirs in ("table theirs.one", "schema theirs", "publication everything"):
        assert f"  {theirs} belongs to role postgres\n" in result.stderr, result.stderr
    assert store.list() == []


@pytest.fixture
def other(store: Store) -> Iterator[URL]:
    """Return the URL of another role that may create objects in schema public."""
    name = f"{store.owner.username}_other"
    query(store.admin, f"CREATE ROLE {name} LOGIN")
    query(store.admin, f"GRANT CREATE ON SCHEMA public TO {name}")
    yield store.admin.set(username=name)
    query(store.admin, f"ALTER ROLE {name} NOSUPERUSER")
    query(store.admin, f"DROP OWNED BY {name} CASCADE")
    query(store.admin, f"DROP ROLE {name}")


@pytest.mark.parametrize("by", ["superuser", "owner"])
def test_restore_point_never_runs_code_of_another_role(store: Store, other: URL, by: str) -> None:
    """A constraint, which PostgreSQL checks with the rights of the session that loads the rows."""
    store.sql(CONTENT)
    gains = {
        "superuser": f"ALTER ROLE {other.username} SUPERUSER",
        "owner": f"GRANT SELECT ON public.notes TO {other.username}",
    }
    with session(other) as connection:
        body = f"IF current_user <> '{other.username}' THEN {gains[by]}; END IF; RETURN true"
        connection.execute(
            f"CREATE FUNCTION public.trap(int) RETURNS bool LANGUAGE plpgsql AS $$BEGIN {body}; END$$".encode()
        )
        connection.execute(
            "CREATE TABLE public.traps (id int CHECK (public.trap(id))); INSERT INTO public.traps VALUES (1)"
        )
        connection.execute("GRANT SELECT ON public.traps TO PUBLIC")
    taking = store if by == "owner" else replace(store, owner=store.admin)
    result = taking.run("take", "one")
    assert result.returncode == 1
    assert f"a restore would run code of other roles as role {taking.owner.username}. " in result.stderr
    for theirs in ("FUNCTION public trap(integer)", "TABLE public traps"):
        assert f"  {theirs} {other.username}\n" in result.stderr, result.stderr
    assert (store.list(), store.scratch()) == ([], [])
    assert query(other, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
    assert query(other, "SELECT has_table_privilege('public.notes', 'SELECT')") == [(False,)]


def test_objects_of_the_owner_and_of_a_group_are_restored(store: Store, other: URL) -> None:
    """A superuser trusts the database's owner, any other role those of which it has the rights."""
    store.sql(CONTENT)
    assert replace(store, owner=store.admin).take()["check"] == "verified"
    query(store.admin, f"GRANT {other.username} TO {store.owner.username}")
    query(other, "CREATE TABLE public.shared (id int)")
    query(other, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")
    assert store.take("two")["check"] == "verified"


def test_dump_that_can_not_be_restored_is_not_recorded(store: Store) -> None:
    """A constraint that the existing rows of a restored table violate when they are loaded."""
    store.sql(
        "CREATE FUNCTION has_row(int) RETURNS bool LANGUAGE plpgsql AS"
        " 'BEGIN RETURN EXISTS (SELECT FROM public.zz WHERE id = $1); END';"
        "CREATE TABLE zz (id int); INSERT INTO zz VALUES (1);"
        "CREATE TABLE aa (id int CHECK (has_row(id))); INSERT INTO aa VALUES (1)"
    )
    result = store.run("take", "one")
    assert result.returncode == 1
    assert 'violates check constraint "aa_id_check"' in result.stderr
    assert "can't restore the dump" in result.stderr
    assert "Can't drop database" not in result.stderr
    assert (store.list(), store.scratch()) == ([], [])
    assert list((store.folder / "dumps").iterdir()) == []


def test_role_that_may_not_create_databases_gets_a_readable_one(store: Store) -> None:
    store.sql(CONTENT)
    query(store.admin, f"ALTER ROLE {store.owner.username} NOCREATEDB")
    result = store.run("take", "one")
    assert result.returncode == 0, result.stderr
    assert "may not create a scratch database. To allow it, run: ALTER ROLE" in result.stdout
    assert [point["check"] for point in store.list()] == ["readable"]


def test_restore_whose_last_statement_fails_changes_nothing(store: Store, tmp_path: Path) -> None:
    """Not even large objects, after whose content pg_restore would commit."""
    store.sql(CONTENT)
    store.sql("CREATE TABLE files AS SELECT lo_from_bytea(0, 'old') AS content")
    store.take()
    store.sql("UPDATE notes SET text = 'second'; SELECT lo_put(content, 0, 'new') FROM files")
    psql = tmp_path / "psql"
    filtered = "sed '$s/.*/SELECT 1 \\/ 0;/'"
    real = f'{shutil.which("psql")} "$@"'
    script = f'#!/bin/sh\ncase "$*" in *--output=*) {filtered} | {real} ;; *) exec {real} ;; esac\n'
    psql.write_text(script, encoding="utf-8")
    psql.chmod(0o755)
    result = store.run("restore", "one", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.returncode != 0
    assert "division by zero" in result.stderr
    found = store.sql("SELECT text, (SELECT convert_from(lo_get(content), 'UTF8') FROM files) FROM notes")
    assert found == [("second", "new")]


def test_restore_whose_list_of_entries_fails_changes_nothing(store: Store, tmp_path: Path) -> None:
    """Otherwise, the database would be emptied: nothing would be on the list of what to restore."""
    store.sql(CONTENT)
    store.take()
    failing = tmp_path / "pg_restore"
    real = f'exec {shutil.which("pg_restore")} "$@"'
    failing.write_text(f'#!/bin/sh\ncase "$*" in *--list*) exit 1 ;; *) {real} ;; esac\n', encoding="utf-8")
    failing.chmod(0o755)
    result = store.run("restore", "one", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.returncode != 0
    assert store.sql("SELECT text FROM notes") == [("first",)]


def test_password_may_contain_a_backslash(store: Store, server: URL) -> None:
    query(store.admin, f"ALTER ROLE {store.owner.username} PASSWORD 'a\\tb%c'")
    with password_required(server, store.owner):
        result = store.run("take", "one", DATABASE_URL=dsn(store.owner).replace("secret", "a\\tb%25c"))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "revision", ["COPY me", 'say "hi"', "back\\slash\\n", "new\nline", "tab\t\x1b[31m", "v\x0b", "ünï", "a,b"]
)
def test_list_is_valid_json_for_any_revision(store: Store, revision: str) -> None:
    store.sql("CREATE TABLE alembic_version (version_num text PRIMARY KEY)")
    quoted = revision.replace("'", "''")
    store.sql(f"INSERT INTO alembic_version VALUES ('{quoted}')")
    assert store.take()["revision"] == revision
    result = store.restore()
    assert result.returncode == 0 and "\x1b" not in result.stdout, result.stderr


def test_dumps_are_readable_only_by_their_owner(store: Store) -> None:
    stamp(store.owner, "a1")
    store.take()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (store.folder / "dumps").iterdir()}
    assert modes == {"one.dump": 0o600, "one.json": 0o600}
    assert stat.S_IMODE((store.folder / "dumps").stat().st_mode) == 0o700


def wait_in_scratch(store: Store) -> None:
    """Make a restore into the scratch database wait for a minute."""
    store.sql(CONTENT)
    store.sql(
        "CREATE FUNCTION wait(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
        " 'BEGIN IF pg_catalog.current_database() LIKE ''alembic_restore_check%'' THEN PERFORM pg_catalog.pg_sleep(60);"
        " END IF; RETURN $1; END'; CREATE INDEX waiting ON notes (wait(id))"
    )


CANCELED = "Canceled: it took longer than restorePointTimeoutSeconds"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_scratch_database_of_a_killed_run_is_dropped(store: Store, how: signal.Signals) -> None:
    wait_in_scratch(store)
    with store.start("take", "one") as process:
        until(lambda: query(store.admin, "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), "a wait")
        assert store.scratch() != []
        process.send_signal(how)
        if how == signal.SIGKILL:
            process.wait()  # its session in the scratch database goes on
        else:
            _, stderr = process.communicate(timeout=60)
            assert CANCELED in stderr
            assert (process.returncode, store.scratch(), store.list()) == (1, [], [])
        store.sql("DROP INDEX waiting")
        assert store.take()["check"] == "verified"
        assert store.scratch() == []


def test_restore_point_has_a_time_limit(store: Store) -> None:
    wait_in_scratch(store)
    result = store.run("take", "one", RESTORE_POINT_TIMEOUT_SECONDS="5")
    assert result.returncode != 0
    assert f"{CANCELED} (5), or its pod was deleted." in result.stderr
    assert (store.scratch(), store.list()) == ([], [])


def test_revision_is_read_from_the_lockfile_s_version_table(store: Store, tmp_path: Path) -> None:
    script = tmp_path / SCRIPT.name
    shutil.copy(SCRIPT, script)
    (tmp_path / "version-table.txt").write_text('Versions."a"\nbilling\n', encoding="utf-8")
    of_app = replace(store, script=script)
    of_app.sql("CREATE SCHEMA billing")
    for table, row in (('billing."Versions.""a"""', "right"), ('public."Versions.""a"""', "wrong")):
        of_app.sql(f"CREATE TABLE {table} (version_num text)")
        of_app.sql(f"INSERT INTO {table} VALUES ('{row}')")
    assert of_app.take()["revision"] == "right"
    result = of_app.restore()
    assert (result.returncode, "database is at right" in result.stdout) == (0, True), result.stderr


def test_restored_version_table_is_only_readable(store: Store, tmp_path: Path) -> None:
    script = tmp_path / SCRIPT.name
    shutil.copy(SCRIPT, script)
    (tmp_path / "version-table.txt").write_text("billing_version\nbilling\n", encoding="utf-8")
    of_app = replace(store, script=script)
    of_app.sql("CREATE SCHEMA billing")
    of_app.sql("CREATE TABLE billing.billing_version (version_num text)")
    of_app.take()
    of_app.sql("ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, DELETE ON TABLES TO pg_monitor")
    assert of_app.restore().returncode == 0
    granted = of_app.sql(
        "SELECT privilege_type FROM information_schema.role_table_grants"
        " WHERE table_name = 'billing_version' AND grantee = 'pg_monitor'"
    )
    assert granted == [("SELECT",)]
