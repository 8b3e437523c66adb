"""Errors that the runner detects before it changes anything."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from network import reject, serve
from sqlalchemy.engine import URL
from support import Chain, revisions, run, stamp, start, tables

PASSWORD = "pässw0rd/&%1"
ENCODED = "p%C3%A4ssw0rd%2F%26%251"


@pytest.fixture
def three(chain: Chain) -> Chain:
    """Return a chain of three revisions."""
    for id in ("one", "two", "three"):
        chain.add(id, f'op.execute("CREATE TABLE {id} ()")')
    return chain


@pytest.mark.parametrize("mode", ["upgrade", "wait"])
def test_unknown_revision_is_rejected(three: Chain, database: URL, mode: str) -> None:
    stamp(database, "from_elsewhere")
    result = run(mode, three, database)
    assert result.code == 1
    assert "the database is at from_elsewhere, which this image does not contain" in result.stderr
    assert (tables(database), revisions(database)) == ({"alembic_version"}, {"from_elsewhere"})


@pytest.mark.parametrize("mode", ["upgrade", "wait"])
def test_tolerated_revision_is_accepted(three: Chain, database: URL, mode: str) -> None:
    three.tolerated = ["later"]
    three.review()
    stamp(database, "later")
    result = run(mode, three, database)
    assert (result.code, result.stderr) == (0, "")
    assert "Database is ahead, at later, which this release tolerates" in result.stdout
    assert (tables(database), revisions(database)) == ({"alembic_version"}, {"later"})


def test_tolerated_revision_with_another_row_is_rejected(three: Chain, database: URL) -> None:
    three.tolerated = ["later"]
    three.review()
    stamp(database, "later", "one")
    result = run("upgrade", three, database)
    assert result.code == 1
    assert "later, which this image does not contain" in result.stderr


def test_overlapping_revisions_are_rejected(three: Chain, database: URL) -> None:
    stamp(database, "one", "two")
    result = run("upgrade", three, database)
    assert result.code == 1
    assert (
        "alembic_version has overlapping revisions: one, two. Check the tables, then delete the redundant rows: one."
        in result.stderr
    )
    assert (tables(database), revisions(database)) == ({"alembic_version"}, {"one", "two"})


def test_another_file_with_a_reviewed_revision_is_rejected(three: Chain, database: URL) -> None:
    versions = three.folder / "alembic" / "versions"
    text = (versions / "three.py").read_text(encoding="utf-8").replace("def upgrade():", "def upgrade():\n    1 / 0")
    for name in ("aaa", "zzz"):  # whichever Alembic loads last
        (versions / f"{name}.py").write_text(text, encoding="utf-8")
    result = run("upgrade", three, database)
    assert result.code == 1
    assert "of the image contains revision three, but is not in the lockfile. Rebuild the image" in result.stderr
    assert tables(database) == set()


def test_image_with_another_head_is_rejected(three: Chain, database: URL) -> None:
    del three.entries[-1]
    three.heads = ["two"]
    three.review()
    result = run("upgrade", three, database)
    assert result.code == 1
    assert "the image's head is three, expected two" in result.stderr
    assert tables(database) == set()


def test_image_with_a_changed_file_is_rejected(three: Chain, database: URL) -> None:
    path = three.folder / three.file(1)
    path.write_text(path.read_text() + "\n")
    result = run("upgrade", three, database)
    assert result.code == 1
    assert "alembic/versions/two.py of revision two differs between the image and the lockfile" in result.stderr
    assert tables(database) == set()


def test_image_without_a_file_is_rejected(three: Chain, database: URL) -> None:
    (three.folder / three.file(1)).unlink()
    result = run("upgrade", three, database)
    assert result.code == 1
    assert "alembic/versions/two.py of revision two is missing from the image" in result.stderr
    assert tables(database) == set()


def test_invalid_database_url_is_rejected_without_its_value(three: Chain) -> None:
    invalid = "is not a PostgreSQL URL"
    cases = {
        None: "DATABASE_URL is not set",
        "": "DATABASE_URL is not set",
        "s3cret": invalid,
        "mysql://user:s3cret@127.0.0.1/name": invalid,
        "postgresql://user:s3cret@127.0.0.1": invalid,
        "postgresql://user:s3cret@127.0.0.1:x/name": invalid,
        "postgresql://user:begin@s3cret@127.0.0.1/name": invalid,
        "postgresql://user:s3cret@127.0.0.1:99999/name": "invalid port",
        "postgresql://user:s3cret@127.0.0.1/name?bound=1": "bound",
    }
    for url, started in [(url, start("upgrade", three, url)) for url in cases]:
        result = started.finish()
        assert result.code == 1, url
        assert cases[url] in result.stderr
        assert "Retrying" not in result.stdout
        assert "s3cret" not in result.output
        assert "Traceback" not in result.output
        assert "deadline" not in result.output


def test_permanent_connection_errors_are_not_retried(three: Chain) -> None:
    cases = {
        'password authentication failed for user "u"': "28P01",
        'no pg_hba.conf entry for host "10.0.0.1", user "u", database "d", no encryption': "28000",
        'role "u" is not permitted to log in': "28000",
        'database "d" does not exist': "3D000",
        'permission denied for database "d"': "42501",
        'database "d" is not currently accepting connections': "55000",
        "unsupported startup parameter: options": "08P01",
    }
    with ExitStack() as stack:
        runs = {}
        for message, sqlstate in cases.items():
            port = stack.enter_context(serve(reject(f"{message}; {PASSWORD}; {ENCODED}", sqlstate)))
            runs[message] = start("upgrade", three, f"postgresql://u:{ENCODED}@127.0.0.1:{port}/d")
        for message, started in runs.items():
            result = started.finish()
            assert result.code == 1
            assert message in result.stderr
            assert "Retrying" not in result.stdout
            assert PASSWORD not in result.output and ENCODED not in result.output
            assert "deadline" not in result.output


@pytest.mark.parametrize(
    ("sqlstate", "message"),
    [("57P03", "the database system is starting up"), ("53300", "sorry, too many clients already")],
)
def test_transient_connection_errors_are_retried_until_the_deadline(three: Chain, sqlstate: str, message: str) -> None:
    with serve(reject(f"{message}; {PASSWORD}", sqlstate)) as port:
        url = f"postgresql://u:{ENCODED}@127.0.0.1:{port}/d"
        result = run("upgrade", three, url, "--deadline-seconds=6")
    assert result.code == 1
    assert f"{message}; [secret]" in result.stdout and "Retrying in 0.5s" in result.stdout
    assert "Not retrying: too close to the deadline of 6s." in result.stderr
    assert PASSWORD not in result.output


def test_password_in_an_error_of_env_py_is_masked(three: Chain, database: URL) -> None:
    env = three.folder / "alembic" / "env.py"
    env.write_text('import os\nraise RuntimeError(os.environ["DATABASE_URL"])\n')
    url = f"postgresql://postgres:{ENCODED}@{database.host}:{database.port}/{database.database}"
    result = run("upgrade", three, url)
    assert result.code == 1
    assert "RuntimeError: postgresql://postgres:[secret]@" in result.stderr
    assert PASSWORD not in result.output and ENCODED not in result.output


def test_missing_folder_is_reported(three: Chain, database: URL, tmp_path: Path) -> None:
    result = run("upgrade", three, database, f"--folder={tmp_path / 'none'}")
    assert result.code == 1
    assert "none" in result.stderr and "Traceback" not in result.output
