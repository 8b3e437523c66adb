"""The runner's own sessions call nothing and read nothing that other roles can put in the way of their statements."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import URL
from support import Chain, dsn, query, revisions, run, session

BODY = "BEGIN EXECUTE 'ALTER ROLE {attacker} SUPERUSER'; RETURN {result}; END"
# Without regtype and "char", which psycopg and SQLAlchemy compare in the sessions of env.py: those keep their path.
TYPES = ("name", "text", "oid", "regclass", "regnamespace", "regrole", "integer", "bigint")
OPERATORS = ("=", "<>", "||", "<<", "+")


@pytest.fixture
def attacker(database: URL) -> Iterator[URL]:
    """Return the URL of a role that can create objects in schema public and schemas in the database."""
    name = f"{database.database}_attacker"
    query(database, f"CREATE ROLE {name} LOGIN")
    query(database, f"GRANT CREATE ON SCHEMA public TO {name}")
    query(database, f"GRANT CREATE ON DATABASE {database.database} TO {name}")
    yield database.set(username=name)
    query(database, f"ALTER ROLE {name} NOSUPERUSER")
    query(database, f"DROP OWNED BY {name} CASCADE")
    query(database, f"DROP ROLE {name}")


def is_superuser(attacker: URL) -> bool:
    """Return whether the attack succeeded."""
    return query(attacker, "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user") == [(True,)]


def trap(attacker: URL, result: str) -> str:
    """Return the body of a function that makes the attacker a superuser, if a superuser calls it."""
    return f"LANGUAGE plpgsql AS $trap${BODY.format(attacker=attacker.username, result=result)}$trap$"


def shadow_functions(attacker: URL) -> None:
    """Create functions that match arguments better than the variadic ones of pg_catalog."""
    with session(attacker) as connection:
        for types in ("text, name", "text, text", "text, name, name", "text, text, text", "text, name, text"):
            body = trap(attacker, "'public.one'")
            connection.execute(f"CREATE FUNCTION public.format({types}) RETURNS text {body}".encode())
        body = trap(attacker, "''")
        connection.execute(f'CREATE FUNCTION public."left"(name, integer) RETURNS text {body}'.encode())


def shadow_operators(attacker: URL) -> None:
    """Create operators for all pairs of types for which pg_catalog has only a cast."""
    with session(attacker, autocommit=False) as connection:
        for left in TYPES:
            for right in TYPES:
                body = trap(attacker, "true")
                connection.execute(f"CREATE FUNCTION public.trap({left}, {right}) RETURNS boolean {body}".encode())
                for operator in OPERATORS:
                    procedure = f"(LEFTARG = {left}, RIGHTARG = {right}, PROCEDURE = public.trap)"
                    connection.execute(f"CREATE OPERATOR public.{operator} {procedure}".encode())


def migrate(chain: Chain, database: URL, application: URL) -> None:
    """Migrate twice as a superuser, with separate roles: with a pending revision, and with none."""
    options = [f"--application-role={application.username}", "--create-application-role"]
    for _ in range(2):
        result = run("upgrade", chain, database, *options, APPLICATION_DATABASE_URL=dsn(application))
        assert (result.code, result.stderr) == (0, "")


@pytest.fixture
def application(database: URL) -> Iterator[URL]:
    """Return the URL of the application's role, which does not exist."""
    name = f"{database.database}_app"
    yield database.set(username=name, password="secret")
    query(database, f"DROP OWNED BY {name}")
    query(database, f"DROP ROLE {name}")


@pytest.mark.parametrize("shadow", [shadow_functions, shadow_operators])
def test_shadowing_functions_and_operators_are_never_called(
    chain: Chain, database: URL, attacker: URL, application: URL, shadow: object
) -> None:
    assert callable(shadow)
    shadow(attacker)
    chain.add("one", 'op.execute("CREATE TABLE public.one (id serial PRIMARY KEY)")')
    migrate(chain, database, application)
    assert not is_superuser(attacker)


def test_foreign_run_record_is_not_written(chain: Chain, database: URL, attacker: URL) -> None:
    with session(attacker) as connection:
        connection.execute("CREATE SCHEMA pulumi_alembic")
        connection.execute("CREATE TABLE pulumi_alembic.runs (id int, outcome text)")
        body = trap(attacker, "NULL")
        connection.execute(f"CREATE FUNCTION public.trap() RETURNS trigger {body}".encode())
        connection.execute("CREATE TRIGGER trap BEFORE INSERT OR UPDATE ON pulumi_alembic.runs EXECUTE FUNCTION trap()")
    chain.add("one", "pass")
    result = run("upgrade", chain, database)
    assert (result.code, result.stderr) == (0, "")
    assert f"Run not recorded: {attacker.username} owns schema pulumi_alembic or its table" in result.stdout
    assert revisions(database) == {"one"} and not is_superuser(attacker)
