"""Failing revisions: the message, the rollback, and the next run."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from support import Chain, revisions, run, tables

RAISES = 'op.execute("CREATE TABLE two ()")\nop.execute("SELECT 1 /\\n   0")'


def test_failed_revision_is_rolled_back_and_applied_once_fixed(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    chain.add("two", RAISES)
    chain.add("three", 'op.execute("CREATE TABLE three ()")')
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert result.stderr.splitlines() == [
        "Revision two (Title of two) failed and was rolled back.",
        "division by zero",
        "SQLSTATE 22012",
        "Statement: SELECT 1 / 0",
    ]
    assert (tables(database), revisions(database)) == ({"alembic_version", "one"}, {"one"})

    two = chain.folder / chain.file(1)
    three = chain.entries[2]
    chain.add("two", 'op.execute("CREATE TABLE two ()")', after="one")
    chain.entries.remove(three)
    chain.entries.append(three)
    chain.heads = ["three"]
    chain.review()
    assert two.is_file()
    result = run("upgrade", chain, database)
    assert result.code == 0, result.stderr
    assert "Database is at one; 2 of 3 revisions are pending" in result.stdout
    assert (tables(database), revisions(database)) == ({"alembic_version", "one", "two", "three"}, {"three"})


@pytest.mark.parametrize(
    ("statement", "expected"),
    [('raise KeyError("absent")', "KeyError: 'absent'"), ("raise SystemExit(0)", "SystemExit: 0")],
)
def test_python_error_of_a_revision_is_reported(chain: Chain, database: URL, statement: str, expected: str) -> None:
    chain.add("one", f'op.execute("CREATE TABLE one ()")\n{statement}')
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert result.stderr.splitlines()[1:] == [expected]
    assert revisions(database) == set() and "one" not in tables(database)


def test_statement_timeout_is_not_retried(chain: Chain, database: URL) -> None:
    chain.add("one", 'op.execute("SELECT pg_sleep(60)")')
    result = run("upgrade", chain, database, "--statement-timeout-seconds=0.2")
    assert result.code == 1
    assert "statement timeout" in result.stderr and "SQLSTATE 57014" in result.stderr
    assert "Retrying" not in result.stdout


@pytest.mark.parametrize("shift", ["", "x"])
def test_termination_message_is_truncated_between_characters(
    chain: Chain, database: URL, tmp_path: Path, shift: str
) -> None:
    chain.add("one", f'raise RuntimeError("{shift}" + "€" * 4000)')
    log = tmp_path / "termination-log"
    log.touch()
    result = run("upgrade", chain, database, f"--termination-log={log}")
    assert result.code == 1
    written = log.read_bytes()
    assert 4096 - 3 < len(written) <= 4096
    assert result.stderr.startswith(written.decode())  # which raises on half a character
    assert written.decode().startswith("Revision one (Title of one) failed")


def test_termination_log_is_not_created(chain: Chain, database: URL, tmp_path: Path) -> None:
    chain.add("one", "raise RuntimeError")
    assert run("upgrade", chain, database, f"--termination-log={tmp_path / 'log'}").code == 1
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("later", ["", 'op.execute("SELECT 1")\n'])
def test_caught_error_that_aborted_the_transaction_is_reported(chain: Chain, database: URL, later: str) -> None:
    caught = 'try:\n    op.execute("DROP TABLE absent")\nexcept Exception:\n    pass\n'
    chain.add("one", f"{caught}{later}")
    result = run("upgrade", chain, database)
    assert result.code == 1
    assert result.stderr.splitlines() == [
        "Revision one (Title of one) failed and was rolled back.",
        'table "absent" does not exist',
        "SQLSTATE 42P01",
        "Statement: DROP TABLE absent",
        "The revision caught this error, but PostgreSQL rejects what follows in its transaction. "
        "To go on after an error, execute the statement in a savepoint: with op.get_bind().begin_nested()",
    ]


def test_caught_error_in_a_savepoint_is_no_failure(chain: Chain, database: URL) -> None:
    failing = 'try:\n    with op.get_bind().begin_nested():\n        op.execute("DROP TABLE absent")\n'
    chain.add("one", f"{failing}except Exception:\n    pass\n")
    assert run("upgrade", chain, database).code == 0
    chain.add("two", f'{failing}except Exception:\n    pass\nop.execute("DROP TABLE other")\n')
    result = run("upgrade", chain, database)
    assert result.stderr.splitlines()[1:] == [
        'table "other" does not exist',
        "SQLSTATE 42P01",
        "Statement: DROP TABLE other",
    ]
