"""Fixtures. Each test has its own database on the server of TEST_DATABASE_URL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import URL, make_url
from support import BACKEND, DRIVERS, Chain, Image, Run, image_with, query, reviewed, temporary_database

VARIABLE = "TEST_DATABASE_URL"


def pytest_configure() -> None:
    """Fail early without a server."""
    if not os.environ.get(VARIABLE):
        raise pytest.UsageError(
            f"{VARIABLE} is not set; run `make test` in the project's root folder, "
            "or set it to a superuser's URL of a PostgreSQL server"
        )


@pytest.fixture(scope="session")
def server() -> URL:
    """Return the superuser's URL of the server."""
    return make_url(os.environ[VARIABLE])


@pytest.fixture(autouse=True)
def end_runs() -> Iterator[None]:
    """End the runners that a failed test has left."""
    yield
    for run in list(Run.unfinished):
        run.process.kill()
        run.finish()


@pytest.fixture
def database(server: URL) -> Iterator[URL]:
    """Create an empty database."""
    with temporary_database(server) as url:
        yield url


@pytest.fixture
def role(database: URL) -> Iterator[URL]:
    """Return the URL of a role that can create tables but no schema."""
    name = f"{database.database}_role"
    query(database, f"CREATE ROLE {name} LOGIN PASSWORD 'role'")
    query(database, f"GRANT CREATE ON SCHEMA public TO {name}")
    try:
        yield database.set(username=name, password="role")
    finally:
        query(database, f"DROP OWNED BY {name}")
        query(database, f"DROP ROLE {name}")


@pytest.fixture
def backend(tmp_path: Path) -> Chain:
    """Return the real backend with its chain."""
    return reviewed(BACKEND, tmp_path)


@pytest.fixture(scope="session")
def generic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run `alembic init`, and make env.py read the URL from the environment."""
    folder = tmp_path_factory.mktemp("generic")
    config = Config(str(folder / "alembic.ini"), stdout=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    command.init(config, str(folder / "alembic"))
    config.stdout.close()
    ini, env = folder / "alembic.ini", folder / "alembic" / "env.py"
    ini.write_text(ini.read_text(encoding="utf-8").replace(str(folder / "alembic"), "alembic"), encoding="utf-8")
    # SQLAlchemy 1 does not support psycopg 3.
    driver = "psycopg" if sqlalchemy.__version__ >= "2" else "psycopg2"
    url = f'os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+{driver}:").replace("%", "%%")'
    env.write_text(
        env.read_text(encoding="utf-8").replace(
            "config = context.config\n",
            f'import os\n\nconfig = context.config\nconfig.set_main_option("sqlalchemy.url", {url})\n',
        ),
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def chain(tmp_path: Path, generic: Path) -> Chain:
    """Return an empty chain, to which the test adds revisions."""
    folder = tmp_path / "image"
    shutil.copytree(generic, folder)
    return Chain(folder, tmp_path / "chain.json")


@pytest.fixture(params=DRIVERS)
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    """Return an image with only one driver, for each."""
    return image_with(request.param, tmp_path)
