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

from .offline import NeedsDatabase, RenderingLimit, block_results, no_result, refuse
from .variables import revision

OFFLINE_OPTIONS = ("output_buffer", "literal_binds", "dialect_opts")
"""Options of the migration context that are absent online."""
UNKNOWN_OF_DIALECT = ("server_version_info", "default_schema_name", "default_isolation_level", "dbapi", "paramstyle")
"""Attributes that a dialect has from its first connection, or from the driver."""
URL_OPTION = "sqlalchemy.url"
LIMITS = ("begin", "begin_nested", "begin_twophase", "commit", "connection", "rollback")
"""Attributes of a connection that no database is needed for, but whose effect can't be rendered."""


class Answer:
    """An attribute of one object with a value for Alembic and SQLAlchemy, and an answer for all others.

    It is an attribute of the object's class, so that the object keeps its type.
    """

    def __init__(self, target: Any, name: str, answer: Callable[[], Any], trusted: frozenset[str]) -> None:
        self._target = target
        self._name = name
        self._answer = answer
        self._trusted = trusted
        self._value = getattr(target, name, None)
        classes = type(target).__mro__
        self._original = next((vars(each)[name] for each in classes if name in vars(each)), None)
        vars(target).pop(name, None)
        setattr(type(target), name, self)

    def __get__(self, instance: Any, kind: type | None = None) -> Any:
        if instance is not self._target:
            return self._of_another(instance, kind)
        # By the module or the package of the code that reads the attribute.
        caller = str(sys._getframe(1).f_globals.get("__name__"))
        is_trusted = caller in self._trusted or caller.partition(".")[0] in self._trusted
        return self._value if is_trusted else self._answer()

    def _of_another(self, instance: Any, kind: type | None) -> Any:
        if instance is not None and self._name in vars(instance):
            return vars(instance)[self._name]
        bind = getattr(type(self._original), "__get__", None)
        return self._original if bind is None else bind(self._original, instance, kind)

    def __set__(self, instance: Any, value: Any) -> None:
        if instance is self._target:
            self._value = value
        else:
            vars(instance)[self._name] = value


def _replace(target: Any, answers: dict[str, Callable[[], Any]], trusted: frozenset[str]) -> None:
    for name, answer in answers.items():
        Answer(target, name, answer, trusted)


def _refuse_url(config: Any) -> None:
    """Refuse that a revision reads the URL from Alembic's configuration, which the image completes."""

    def refused(read: Callable[..., Any], is_url: Callable[[Any], bool]) -> Callable[..., Any]:
        def read_other(*args: Any, **options: Any) -> Any:
            value = read(*args, **options)
            if revision and is_url((args, value)):
                refuse(f"reads {URL_OPTION} of Alembic's configuration")
            return value

        return read_other

    parser = config.file_config
    parser.get = refused(parser.get, lambda call: URL_OPTION in call[0])
    parser.items = refused(parser.items, lambda call: URL_OPTION in dict(call[1]))


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
        "_transaction": partial(refuse, "asks for a transaction"),
        "_in_connection_transaction": partial(refuse, "asks for a transaction"),
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
    _refuse_url(environment.config)
    # After the subclass's own: a revision finds an environment of Alembic's class.
    environment.__class__ = EnvironmentContext
    _replace(environment, {"context_opts": lambda: {**options, "as_sql": False}}, trusted)
    EnvironmentContext.is_offline_mode = lambda _: False  # type: ignore[method-assign]
    block_results()


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
        "_get_required_transaction": no_result,
        "get_transaction": no_result,
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
