"""Mode `status`: one line of JSON, and no change."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.engine import URL
from support import Chain, Result, migration_lock, query, revisions, run, stamp, tables


def answer(result: Result) -> dict[str, object]:
    """Parse the JSON on stdout."""
    return json.loads(result.stdout)


@pytest.fixture
def two(chain: Chain) -> Chain:
    """Return a chain of two revisions, one with a non-ASCII id, in an image whose env.py prints."""
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    chain.add("zwölf", 'op.execute("CREATE TABLE twelve ()")')
    env = chain.folder / "alembic" / "env.py"
    env.write_text(env.read_text() + '\nprint("env.py was here")\n')
    return chain


@pytest.mark.parametrize(("rows", "pending"), [([], ["one", "zwölf"]), (["one"], ["zwölf"])])
def test_status_lists_pending_revisions(two: Chain, database: URL, rows: list[str], pending: list[str]) -> None:
    if rows:
        stamp(database, *rows)
    before = tables(database)
    result = run("status", two, database)
    assert (result.code, answer(result)) == (
        3,
        {
            "current": rows,
            "heads": ["zwölf"],
            "pending": pending,
            "imageHeads": ["zwölf"],
            "matchesImage": True,
            "problem": None,
        },
    )
    assert "env.py was here" in result.stderr
    assert (tables(database), revisions(database)) == (before, set(rows))


def test_status_at_head_has_no_pending_revisions(two: Chain, database: URL) -> None:
    stamp(database, "zwölf")
    result = run("status", two, database)
    assert result.code == 0
    assert answer(result)["pending"] == []


def test_status_reports_an_image_with_another_head(two: Chain, database: URL) -> None:
    del two.entries[-1]
    two.heads = ["one"]
    two.review()
    result = run("status", two, database)
    assert result.code == 1
    found = answer(result)
    assert (found["matchesImage"], found["pending"]) == (False, None)
    assert (found["heads"], found["imageHeads"]) == (["one"], ["zwölf"])
    assert "the image's head is zwölf, expected one" in str(found["problem"])


def test_status_reports_an_unknown_revision(two: Chain, database: URL) -> None:
    stamp(database, "from_elsewhere")
    result = run("status", two, database)
    assert result.code == 1
    found = answer(result)
    assert (found["current"], found["pending"], found["matchesImage"]) == (["from_elsewhere"], None, True)
    assert "from_elsewhere, which this image does not contain" in str(found["problem"])


def test_status_works_during_a_migration(two: Chain, database: URL) -> None:
    stamp(database, "one")
    with migration_lock(database):
        assert answer(run("status", two, database))["pending"] == ["zwölf"]
    assert query(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_status_without_a_database_prints_nothing_on_stdout(two: Chain, database: URL) -> None:
    result = run("status", two, database.set(database="none"), "--deadline-seconds=6")
    assert (result.code, result.stdout) == (1, "")
    assert "does not exist" in result.stderr
