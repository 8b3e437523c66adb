"""Separate roles: the migrating role grants the application's role row access without DDL."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import URL
from support import Chain, Result, dsn, password_required, query, run, session, tables
from test_version_table import with_table

PASSWORD = "s3cret:wörd/@"
TWO = """op.execute("CREATE TABLE one (id serial PRIMARY KEY, name text)")
op.execute("CREATE TABLE two (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")"""


@pytest.fixture
def application(database: URL) -> Iterator[URL]:
    """Return the URL of a role that does not exist."""
    name = f"{database.database}_app"
    yield database.set(username=name, password=PASSWORD)
    drop(database, name)


def drop(database: URL, name: str) -> None:
    """Drop a role if it exists."""
    if query(database, f"SELECT FROM pg_roles WHERE rolname = '{name}'"):
        query(database, f"DROP OWNED BY {name}")
        query(database, f"DROP ROLE {name}")


def migrate(chain: Chain, database: URL, application: URL, *options: str, create: bool = True, **more: str) -> Result:
    """Run the runner as the migrate Job does."""
    role = [f"--application-role={application.username}", *(["--create-application-role"] if create else [])]
    return run("upgrade", chain, database, *role, *options, APPLICATION_DATABASE_URL=dsn(application), **more)


def sqlstate_of(url: URL, sql: str) -> str | None:
    """Run a statement, roll it back, and return the SQLSTATE of its error, if any."""
    with session(url, autocommit=False) as connection:
        try:
            connection.execute(sql.encode())
        except psycopg.Error as error:
            return error.sqlstate
        finally:
            connection.rollback()
    return None


def catalog(url: URL) -> list[tuple[object, ...]]:
    """Return the versions of all catalog rows that hold privileges."""
    return query(
        url,
        "SELECT 'table', oid::text, xmin::text FROM pg_class"
        " UNION ALL SELECT 'role', oid::text, xmin::text FROM pg_authid"
        " UNION ALL SELECT 'schema', oid::text, xmin::text FROM pg_namespace"
        " UNION ALL SELECT 'default', oid::text, xmin::text FROM pg_default_acl ORDER BY 1, 2",
    )


def test_application_role_has_row_access_and_no_ddl(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    result = migrate(chain, database, application)
    assert (result.code, result.stderr) == (0, "")
    assert f"Created role {application.username}" in result.stdout
    for statement in (
        "INSERT INTO one (name) VALUES ('a')",
        "INSERT INTO two DEFAULT VALUES",
        "UPDATE one SET name = 'b'",
        "DELETE FROM two",
        "SELECT * FROM alembic_version",
        "SELECT * FROM pulumi_alembic.runs",
    ):
        assert sqlstate_of(application, statement) is None, statement
    for statement in (
        "CREATE TABLE mine ()",
        "CREATE SCHEMA mine",
        "ALTER TABLE one ADD COLUMN more int",
        "DROP TABLE one",
        "TRUNCATE one",
        "CREATE TRIGGER mine BEFORE INSERT ON one EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "UPDATE alembic_version SET version_num = 'mine'",
        "DELETE FROM alembic_version",
        "DELETE FROM pulumi_alembic.runs",
        "CREATE TABLE pulumi_alembic.mine ()",
    ):
        assert sqlstate_of(application, statement) == "42501", statement


def test_second_run_changes_no_privilege(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    before = catalog(database)
    result = migrate(chain, database, application)
    assert (result.code, result.stderr) == (0, "")
    assert "Database is up to date (head one)" in result.stdout and "role" not in result.stdout
    assert catalog(database) == before


def test_privileges_are_granted_if_nothing_is_pending(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    assert run("upgrade", chain, database).code == 0
    result = migrate(chain, database, application)
    assert (result.code, result.stderr) == (0, "")
    assert "Database is up to date (head one)" in result.stdout
    assert sqlstate_of(application, "INSERT INTO one (name) VALUES ('a')") is None
    assert sqlstate_of(application, "CREATE TABLE mine ()") == "42501"


def test_new_table_has_privileges_before_the_next_revision(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    chain.add("two", 'op.execute("ALTER TABLE one RENAME TO old")\nop.execute("CREATE TABLE one (LIKE old)")')
    chain.add("three", 'op.execute("SELECT 1 / 0")')
    assert migrate(chain, database, application).code == 1
    assert sqlstate_of(application, "INSERT INTO one (id) VALUES (1)") is None


def test_missing_and_excess_privileges_are_corrected(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    name = application.username
    query(database, f"REVOKE ALL ON one, one_id_seq FROM {name}")
    query(database, f"GRANT ALL ON alembic_version, two TO {name}")
    query(database, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    query(database, "GRANT ALL ON two TO PUBLIC")
    query(database, f"GRANT CREATE ON DATABASE {database.database} TO {name}")
    assert migrate(chain, database, application).code == 0
    assert sqlstate_of(application, "INSERT INTO one (name) VALUES ('a')") is None
    for statement in ("CREATE TABLE mine ()", "CREATE SCHEMA mine", "TRUNCATE two", "DELETE FROM alembic_version"):
        assert sqlstate_of(application, statement) == "42501", statement


def test_password_is_sent_as_a_verifier_and_never_printed(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    # How the server itself would hash a password.
    query(database, f"ALTER DATABASE {database.database} SET password_encryption = 'md5'")
    result = migrate(chain, database, application)
    kept = query(database, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{application.username}'")
    assert str(kept[0][0]).startswith("SCRAM-SHA-256$4096:")
    assert PASSWORD not in result.output and "SCRAM" not in result.output


def test_first_role_can_be_dropped_after_rotation_to_a_second_one(
    chain: Chain, database: URL, application: URL
) -> None:
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    second = application.set(username=f"{application.username}_2", password="another")
    try:
        assert migrate(chain, database, second).code == 0
        for url in (application, second):
            assert sqlstate_of(url, "INSERT INTO one (name) VALUES ('a')") is None
            assert sqlstate_of(url, "DROP TABLE one") == "42501"
        drop(database, str(application.username))
        assert sqlstate_of(second, "INSERT INTO one (name) VALUES ('a')") is None
        before = catalog(database)
        assert migrate(chain, database, second).code == 0
        assert catalog(database) == before
    finally:
        drop(database, str(second.username))


def check_rejection(result: Result, database: URL, *texts: str) -> None:
    assert result.code == 1
    for text in texts:
        assert text in result.stderr, result.stderr
    assert PASSWORD not in result.output
    assert tables(database) == set(), "no changes were made"


def test_missing_role_is_reported_with_its_create_statement(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    result = migrate(chain, database, application, create=False)
    check_rejection(result, database, f"CREATE ROLE \"{application.username}\" LOGIN PASSWORD '<password>';")


@pytest.fixture
def strict(server: URL, database: URL) -> Iterator[URL]:
    """Require a password for the application's role."""
    with password_required(server, database.set(username=f"{database.database}_app")):
        yield database


