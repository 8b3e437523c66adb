"""Answer a revision's questions as when it is applied, while Alembic renders it offline.

A revision that knew that it is rendered could show other SQL than it runs. It gets the answers of an online run; what
only a database could answer is refused, and its SQL is then unknown. Alembic and SQLAlchemy themselves get the real
values, by the module that reads an attribute.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection
from sqlalchemy.engine.mock import MockConnection

from .offline import NeedsDatabase, NoResult, RenderingLimit, refuse

OFFLINE_OPTIONS = ("output_buffer", "literal_binds", "dialect_opts")
"""Options of the migration context that are absent online."""
UNKNOWN_OF_DIALECT = ("server_version_info", "default_schema_name", "default_isolation_level", "dbapi", "paramstyle")
"""Attributes that a dialect has from its first connection, or from the driver."""
LIMITS = ("begin", "begin_nested", "begin_twophase", "commit", "connection", "rollback")
"""Attributes of a connection that no database is needed for, but whose effect can't be rendered."""


class Answer:
    """An attribute with a value for Alembic and SQLAlchemy, and an answer for all others."""

    def __init__(self, value: Any, answer: Callable[[], Any], trusted: frozenset[str]) -> None:
        self._value = value
        self._answer = answer
        self._trusted = trusted

    def __get__(self, instance: Any, _: type | None = None) -> Any:
        # By the module or the package of the code that reads the attribute.
        caller = str(sys._getframe(1).f_globals.get("__name__"))
        is_trusted = caller in self._trusted or caller.partition(".")[0] in self._trusted
        return self._value if is_trusted else self._answer()

    def __set__(self, _: Any, value: Any) -> None:
        self._value = value


def _replace(target: Any, answers: dict[str, Callable[[], Any]], trusted: frozenset[str]) -> None:
    """Give an object a class of its own with these attributes."""
    kind = type(target)
    attributes = {name: Answer(getattr(target, name, None), answer, trusted) for name, answer in answers.items()}
    for name in answers:
        vars(target).pop(name, None)
    target.__class__ = type(kind.__name__, (kind,), {"__module__": kind.__module__, **attributes})


def answer_as_online(context: MigrationContext, environment: EnvironmentContext) -> None:
    """Replace what would show a revision that the context is offline."""
    # The package of another dialect, and the module of the project's own implementation, such as env.py.
    dialects = {each.__module__.partition(".")[0] for each in type(context.dialect).__mro__}
    implementations = {each.__module__ for each in type(context.impl).__mro__}
    trusted = frozenset({"alembic", "sqlalchemy", *dialects, *implementations})
    reads_revision = partial(refuse, "reads the database's revision")
    options = {name: value for name, value in context.opts.items() if name not in OFFLINE_OPTIONS}
    context_answers: dict[str, Callable[[], Any]] = {
        "as_sql": lambda: False,
        "opts": lambda: {**options, "as_sql": False},
        "output_buffer": lambda: sys.stdout,
        "get_current_revision": reads_revision,
        "get_current_heads": reads_revision,
    }
    impl_answers: dict[str, Callable[[], Any]] = {
        "as_sql": lambda: False,
        "literal_binds": lambda: False,
        "output_buffer": lambda: sys.stdout,
    }
    dialect_answers = {name: partial(refuse, f"reads the dialect's {name}") for name in UNKNOWN_OF_DIALECT}
    _replace(context, context_answers, trusted)
    _replace(context.impl, impl_answers, trusted)
    _replace(context.dialect, dialect_answers, trusted)
    # As on a server with its default, standard_conforming_strings = on. SQLAlchemy assumes the opposite offline.
    vars(context.dialect)["_backslash_escapes"] = False
    _replace(environment, {"context_opts": lambda: {**options, "as_sql": False}}, trusted)


def _visit_ddl(bind: Connection, visitor: Any, element: Any, checkfirst: Any = False, **options: Any) -> None:
    if checkfirst:
        name = getattr(element, "name", None)
        refuse(f"checks whether {name} exists (checkfirst)" if name else "checks what exists (checkfirst)")
    MockConnection._run_ddl_visitor(bind, visitor, element, **options)  # type: ignore[arg-type]


def stand_in(dialect: Any, execute: Callable[..., Any]) -> Connection:
    """Return a connection that passes statements to `execute`, and refuses everything else.

    It is an object of SQLAlchemy's class, whose attributes are replaced: this process opens no connection.
    """
    bind = object.__new__(Connection)
    known = {
        "dialect": dialect,
        "engine": bind,
        "name": dialect.name,
        "driver": dialect.driver,
        "execute": execute,
        "execution_options": lambda **_: bind,
        "schema_for_object": lambda element: element.schema,
        "_run_ddl_visitor": partial(_visit_ddl, bind),
    }
    # A session joins the transaction of the revision, and leaves its end to Alembic. SQLAlchemy 1.4 executes by another
    # name.
    known_to_session = {
        "in_transaction": lambda: True,
        "in_nested_transaction": lambda: False,
        "_get_required_transaction": NoResult,
        "get_transaction": NoResult,
        "_execute_20": lambda statement, parameters=None, _=None: execute(statement, parameters),
    }

    def read(connection: Connection, name: str) -> Any:
        if name.startswith("__"):
            return object.__getattribute__(connection, name)
        caller = str(sys._getframe(1).f_globals.get("__name__"))
        if caller == "sqlalchemy.engine.reflection":
            refuse("inspects the database")
        if caller.startswith("sqlalchemy.orm.") and name in known_to_session:
            return known_to_session[name]
        if name not in known:
            if caller.startswith("alembic."):  # which expects SQLAlchemy's mock
                raise AttributeError(name)
            refuse(f"uses {name} of the connection", RenderingLimit if name in LIMITS else NeedsDatabase)
        return known[name]

    Connection.__getattribute__ = read  # type: ignore[assignment, method-assign]
    return bind
