"""The plan of a Job: the database, and the revisions that it may start at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from runner_job_plan import IDENTITY
from sqlalchemy.engine import URL
from support import Chain, query, revisions, run, session, tables, temporary_database

IMAGE = "localhost/unity:1"
PLAN_AGAIN = "No changes were made. Run: pulumi up, which makes a new plan."


@pytest.fixture
def three(chain: Chain) -> Chain:
    """Return a chain of three revisions, each of which creates a table."""
    for id in ("one", "two", "three"):
        chain.add(id, f'op.execute("CREATE TABLE {id} ()")', downgrade=f'op.execute("DROP TABLE {id}")')
    return chain


def identity(database: URL) -> dict[str, Any]:
    """Return what the plan reads of a database."""
    (found,) = query(database, IDENTITY)[0]
    assert isinstance(found, dict)
    return found


def planned_by(
    chain: Chain, planned: URL | None, start: Sequence[str], *ids: str, direction: str = "upgrade", **other: Any
) -> dict[str, str]:
    """Return the environment of a Job whose plan leads from a revision by others."""
    plan = {
        "version": 1,
        "hash": chain.plan_hash(IMAGE, direction, start, *ids),
        "direction": direction,
        "from": start,
        "database": planned and identity(planned),
    }
    return {"MIGRATION_IMAGE": IMAGE, "MIGRATION_PLAN": json.dumps({**plan, **other})}


@pytest.fixture
def other_database(server: URL) -> Iterator[URL]:
    """Create another empty database on the same server."""
    with temporary_database(server) as url:
        yield url


def assert_unchanged(database: URL, *rows: str) -> None:
    """Assert that no revision was applied or undone, and no run recorded."""
    assert revisions(database) == set(rows)
    assert query(database, "SELECT to_regclass('pulumi_alembic.runs')") == [(None,)]


def test_planned_upgrade_runs(three: Chain, database: URL) -> None:
    result = run("upgrade", three, database, **planned_by(three, database, [], "one", "two", "three"))
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"three"}
    again = run("upgrade", three, database, **planned_by(three, database, [], "one", "two", "three"))
    assert again.code == 0, "a plan that is done already"


def test_other_database_is_rejected_before_any_change(three: Chain, database: URL, other_database: URL) -> None:
    result = run("upgrade", three, other_database, **planned_by(three, database, [], "one", "two", "three"))
    assert result.code == 1
    assert f"DATABASE_URL leads to database {other_database.database} (oid " in result.stderr
    assert f"the plan was made for database {database.database} (oid " in result.stderr
    assert PLAN_AGAIN in result.stderr
    assert tables(other_database) == set()
    assert_unchanged(other_database)


def test_other_database_of_the_same_name_is_rejected(three: Chain, server: URL, database: URL) -> None:
    environment = planned_by(three, database, [], "one", "two", "three")
    query(server, f"DROP DATABASE {database.database}")
    query(server, f"CREATE DATABASE {database.database} TEMPLATE template0")
    result = run("upgrade", three, database, **environment)
    assert result.code == 1
    assert "the database was created again" in result.stderr
    assert_unchanged(database)


def test_other_server_is_rejected(three: Chain, database: URL) -> None:
    planned = {**identity(database), "system": "1"}
    result = run("upgrade", three, database, **planned_by(three, database, [], "one", "two", "three", database=planned))
    assert result.code == 1
    assert f"{database.database} (oid {planned['oid']}, server 1)" in result.stderr
    assert_unchanged(database)


def test_role_that_may_not_read_the_server_compares_the_rest(
    three: Chain, database: URL, role: URL, other_database: URL
) -> None:
    """The right belongs to a database, so that it is revoked for this one only."""
    query(database, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    with session(role) as connection:
        assert connection.execute(IDENTITY.encode()).fetchone() == ({**identity(database), "system": None},)
    result = run("upgrade", three, role, **planned_by(three, other_database, [], "one", "two", "three"))
    assert "server unknown), but the plan was made for" in result.stderr
    assert_unchanged(database)
    result = run("upgrade", three, role, **planned_by(three, database, [], "one", "two", "three"))
    assert (result.code, result.stderr) == (0, "")


@pytest.mark.parametrize("start", [[], ["one"]], ids=["at an earlier revision", "after the first revision"])
def test_restored_database_is_rejected(three: Chain, database: URL, start: list[str]) -> None:
    """Planned at `two`, and restored to an earlier state since."""
    if start:
        run("upgrade", three, database, "--target=one")
        query(database, "DROP SCHEMA pulumi_alembic CASCADE")
    environment = planned_by(three, database, ["two"], "three")
    result = run("upgrade", three, database, **environment)
    assert result.code == 1
    plan = json.loads(environment["MIGRATION_PLAN"])["hash"]
    assert f"the database is at {start[0] if start else 'no revision'}, but plan {plan} leads from two to three" in (
        result.stderr
    )
    assert PLAN_AGAIN in result.stderr
    assert_unchanged(database, *start)


def test_nothing_pending_is_pinned_to_the_head(three: Chain, database: URL) -> None:
    run("upgrade", three, database, "--target=two")
    query(database, "DROP SCHEMA pulumi_alembic CASCADE")
    result = run("upgrade", three, database, **planned_by(three, database, ["three"]))
    assert result.code == 1
    assert "the database is at two, but plan v4-" in result.stderr
    assert_unchanged(database, "two")
    assert run("upgrade", three, database).code == 0
    result = run("upgrade", three, database, **planned_by(three, database, ["three"]))
    assert (result.code, result.stderr) == (0, "")


def test_retry_continues_after_a_planned_revision(three: Chain, database: URL) -> None:
    environment = planned_by(three, database, [], "one", "two", "three")
    query(database, "CREATE TABLE three ()")
    assert "Revision three (Title of three) failed" in run("upgrade", three, database, **environment).stderr
    assert revisions(database) == {"two"}
    query(database, "DROP TABLE three")
    result = run("upgrade", three, database, **environment)
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"three"}


def test_retry_of_a_downgrade_continues(three: Chain, database: URL) -> None:
    run("upgrade", three, database)
    environment = planned_by(three, database, ["three"], "three", "two", direction="downgrade")
    query(database, "DROP TABLE two")
    assert "Revision two (Title of two) failed" in run("reach", three, database, "--target=one", **environment).stderr
    query(database, "CREATE TABLE two ()")
    result = run("reach", three, database, "--target=one", **environment)
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"one"}


def test_upgrade_plan_does_not_downgrade(three: Chain, database: URL) -> None:
    run("upgrade", three, database)
    result = run("reach", three, database, "--target=two", **planned_by(three, database, ["one"], "two"))
    assert result.code == 1
    assert "the database is at three, but plan v4-" in result.stderr
    assert revisions(database) == {"three"}


def test_retry_continues_on_a_branched_chain(chain: Chain, database: URL) -> None:
    chain.add("root", "pass")
    chain.add("left", "pass", after="root")
    chain.add("right", "pass", after="root")
    chain.add("merge", 'op.execute("CREATE TABLE merged ()")', after=("left", "right"))
    environment = planned_by(chain, database, [], "root", "left", "right", "merge")
    query(database, "CREATE TABLE merged ()")
    assert "Revision merge (Title of merge) failed" in run("upgrade", chain, database, **environment).stderr
    assert revisions(database) == {"left", "right"}
    query(database, "DROP TABLE merged")
    result = run("upgrade", chain, database, **environment)
    assert (result.code, result.stderr) == (0, "")


def test_plan_of_other_content_is_rejected(three: Chain, database: URL) -> None:
    environment = planned_by(three, database, [], "one", "two", "three")
    three.entries[2]["sql"]["upgrade"] = "other SQL"
    three.review()
    result = run("upgrade", three, database, **environment)
    assert result.code == 1
    plan = json.loads(environment["MIGRATION_PLAN"])["hash"]
    assert f"the Job was created for plan {plan}, but would run plan v4-" in result.stderr
    assert_unchanged(database)


def test_plan_of_another_file_of_an_applied_revision_is_rejected(three: Chain, database: URL) -> None:
    """Alembic loads the files of all revisions, and thereby runs what is at their top level."""
    run("upgrade", three, database, "--target=one")
    environment = planned_by(three, database, ["one"], "two", "three")
    file = three.folder / three.file(0)
    file.write_text(file.read_text(encoding="utf-8") + "\nprint('at the top level')\n", encoding="utf-8")
    three.entries[0]["files"] = {three.file(0): hashlib.sha256(file.read_bytes()).hexdigest()}
    three.review()
    result = run("upgrade", three, database, **environment)
    assert result.code == 1
    assert f"the Job was created for plan {json.loads(environment['MIGRATION_PLAN'])['hash']}, " in result.stderr
    assert revisions(database) == {"one"}


def test_tolerated_revision_is_foreseen(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    chain.tolerated = ["later"]
    chain.review()
    run("upgrade", chain, database)
    rejected = run("upgrade", chain, database, **planned_by(chain, database, ["later"]))
    assert "the database is at one, but plan v4-" in rejected.stderr
    query(database, "UPDATE alembic_version SET version_num = 'later'")
    result = run("upgrade", chain, database, **planned_by(chain, database, ["later"]))
    assert (result.code, result.stderr) == (0, "")
    assert "Database is ahead, at later" in result.stdout


class TestWithoutADatabaseToQuery:
    """No pod could query the database when the plan was made."""

    @pytest.mark.parametrize("given", [{}, {"hash": None, "from": None}], ids=["not deployed", "unreachable"])
    def test_any_start_is_upgraded(self, three: Chain, database: URL, given: dict[str, Any]) -> None:
        run("upgrade", three, database, "--target=one")
        result = run("upgrade", three, database, **planned_by(three, None, [], "one", "two", "three", **given))
        assert (result.code, result.stderr) == (0, "")
        assert revisions(database) == {"three"}

    def test_nothing_is_downgraded(self, three: Chain, database: URL) -> None:
        run("upgrade", three, database)
        result = run("reach", three, database, "--target=one", **planned_by(three, None, [], "one"))
        assert result.code == 1
        assert "the database is at three, beyond its target, but its revision was unknown to the plan" in result.stderr
        assert revisions(database) == {"three"}


@pytest.mark.parametrize("value", ["{", "[]", '{"version": 2}'])
def test_unreadable_plan_is_rejected(three: Chain, database: URL, value: str) -> None:
    result = run("upgrade", three, database, MIGRATION_PLAN=value)
    assert result.code == 1
    assert "invalid MIGRATION_PLAN: " in result.stderr
    assert_unchanged(database)


def test_runner_without_a_plan_migrates_from_any_revision(three: Chain, database: URL) -> None:
    result = run("upgrade", three, database, MIGRATION_PLAN="")
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"three"}