def test_changed_password_of_a_role_is_rejected(chain: Chain, strict: URL, application: URL) -> None:
    chain.add("one", TWO)
    query(strict, f"CREATE ROLE {application.username} LOGIN PASSWORD 'the old one'")
    result = migrate(chain, strict, application)
    check_rejection(result, strict, "the password of role", "set applicationRole to a new role")
    query(strict, f"ALTER ROLE {application.username} PASSWORD '{PASSWORD}'")
    assert migrate(chain, strict, application).code == 0


def test_created_role_can_log_in_with_its_password(chain: Chain, strict: URL, application: URL) -> None:
    chain.add("one", TWO)
    result = migrate(chain, strict, application)
    assert (result.code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("SUPERUSER", "more than row access: SUPERUSER."),
        ("CREATEROLE", "more than row access: CREATEROLE."),
        ("CREATEDB", "more than row access: CREATEDB."),
        ("REPLICATION", "more than row access: REPLICATION."),
        ("BYPASSRLS", "more than row access: BYPASSRLS."),
        ("IN ROLE {owner}", "the role that migrates, SUPERUSER through role {owner}."),
        ("IN ROLE pg_execute_server_program", "membership in pg_execute_server_program."),
        ("IN ROLE pg_read_server_files", "membership in pg_read_server_files."),
        ("IN ROLE pg_write_server_files", "membership in pg_write_server_files."),
        ("IN ROLE pg_write_all_data", "membership in pg_write_all_data."),
        ("IN ROLE pg_signal_backend", "membership in pg_signal_backend."),
    ],
)
def test_role_with_more_than_row_access_is_rejected(
    chain: Chain, database: URL, application: URL, attribute: str, reason: str
) -> None:
    chain.add("one", TWO)
    query(database, f"CREATE ROLE {application.username} LOGIN {attribute.format(owner=database.username)}")
    check_rejection(migrate(chain, database, application), database, reason.format(owner=database.username))


