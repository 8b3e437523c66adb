"""The rollback window: a gate of an earlier release at a revision that it does not know."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from support import Chain, Image, closed_gate, dsn, query, revisions, run, start, waiting
from test_record import GATED
from test_roles import application, migrate  # noqa: F401

IMAGE = {"MIGRATION_IMAGE": "localhost/shop:2.0"}


def earlier(chain: Chain, folder: Path) -> Chain:
    """Return the release that the chain is now, as an image of its own."""
    release = replace(
        chain,
        folder=folder / f"until-{chain.heads[0]}",
        reviewed=folder / f"until-{chain.heads[0]}.json",
        entries=list(chain.entries),
        heads=list(chain.heads),
    )
    shutil.copytree(chain.folder, release.folder)
    release.review()
    return release


@pytest.fixture
def releases(chain: Chain, tmp_path: Path) -> list[Chain]:
    """Return the releases of an additive chain, one for each revision."""
    found = []
    for number in ("one", "two", "three"):
        chain.add(number, f'op.execute("CREATE TABLE {number} ()")')
        found.append(earlier(chain, tmp_path))
    return found


@pytest.mark.parametrize("mode", ["wait", "upgrade", "reach"])
def test_gate_of_an_earlier_release_starts_on_an_additive_schema(
    releases: list[Chain], database: URL, mode: str
) -> None:
    one, _, three = releases
    assert run("upgrade", one, database).code == 0
    assert run("upgrade", three, database, **IMAGE).code == 0
    result = run(mode, one, database)
    assert (result.code, result.stderr) == (0, "")
    assert (
        "Database is at three, applied by localhost/shop:2.0. According to the run record, this release (head one) "
        "still works" in result.stdout
    )
    assert "Database is ahead, at three" in result.stdout
    assert revisions(database) == {"three"}
    assert query(database, "SELECT count(*) FROM pulumi_alembic.runs") == [(2,)]


def test_window_reaches_over_several_runs(releases: list[Chain], database: URL) -> None:
    one = releases[0]
    for release in releases:
        assert run("upgrade", release, database).code == 0
    assert run("wait", one, database).code == 0


def test_status_of_an_earlier_release_has_no_problem(releases: list[Chain], database: URL) -> None:
    assert run("upgrade", releases[2], database).code == 0
    status = json.loads(run("status", releases[0], database).stdout)
    assert (status["current"], status["pending"], status["problem"]) == (["three"], [], None)


def test_gate_is_held_with_the_revision_that_ends_the_window(chain: Chain, tmp_path: Path, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one (a int)")')
    one = earlier(chain, tmp_path)
    chain.add(
        "two", 'op.execute("ALTER TABLE one DROP COLUMN a")', blocker="drops a column: ALTER TABLE one DROP COLUMN a"
    )
    two = earlier(chain, tmp_path)
    chain.add("three", "pass")
    assert run("upgrade", chain, database, **IMAGE).code == 0
    for mode in ("wait", "upgrade"):
        held = run(mode, one, database)
        assert held.code == 1
        for part in (
            "the database is at three, which this image does not contain: localhost/shop:2.0 applied it at 20",
            "This release (head one) may fail because of revision two: drops a column: ALTER TABLE one DROP COLUMN a.",
            "Deploy localhost/shop:2.0 or a later release, or restore the database.",
            "run: pulumi config set toleratedRevisions three && pulumi up",
        ):
            assert part in held.stderr
    assert json.loads(run("status", one, database).stdout)["problem"].startswith("the database is at three")
    assert run("wait", two, database).code == 0


def test_setting_wins_over_the_record(chain: Chain, tmp_path: Path, database: URL) -> None:
    chain.add("one", "pass")
    one = earlier(chain, tmp_path)
    chain.add("two", "pass", blocker="drops a column")
    assert run("upgrade", chain, database).code == 0
    one.tolerated = ["two"]
    one.review()
    assert run("wait", one, database).code == 0


def test_migration_that_stops_halfway_has_the_window_of_its_last_revision(
    chain: Chain, tmp_path: Path, database: URL
) -> None:
    chain.add("one", "pass")
    one = earlier(chain, tmp_path)
    chain.add("two", "pass")
    chain.add("three", 'op.execute("SELECT 1 / 0")', blocker="is not known to be additive")
    assert run("upgrade", chain, database).code == 1
    assert revisions(database) == {"two"}
    assert run("wait", one, database).code == 0


def test_killed_migration_has_the_window_of_its_last_revision(chain: Chain, tmp_path: Path, database: URL) -> None:
    chain.add("one", "pass")
    one = earlier(chain, tmp_path)
    chain.add("two", "pass")
    chain.add("three", GATED, blocker="is not known to be additive")
    with closed_gate(database):
        killed = start("upgrade", chain, database)
        waiting(database)
        killed.process.kill()
        killed.finish()
        assert run("wait", one, database).code == 0


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE pulumi_alembic.runs DROP COLUMN rollback CASCADE",
        "UPDATE pulumi_alembic.runs SET rollback = NULL",
        "UPDATE pulumi_alembic.runs SET rollback = jsonb_set(rollback, '{version}', '2')",
        "DROP SCHEMA pulumi_alembic CASCADE",
        "CREATE FUNCTION f() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''ran''; END';"
        " ALTER TABLE pulumi_alembic.runs ENABLE ROW LEVEL SECURITY;"
        " ALTER TABLE pulumi_alembic.runs FORCE ROW LEVEL SECURITY;"
        " CREATE POLICY p ON pulumi_alembic.runs USING (f())",
    ],
)
def test_record_that_says_nothing_holds_the_gate_as_before(releases: list[Chain], database: URL, damage: str) -> None:
    assert run("upgrade", releases[1], database).code == 0
    query(database, damage)
    held = run("wait", releases[0], database)
    assert held.code == 1
    assert "the database is at two, which this image does not contain. Deploy an image that contains it" in held.stderr


def test_record_of_an_earlier_release_gets_the_column(releases: list[Chain], database: URL) -> None:
    one, two, three = releases
    assert run("upgrade", two, database).code == 0
    query(database, "ALTER TABLE pulumi_alembic.runs DROP COLUMN rollback CASCADE")
    assert run("upgrade", three, database).code == 0
    assert run("wait", two, database).code == 0
    held = run("wait", one, database)
    assert "The run record does not say whether the code of this image keeps working." in held.stderr


def test_newest_record_of_a_revision_counts(chain: Chain, tmp_path: Path, database: URL) -> None:
    chain.add("one", "pass", downgrade="pass")
    one = earlier(chain, tmp_path)
    chain.add("two", "pass", downgrade="pass")
    assert run("upgrade", chain, database).code == 0
    assert run("downgrade", chain, database, "--target=one").code == 0
    chain.add("two", "pass  # changed", after="one", blocker="changes rows of an existing table")
    assert run("upgrade", chain, database).code == 0
    assert "because of revision two: changes rows" in run("wait", one, database).stderr


def test_records_of_another_version_table_say_nothing(releases: list[Chain], database: URL) -> None:
    assert run("upgrade", releases[1], database).code == 0
    query(database, """UPDATE pulumi_alembic.runs SET rollback = jsonb_set(rollback, '{table,name}', '"other"')""")
    assert "Deploy an image that contains it" in run("wait", releases[0], database).stderr


def test_code_of_another_branch_is_held(chain: Chain, tmp_path: Path, database: URL) -> None:
    chain.add("one", "pass")
    chain.add("left", "pass", after="one")
    left = earlier(chain, tmp_path)
    chain.add("right", "pass", after="one")
    chain.add("merged", "pass", after=["left", "right"], blocker="joins branches")
    assert run("upgrade", chain, database).code == 0
    held = run("wait", left, database)
    assert "because of revision merged: joins branches" in held.stderr


def test_gate_with_the_role_of_the_application_reads_the_window(
    releases: list[Chain],
    database: URL,
    application: URL,  # noqa: F811
) -> None:
    assert migrate(releases[1], database, application).code == 0
    assert run("wait", releases[0], dsn(application)).code == 0


def test_gate_reads_the_window_with_each_driver(releases: list[Chain], database: URL, image: Image) -> None:
    for release in releases[:2]:
        env = ENVS[image.driver == "asyncpg"].format(driver=image.driver)
        (release.folder / "alembic" / "env.py").write_text(env, encoding="utf-8")
    assert run("upgrade", releases[1], database, **image.variables).code == 0
    result = run("wait", releases[0], database, **image.variables)
    assert (result.code, result.stderr) == (0, "")


ENVS = {
    False: """
import os
from alembic import context
from sqlalchemy import create_engine
url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+{driver}://", 1)
with create_engine(url).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
    True: """
import asyncio, os
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+{driver}://", 1)
def steps(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
async def online():
    async with create_async_engine(url).connect() as connection:
        await connection.run_sync(steps)
asyncio.run(online())
""",
}
