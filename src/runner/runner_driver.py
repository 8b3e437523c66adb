"""The runner's own sessions with any driver of the image."""

from __future__ import annotations

import asyncio
import threading
from importlib.util import find_spec
from typing import Any, Callable, NoReturn

import sqlalchemy
from runner_arguments import arguments
from runner_contract import CONTRACT, OWN
from runner_dbapi import DRIVERS, driver_session, first_suitable, query
from runner_errors import FatalError, is_retryable
from runner_url import DatabaseUrl, InvalidUrl
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Result
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.pool import NullPool
from sqlalchemy.util import greenlet_spawn


def image_driver() -> str:
    """Return the driver for the runner's own sessions.

    :raises FatalError: If the image has none.
    """
    for driver in DRIVERS:
        # SQLAlchemy 1 does not support psycopg 3.
        if find_spec(driver) and (driver != "psycopg" or sqlalchemy.__version__ >= "2"):
            return driver
    raise FatalError(f"the image has no driver for PostgreSQL. Install one of {', '.join(DRIVERS)} in the image.")


def open_session(url: DatabaseUrl, options: str, name: str, timeout_seconds: int | None) -> Connection:
    """Open a session in autocommit mode, outside of any pool, with the first host that accepts it.

    :param options: Command-line options of the session's server process.
    :param name: The session's `application_name`.
    :param timeout_seconds: Limit for one host, by default the URL's.
    :raises FatalError: If the driver does not support a parameter of the URL.
    """
    driver = image_driver()
    try:
        attempts = arguments(url, driver, options, name)
    except InvalidUrl as error:
        raise FatalError(str(error)) from None
    if timeout_seconds is not None:
        for attempt in attempts:
            attempt["timeout" if driver in ("pg8000", "asyncpg") else "connect_timeout"] = timeout_seconds
    if driver == "asyncpg":
        return AsyncSession(lambda: open_connection(driver, attempts[0]))  # type: ignore[return-value]
    if driver == "pg8000":
        attributes = url.parameters.get("target_session_attrs", "any")
        found = first_suitable(attempts, attributes, open_untimed, scalar, is_retryable)
        return SharedSession(found)  # type: ignore[return-value]
    return open_connection(driver, attempts[0])


def open_connection(driver: str, attempt: dict[str, Any]) -> Connection:
    """Open a session of a driver."""
    engine = sqlalchemy.create_engine(
        f"postgresql+{driver}://",
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args=attempt,
        execution_options={OWN: True},
    )
    with CONTRACT.own_session():
        session = engine.connect()
    event.listen(engine, "do_connect", refuse_reconnect)
    return session


def refuse_reconnect(*_: object) -> NoReturn:
    """Prevent SQLAlchemy 1 from replacing a lost session: the lock is lost with it."""
    raise PendingRollbackError("the session is lost")


def open_untimed(attempt: dict[str, Any]) -> Connection:
    """Open a session of pg8000, whose limit for connecting would be one for each statement, too."""
    session = open_connection("pg8000", attempt)
    driver_session(session)._usock.settimeout(None)
    return session


def scalar(session: Connection, sql: str) -> Any:
    """Return the first column of the first row."""
    return session.scalar(text(sql))


class SharedSession:
    """A session that several threads may use, like SQLAlchemy's `Connection`: one statement at a time.

    Its driver has read all rows when a method returns.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = threading.RLock()

    def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        with self._turn:
            return function(*arguments)

    def execute(self, *arguments: Any) -> Result[Any]:
        """Execute a statement."""
        result: Result[Any] = self._run(self._connection.execute, *arguments)
        return result

    def scalar(self, *arguments: Any) -> Any:
        """Return the first column of the first row."""
        return self._run(self._connection.scalar, *arguments)

    def scalar_from_thread(self, sql: str) -> Any:
        """Return the first column of the first row, from any thread. Others find the loss of the session."""
        return self._run(lambda: query(driver_session(self._connection), sql)[0])

    def close(self) -> None:
        """Close the session."""
        self._run(self._connection.close)

    def __enter__(self) -> SharedSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncSession(SharedSession):
    """A session of an async driver.

    env.py may run an event loop of its own in the same thread, so the session has its own loop in its own thread.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            super().__init__(self._await(connect))
        except BaseException:
            self._stop()
            raise

    def _await(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(greenlet_spawn(function, *arguments), self._loop).result()

    def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return super()._run(self._await, function, *arguments)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def close(self) -> None:
        """Close the session."""
        super().close()
        self._stop()