def test_role_that_only_reads_statistics_is_allowed(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    query(database, f"CREATE ROLE {application.username} LOGIN IN ROLE pg_monitor, pg_read_all_data")
    result = migrate(chain, database, application)
    assert (result.code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE SCHEMA own AUTHORIZATION {role}", "ownership of schema own."),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1; ALTER FUNCTION f OWNER TO {role}",
            "function public.f()",
        ),
        ("CREATE TABLE other (id int); ALTER TABLE other OWNER TO {role}", "ownership of table public.other."),
        ("; ".join(f"CREATE SCHEMA own{n} AUTHORIZATION {{role}}" for n in range(7)), ", and 2 more."),
        ("ALTER DATABASE {database} OWNER TO {role}", "ownership of database {database}."),
        ("GRANT ALTER SYSTEM ON PARAMETER archive_command TO {role}", "privileges on parameter archive_command."),
        (
            "GRANT SET ON PARAMETER session_replication_role TO {role}",
            "privileges on parameter session_replication_role.",
        ),
        ("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {role}", "privileges on function pg_read_file(text)."),
    ],
)
def test_role_with_ownership_or_privileges_is_rejected(
    chain: Chain, database: URL, application: URL, statement: str, what: str
) -> None:
    chain.add("one", TWO)
    names = {"role": application.username, "database": database.database}
    query(database, f"CREATE ROLE {application.username} LOGIN")
    for each in statement.format(**names).split("; "):
        query(database, each)
    result = migrate(chain, database, application)
    assert result.code == 1 and what.format(**names) in result.stderr, result.stderr
    query(database, f"REASSIGN OWNED BY {application.username} TO {database.username}")


