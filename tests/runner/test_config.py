"""Alembic's configuration: other paths, arguments, packages. Each layout is in `tests/cli/layouts.test.ts`."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import URL
from support import Chain, Result, dsn, run, tables


def call(**options: object) -> dict[str, object]:
    return {"config": [], "x": [], "flaskApp": None, **options}


def test_arguments_reach_the_revision_in_the_job_and_the_gate(chain: Chain, database: URL) -> None:
    chain.alembic = call(x=["table=named", "-b"])
    chain.add(
        "one",
        "x = context.get_x_argument()\nassert x[1] == '-b'\n"
        "op.execute(f\"CREATE TABLE {context.get_x_argument(as_dictionary=True)['table']} ()\")",
        more="from alembic import context\n",
    )
    result = run("upgrade", chain, database)
    assert (result.code, result.stderr) == (0, "")
    assert tables(database) == {"alembic_version", "named"}
    assert run("wait", chain, database).code == 0
    assert '"matchesImage": true' in run("status", chain, database).stdout


def test_configuration_is_found_at_its_path(chain: Chain, database: URL) -> None:
    chain.alembic = call(config=["deploy/db.ini"])
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    (chain.folder / "deploy").mkdir()
    (chain.folder / "alembic.ini").rename(chain.folder / "deploy" / "db.ini")
    result = run("upgrade", chain, database)
    assert (result.code, result.stderr) == (0, "")
    assert tables(database) == {"alembic_version", "one"}


def test_options_are_set_to_a_url_with_a_percent_sign(chain: Chain, database: URL) -> None:
    env = chain.folder / "alembic" / "env.py"
    text = env.read_text(encoding="utf-8")
    assert '.replace("%", "%%")' in text
    env.write_text(text.replace('.replace("%", "%%")', ""), encoding="utf-8")
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    result = run("upgrade", chain, f"{dsn(database)}?application_name=100%25")
    assert (result.code, result.stderr) == (0, "")


def in_package(chain: Chain) -> None:
    """Move the scripts into a package of the image, and add a revision there."""
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    package = chain.folder / "lib" / "parcels"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (chain.folder / "alembic").rename(package / "migrations")
    ini = chain.folder / "alembic.ini"
    text = ini.read_text(encoding="utf-8")
    text = text.replace("script_location = alembic", "script_location = parcels:migrations")
    ini.write_text(text.replace("prepend_sys_path = .", "prepend_sys_path = lib"), encoding="utf-8")
    (sha256,) = chain.entries[0]["files"].values()
    chain.entries[0]["files"] = {"parcels:migrations/versions/one.py": sha256}
    chain.review()


def test_files_are_found_through_their_package(chain: Chain, database: URL) -> None:
    in_package(chain)
    result = run("upgrade", chain, database)
    assert (result.code, result.stderr) == (0, "")
    assert tables(database) == {"alembic_version", "one"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("edited", "parcels:migrations/versions/one.py of revision one differs between the image and the lockfile"),
        ("removed", "parcels:migrations/versions/one.py of revision one is missing from the image"),
    ],
)
def test_other_file_in_a_package_is_rejected(chain: Chain, database: URL, change: str, message: str) -> None:
    in_package(chain)
    file = chain.folder / "lib" / "parcels" / "migrations" / "versions" / "one.py"
    if change == "edited":
        file.write_text(file.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    else:
        file.unlink()
    result: Result = run("upgrade", chain, database)
    assert result.code == 1
    assert message in result.stderr
    assert tables(database) == set()
