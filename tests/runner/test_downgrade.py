"""Mode `downgrade`, and upgrades to a target."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.engine import URL
from support import GATE, Chain, closed_gate, query, revisions, run, stamp, start, tables, waiting

RECORD = (
    "SELECT direction, from_revisions, target, revisions, to_revisions, outcome FROM pulumi_alembic.runs ORDER BY id"
)


@pytest.fixture
def three(chain: Chain, database: URL) -> Chain:
    """Apply a chain of three revisions, each with a table of its name."""
    for id in ("one", "two", "three"):
        chain.add(id, f'op.execute("CREATE TABLE {id} ()")', downgrade=f'op.execute("DROP TABLE {id}")')
    assert run("upgrade", chain, database).code == 0
    return chain


def downgraded(output: str) -> list[str]:
    """Return the number and the id of each revision in the log."""
    return re.findall(r"^(\d+/\d+  \S+)  Title of \S+  \d+\.\d\ds$", output, re.MULTILINE)


def test_downgrade_undoes_revisions_beyond_the_target_newest_first(three: Chain, database: URL) -> None:
    result = run("downgrade", three, database, "--target=one")
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == "Database is at three; 2 of 3 revisions will be downgraded"
    assert downgraded(result.stdout) == ["1/2  three", "2/2  two"]
    assert result.stdout.splitlines()[-1] == "Database is at one"
    assert (tables(database), revisions(database)) == ({"alembic_version", "one"}, {"one"})
    assert query(database, RECORD)[1:] == [("downgrade", ["three"], ["one"], ["three", "two"], ["one"], "succeeded")]


def test_downgrade_to_base_undoes_all_and_upgrade_reapplies(three: Chain, database: URL) -> None:
    result = run("downgrade", three, database, "--target=base")
    assert (result.code, result.stderr) == (0, "")
    assert (tables(database), revisions(database)) == ({"alembic_version"}, set())
    assert query(database, RECORD)[1:] == [("downgrade", ["three"], [], ["three", "two", "one"], [], "succeeded")]
    assert run("upgrade", three, database).code == 0
    assert tables(database) == {"alembic_version", "one", "two", "three"}


def test_downgrade_and_upgrade_of_the_real_backend(backend: Chain, database: URL) -> None:
    assert run("upgrade", backend, database).code == 0
    result = run("downgrade", backend, database, "--target=base")
    assert (result.code, result.stderr) == (0, "")
    assert tables(database) == {"alembic_version"}
    assert run("upgrade", backend, database).code == 0


def test_downgrade_at_the_target_changes_nothing(three: Chain, database: URL) -> None:
    result = run("downgrade", three, database, "--target=three")
    assert (result.code, result.output) == (0, "Database is at three\n")
    assert len(query(database, RECORD)) == 1


def test_downgrade_rejects_a_target_that_is_not_an_ancestor(three: Chain, database: URL) -> None:
    assert run("downgrade", three, database, "--target=one").code == 0
    result = run("downgrade", three, database, "--target=two")
    assert result.code == 1
    assert "the database is at one, which is not a descendant of two" in result.stderr
    assert run("downgrade", three, database, "--target=base").code == 0
    assert (
        "at no revision, which is not a descendant of one" in run("downgrade", three, database, "--target=one").stderr
    )


def test_unknown_or_missing_target_is_rejected(three: Chain, database: URL) -> None:
    for mode in ("upgrade", "wait", "downgrade"):
        result = run(mode, three, database, "--target=four")
        assert result.code == 1
        assert "unknown revision four; known revisions: one, two, three" in result.stderr
    result = run("downgrade", three, database)
    assert result.code == 2
    assert "downgrade requires --target" in result.stderr
    assert revisions(database) == {"three"}


def test_downgrade_rejects_irreversible_revisions_before_the_first_step(three: Chain, database: URL) -> None:
    three.entries[1].update(reversible=False, reversibleReason="the downgrade does nothing")
    three.review()
    result = run("downgrade", three, database, "--target=base")
    assert result.code == 1
    assert "irreversible revisions: two (the downgrade does nothing); no changes were made" in result.stderr
    assert (revisions(database), tables(database)) == ({"three"}, {"alembic_version", "one", "two", "three"})
    assert run("downgrade", three, database, "--target=two").code == 0


def test_failed_downgrade_is_rolled_back_and_recorded(three: Chain, database: URL) -> None:
    three.add("four", "pass", downgrade='op.execute("SELECT 1 / 0")')
    three.add("five", "pass")
    assert run("upgrade", three, database).code == 0
    result = run("downgrade", three, database, "--target=one")
    assert result.code == 1
    assert "Revision four (Title of four) failed" in result.stderr and "SQLSTATE 22012" in result.stderr
    assert revisions(database) == {"four"}
    assert query(database, RECORD)[-1] == ("downgrade", ["five"], ["one"], ["five"], ["four"], "failed")


def test_downgrade_undoes_a_merge_revision_and_the_branch_beside_the_target(chain: Chain, database: URL) -> None:
    for id, after in [("root", ()), ("left", "root"), ("right", "root"), ("merge", ("left", "right"))]:
        chain.add(id, "pass", after=after)
    assert run("upgrade", chain, database).code == 0
    result = run("downgrade", chain, database, "--target=left")
    assert (result.code, result.stderr) == (0, "")
    assert downgraded(result.stdout) == ["1/2  merge", "2/2  right"]
    assert revisions(database) == {"left"}


def test_downgrade_rejects_a_target_on_another_branch(chain: Chain, database: URL) -> None:
    for id, after in [("root", ()), ("left", "root"), ("right", "root")]:
        chain.add(id, "pass", after=after)
    assert run("upgrade", chain, database).code == 0
    result = run("downgrade", chain, database, "--target=left")
    assert result.code == 1
    assert "the database is at right, which is not a descendant of left" in result.stderr
    assert run("downgrade", chain, database, "--target=root").code == 0
    assert revisions(database) == {"root"}


def test_downgrade_rejects_a_tolerated_revision(three: Chain, database: URL) -> None:
    query(database, "DROP TABLE alembic_version")
    stamp(database, "later")
    three.tolerated = ["later"]
    three.review()
    result = run("downgrade", three, database, "--target=one")
    assert result.code == 1
    assert "the database is at later, which this image does not contain. To downgrade, deploy an image" in result.stderr


def test_downgrade_waits_for_a_running_upgrade(three: Chain, database: URL) -> None:
    three.add("four", f'op.execute("SELECT pg_advisory_xact_lock({GATE})")')
    with closed_gate(database):
        upgrade = start("upgrade", three, database, "--lock-timeout-seconds=20")
        waiting(database)
        downgrade = start("downgrade", three, database, "--target=one")
        downgrade.wait_for("Waiting for another migration")
    assert (upgrade.finish().code, downgrade.finish().code) == (0, 0)
    assert revisions(database) == {"one"}


def test_upgrade_stops_at_its_target(three: Chain, database: URL) -> None:
    assert run("downgrade", three, database, "--target=base").code == 0
    result = run("upgrade", three, database, "--target=two")
    assert (result.code, result.stderr) == (0, "")
    assert downgraded(result.stdout) == ["1/3  one", "2/3  two"]
    assert result.stdout.splitlines()[-1] == "Database is up to date (target two)"
    assert revisions(database) == {"two"}
    assert run("wait", three, database, "--target=two").code == 0
    result = run("upgrade", three, database, "--target=one")
    assert (result.code, result.output) == (0, "Database is at two, beyond target one\n")