def test_role_that_can_create_in_another_schema_is_rejected(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    query(database, 'CREATE SCHEMA "Open"')
    query(database, 'GRANT CREATE ON SCHEMA "Open" TO PUBLIC')
    result = migrate(chain, database, application)
    check_rejection(result, database, f'REVOKE CREATE ON SCHEMA "Open" FROM PUBLIC, "{application.username}";')


def test_application_url_of_another_database_is_rejected(
    chain: Chain, server: URL, database: URL, application: URL
) -> None:
    chain.add("one", TWO)
    other = application.set(database=server.database)
    location = rf"leads to database {server.database} at [\d.]+:\d+, but the migration runs on {database.database} at"
    result = migrate(chain, database, other)
    check_rejection(result, database, "APPLICATION_DATABASE_URL (value hidden)")
    assert re.search(location, result.stderr), result.stderr


@pytest.fixture
def group(database: URL, application: URL) -> Iterator[str]:
    """Create a role of which the application's role is a member."""
    name = f"{application.username}_group"
    query(database, f"CREATE ROLE {name}")
    query(database, f"CREATE ROLE {application.username} LOGIN NOINHERIT IN ROLE {name}")
    yield name
    query(database, f"REVOKE {name} FROM {application.username}")
    drop(database, name)


def test_member_of_a_superuser_is_rejected(chain: Chain, database: URL, application: URL, group: str) -> None:
    chain.add("one", TWO)
    query(database, f"ALTER ROLE {group} SUPERUSER")
    check_rejection(migrate(chain, database, application), database, "SUPERUSER through role")


def test_member_of_a_member_is_rejected(chain: Chain, database: URL, application: URL, group: str) -> None:
    chain.add("one", TWO)
    query(database, f"GRANT pg_execute_server_program TO {group}")
    check_rejection(migrate(chain, database, application), database, "membership in pg_execute_server_program")


def test_inherited_excess_privilege_is_rejected(chain: Chain, database: URL, application: URL, group: str) -> None:
    query(database, f"ALTER ROLE {application.username} INHERIT")
    chain.add("one", TWO)
    assert migrate(chain, database, application).code == 0
    query(database, f"GRANT TRUNCATE ON two TO {group}")
    result = migrate(chain, database, application)
    assert result.code == 1
    assert "TRUNCATE ON public.two" in result.stderr
    assert "inherits excess privileges from another role" in result.stderr


def test_role_without_login_is_rejected(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    query(database, f"CREATE ROLE {application.username} NOLOGIN")
    check_rejection(migrate(chain, database, application), database, "ALTER ROLE", "LOGIN;")


def test_url_of_another_role_is_rejected(chain: Chain, database: URL, application: URL) -> None:
    chain.add("one", TWO)
    other = {"APPLICATION_DATABASE_URL": dsn(application)}
    check_rejection(
        run("upgrade", chain, database, "--application-role=other", **other), database, "is not the URL of role other"
    )
    check_rejection(run("upgrade", chain, database, "--application-role=other"), database, "APPLICATION_DATABASE_URL")


@pytest.fixture
def migrator(database: URL) -> Iterator[URL]:
    """Return the URL of a role that can create tables, but owns neither the database nor its schema."""
    name = f"{database.database}_migrator"
    query(database, f"CREATE ROLE {name} LOGIN")
    query(database, f"GRANT CREATE ON SCHEMA public TO {name}")
    query(database, f"GRANT CREATE ON DATABASE {database.database} TO {name}")
    yield database.set(username=name)
    drop(database, name)


def test_migrator_that_owns_no_database_grants_what_it_can(
    chain: Chain, database: URL, migrator: URL, application: URL
) -> None:
    chain.add("one", TWO)
    query(database, f"CREATE ROLE {application.username} LOGIN")
    query(database, "CREATE TABLE foreigner ()")
    result = migrate(chain, migrator, application, create=False)
    assert (result.code, result.stderr) == (0, "")
    assert "Privileges on public.foreigner are unchanged" in result.stdout
    assert sqlstate_of(application, "INSERT INTO one (name) VALUES ('a')") is None
    assert sqlstate_of(application, "SELECT * FROM pulumi_alembic.runs") is None
    assert sqlstate_of(application, "SELECT * FROM foreigner") == "42501"


def test_schema_that_others_own_and_all_can_extend_is_rejected(
    chain: Chain, database: URL, migrator: URL, application: URL
) -> None:
    chain.add("one", TWO)
    query(database, f"CREATE ROLE {application.username} LOGIN")
    query(database, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    result = migrate(chain, migrator, application, create=False)
    check_rejection(result, database, 'REVOKE CREATE ON SCHEMA "public" FROM PUBLIC', f'TO "{migrator.username}";')


def test_shared_role_is_not_changed(chain: Chain, database: URL) -> None:
    chain.add("one", TWO)
    before = query(database, "SELECT rolname FROM pg_roles WHERE rolname LIKE '%homelab%'")
    assert run("upgrade", chain, database).code == 0
    assert query(database, "SELECT rolname FROM pg_roles WHERE rolname LIKE '%homelab%'") == before
    assert query(database, "SELECT count(*) FROM pg_default_acl") == [(0,)]


def test_version_table_of_another_schema_is_only_readable(chain: Chain, database: URL, application: URL) -> None:
    table = with_table(chain, "billing", "billing_version")
    query(database, "CREATE SCHEMA billing; CREATE TABLE billing.secret ()")
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    assert migrate(chain, database, application).code == 0
    assert sqlstate_of(application, f"SELECT * FROM {table}") is None
    assert sqlstate_of(application, f"DELETE FROM {table}") == "42501"
    assert sqlstate_of(application, "SELECT * FROM billing.secret") == "42501"
    assert "Updated privileges" not in migrate(chain, database, application).stdout
