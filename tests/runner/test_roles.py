"""Two roles: the one that migrates gives the application's its rights on rows, and none on the schema."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import URL
from support import Chain, Result, dsn, query, run, session, tables

PASSWORD = "s3cret:wörd/@"
TWO = """op.execute("CREATE TABLE one (id serial PRIMARY KEY, name text)")
op.execute("CREATE TABLE two (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")"""


@pytest.fixture
def application(database: URL) -> Iterator[URL]:
    """A URL of a role that nobody has made yet."""
    name = f"{database.database}_app"
    yield database.set(username=name, password=PASSWORD)
    drop(database, name)


def drop(database: URL, name: str) -> None:
    """Removes a role as an operator would, if it is there."""
    if query(database, f"SELECT FROM pg_roles WHERE rolname = '{name}'"):
        query(database, f"DROP OWNED BY {name}")
        query(database, f"DROP ROLE {name}")


def migrate(chain: Chain, database: URL, application: URL, *options: str, create: bool = True, **more: str) -> Result:
    """Runs the runner as the migrate Job does."""
    role = [f"--application-role={application.username}", *(["--create-application-role"] if create else [])]
    return run("upgrade", chain, database, *role, *options, APPLICATION_DATABASE_URL=dsn(application), **more)


def refused(url: URL, sql: str) -> str | None:
    """The SQLSTATE that a statement is refused with; what it did is rolled back."""
    with session(url, autocommit=False) as connection:
        try:
            connection.execute(sql.encode())
        except psycopg.Error as error:
            return error.sqlstate
        finally:
            connection.rollback()
    return None


def catalogue(url: URL) -> list[tuple[object, ...]]:
    """What rights are: the versions of all rows that hold them."""
    return query(
        url,
        "SELECT 'table', oid::text, xmin::text FROM pg_class"
        " UNION ALL SELECT 'role', oid::text, xmin::text FROM pg_authid"
        " UNION ALL SELECT 'schema', oid::text, xmin::text FROM pg_namespace"
        " UNION ALL SELECT 'default', oid::text, xmin::text FROM pg_default_acl ORDER BY 1, 2",
    )


def test_the_application_has_its_rows_and_nothing_of_the_schema(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    result = migrate(chain, database, application)
    assert (result.code, result.stderr) == (0, "")
    assert f"Role {application.username} is made" in result.stdout
    for statement in (
        "INSERT INTO one (name) VALUES ('a')",
        "INSERT INTO two DEFAULT VALUES",
        "UPDATE one SET name = 'b'",
        "DELETE FROM two",
        "SELECT * FROM alembic_version",
        "SELECT * FROM unity_migrations.runs",
    ):
        assert refused(application, statement) is None, statement
    for statement in (
        "CREATE TABLE mine ()",
        "CREATE SCHEMA mine",
        "ALTER TABLE one ADD COLUMN more int",
        "DROP TABLE one",
        "TRUNCATE one",
        "CREATE TRIGGER mine BEFORE INSERT ON one EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "UPDATE alembic_version SET version_num = 'mine'",
        "DELETE FROM alembic_version",
        "DELETE FROM unity_migrations.runs",
        "CREATE TABLE unity_migrations.mine ()",
    ):
        assert refused(application, statement) == "42501", statement


def test_the_second_time_changes_nothing(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    before = catalogue(database)
    result = migrate(chain, database, application)
    assert (result.code, result.stderr) == (0, "")
    assert "nothing to migrate" in result.stdout and "Role" not in result.stdout
    assert catalogue(database) == before


def test_rights_come_with_nothing_to_migrate(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    assert run("upgrade", chain, database).code == 0
    result = migrate(chain, database, application)
    assert (result.code, result.stderr) == (0, "")
    assert "nothing to migrate" in result.stdout
    assert refused(application, "INSERT INTO one (name) VALUES ('a')") is None
    assert refused(application, "CREATE TABLE mine ()") == "42501"


def test_what_a_revision_makes_has_rights_before_the_next_one(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    chain.add("two", 'op.execute("ALTER TABLE one RENAME TO old")\nop.execute("CREATE TABLE one (LIKE old)")')
    chain.add("three", 'op.execute("SELECT 1 / 0")')
    assert migrate(chain, database, application).code == 1
    assert refused(application, "INSERT INTO one (id) VALUES (1)") is None


def test_rights_that_were_lost_or_are_too_many_are_mended(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    name = application.username
    query(database, f"REVOKE ALL ON one, one_id_seq FROM {name}")
    query(database, f"GRANT ALL ON alembic_version, two TO {name}")
    query(database, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    query(database, "GRANT ALL ON two TO PUBLIC")
    query(database, f"GRANT CREATE ON DATABASE {database.database} TO {name}")
    assert migrate(chain, database, application).code == 0
    assert refused(application, "INSERT INTO one (name) VALUES ('a')") is None
    for statement in ("CREATE TABLE mine ()", "CREATE SCHEMA mine", "TRUNCATE two", "DELETE FROM alembic_version"):
        assert refused(application, statement) == "42501", statement


def test_the_password_is_sent_as_a_verifier_and_is_in_no_output(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    # What the server itself would make of a password.
    query(database, f"ALTER DATABASE {database.database} SET password_encryption = 'md5'")
    result = migrate(chain, database, application)
    kept = query(database, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{application.username}'")
    assert str(kept[0][0]).startswith("SCRAM-SHA-256$4096:")
    assert PASSWORD not in result.output and "SCRAM" not in result.output


def test_a_second_role_serves_beside_the_first_which_can_then_be_dropped(
    chain: Chain, database: URL, application: URL
) -> None:
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    second = application.set(username=f"{application.username}_2", password="another")
    try:
        assert migrate(chain, database, second).code == 0
        for url in (application, second):
            assert refused(url, "INSERT INTO one (name) VALUES ('a')") is None
            assert refused(url, "DROP TABLE one") == "42501"
        drop(database, str(application.username))
        assert refused(second, "INSERT INTO one (name) VALUES ('a')") is None
        before = catalogue(database)
        assert migrate(chain, database, second).code == 0
        assert catalogue(database) == before
    finally:
        drop(database, str(second.username))


def check_refusal(result: Result, database: URL, *words: str) -> None:
    assert result.code == 1
    for word in words:
        assert word in result.stderr, result.stderr
    assert PASSWORD not in result.output
    assert tables(database) == set(), "nothing was migrated"


def test_a_missing_role_is_refused_with_the_statement_that_makes_it(
    chain: Chain, database: URL, application: URL
) -> None:
    chain.add("one", TWO)
    result = migrate(chain, database, application, create=False)
    check_refusal(result, database, f"CREATE ROLE \"{application.username}\" LOGIN PASSWORD '<password>';")


@pytest.fixture
def strict(server: URL, database: URL) -> Iterator[URL]:
    """The database as a superuser that must give a password, on a server that asks for one."""
    path = query(server, "SHOW hba_file")[0][0]
    if not os.access(path, os.W_OK):
        pytest.skip(f"{path} of the server can't be written from here")
    with open(path, encoding="utf-8") as file:
        before = file.read()
    line = f"host {database.database} {database.database}_app all scram-sha-256\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(line + before)
    query(server, "SELECT pg_reload_conf()")
    yield database
    with open(path, "w", encoding="utf-8") as file:
        file.write(before)
    query(server, "SELECT pg_reload_conf()")


def test_another_password_of_the_same_role_is_refused(chain: Chain, strict: URL, application: URL) -> None:
    chain.add("one", TWO)
    query(strict, f"CREATE ROLE {application.username} LOGIN PASSWORD 'the old one'")
    result = migrate(chain, strict, application)
    check_refusal(result, strict, "has another password", "name a new role in unity:applicationRole")
    query(strict, f"ALTER ROLE {application.username} PASSWORD '{PASSWORD}'")
    assert migrate(chain, strict, application).code == 0


def test_a_password_that_was_made_here_lets_in(chain: Chain, strict: URL, application: URL) -> None:
    chain.add("one", TWO)
    result = migrate(chain, strict, application)
    assert (result.code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("SUPERUSER", "it is a superuser"),
        ("CREATEROLE", "makes roles"),
        ("IN ROLE {owner}", "a member of one that does"),
    ],
)
def test_a_role_that_could_change_the_schema_is_refused(
    chain: Chain, database: URL, application: URL, attribute: str, words: str
) -> None:
    chain.add("one", TWO)
    query(database, f"CREATE ROLE {application.username} LOGIN {attribute.format(owner=database.username)}")
    check_refusal(migrate(chain, database, application), database, "can change the schema", words)


@pytest.fixture
def group(database: URL, application: URL) -> Iterator[str]:
    """Another role, of which the application is a member."""
    name = f"{application.username}_group"
    query(database, f"CREATE ROLE {name}")
    query(database, f"CREATE ROLE {application.username} LOGIN NOINHERIT IN ROLE {name}")
    yield name
    query(database, f"REVOKE {name} FROM {application.username}")
    drop(database, name)


def test_a_member_of_a_superuser_is_refused(chain: Chain, database: URL, application: URL, group: str) -> None:
    chain.add("one", TWO)
    query(database, f"ALTER ROLE {group} SUPERUSER")
    check_refusal(migrate(chain, database, application), database, "a member of one that does")


def test_rights_that_come_by_another_role_are_refused(
    chain: Chain, database: URL, application: URL, group: str
) -> None:
    query(database, f"ALTER ROLE {application.username} INHERIT")
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    query(database, f"GRANT TRUNCATE ON two TO {group}")
    result = migrate(chain, database, application)
    assert result.code == 1
    assert "TRUNCATE ON public.two" in result.stderr
    assert "as a member of another role" in result.stderr


def test_a_role_that_may_not_log_in_is_refused(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    query(database, f"CREATE ROLE {application.username} NOLOGIN")
    check_refusal(migrate(chain, database, application), database, "ALTER ROLE", "LOGIN;")


def test_the_url_of_another_role_is_refused(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    other = {"APPLICATION_DATABASE_URL": dsn(application)}
    check_refusal(
        run("upgrade", chain, database, "--application-role=other", **other), database, "not a URL of role other"
    )
    check_refusal(run("upgrade", chain, database, "--application-role=other"), database, "APPLICATION_DATABASE_URL")


@pytest.fixture
def migrator(database: URL) -> Iterator[URL]:
    """The database as a role that may make tables, and owns neither it nor its schema."""
    name = f"{database.database}_migrator"
    query(database, f"CREATE ROLE {name} LOGIN")
    query(database, f"GRANT CREATE ON SCHEMA public TO {name}")
    query(database, f"GRANT CREATE ON DATABASE {database.database} TO {name}")
    yield database.set(username=name)
    drop(database, name)


def test_who_owns_no_database_gives_what_it_may(chain: Chain, database: URL, migrator: URL, application: URL) -> None:
    chain.add("one", TWO)
    query(database, f"CREATE ROLE {application.username} LOGIN")
    query(database, "CREATE TABLE foreigner ()")
    result = migrate(chain, migrator, application, create=False)
    assert (result.code, result.stderr) == (0, "")
    assert "Rights on public.foreigner are left as they are" in result.stdout
    assert refused(application, "INSERT INTO one (name) VALUES ('a')") is None
    assert refused(application, "SELECT * FROM unity_migrations.runs") is None
    assert refused(application, "SELECT * FROM foreigner") == "42501"


def test_a_schema_that_is_open_and_not_the_migrators_is_refused(
    chain: Chain, database: URL, migrator: URL, application: URL
) -> None:
    chain.add("one", TWO)
    query(database, f"CREATE ROLE {application.username} LOGIN")
    query(database, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    result = migrate(chain, migrator, application, create=False)
    check_refusal(result, database, 'REVOKE CREATE ON SCHEMA "public" FROM PUBLIC', f'TO "{migrator.username}";')


def test_no_role_is_touched_where_there_is_one(chain: Chain, database: URL) -> None:
    chain.add("one", TWO)
    before = query(database, "SELECT rolname FROM pg_roles WHERE rolname LIKE '%homelab%'")
    assert run("upgrade", chain, database).code == 0
    assert query(database, "SELECT rolname FROM pg_roles WHERE rolname LIKE '%homelab%'") == before
    assert query(database, "SELECT count(*) FROM pg_default_acl") == [(0,)]
