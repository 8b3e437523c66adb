"""Alembic's configuration, read as `alembic upgrade head` reads it, and where the files of the lockfile are.

The lock reads it with the same module: what is rendered is what runs.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alembic.config import CommandLine, Config

TOML = "pyproject.toml"
SEVERAL_DATABASES = (
    "env.py configures several databases in one run, which is not supported: a lockfile, a Job, and a gate belong to "
    "one database. Give each database a folder with its own configuration, env.py, revisions, and lockfile. Databases "
    "with the same schema can share them: each has a Job with its own DATABASE_URL."
)


@dataclass(frozen=True)
class AlembicCall:
    """How Alembic is called, with the field names of the lockfile."""

    # Files of `--config`, in the app's folder: at most one of pyproject.toml, and one other.
    config: tuple[str, ...] = ()
    # Arguments of `-x`.
    x: tuple[str, ...] = ()
    # The application of Flask-Migrate, as in `flask --app`, or None without Flask.
    flaskApp: str | None = None

    @staticmethod
    def of(content: Mapping[str, Any]) -> AlembicCall:
        """Return the call that JSON describes."""
        return AlembicCall(tuple(content["config"]), tuple(content["x"]), content["flaskApp"])


def load_config(call: AlembicCall) -> Config:
    """Return the configuration of the current folder, with the command line that env.py sees.

    :raises ValueError: If the installed Alembic or the Flask application lacks what the call needs.
    """
    arguments = [f"-c{file}" for file in call.config] + [f"-x{argument}" for argument in call.x]
    config = _config(call, [*arguments, "upgrade", "head"]) if call.flaskApp is None else _flask_config(call)
    vars(sys)["orig_argv"] = [sys.executable, *sys.argv]  # since Python 3.10
    _accept_percent(config)
    return config


def _config(call: AlembicCall, arguments: list[str]) -> Config:
    sys.argv = ["alembic", *arguments]
    options = CommandLine("alembic").parser.parse_args(arguments)
    files = {"toml" if os.path.basename(file) == TOML else "ini": file for file in call.config}
    ini = files.get("ini", "alembic.ini")
    if "toml_file" in inspect.signature(Config).parameters:
        return Config(file_=ini, toml_file=files.get("toml", TOML), cmd_opts=options)
    if "toml" in files:
        raise ValueError(f"{files['toml']} can't be read: only Alembic 1.16 and later reads {TOML}")
    return Config(file_=ini, cmd_opts=options)


def _flask_config(call: AlembicCall) -> Config:
    """Return the configuration of `flask db upgrade`, whose application context stays for env.py and the revisions."""
    from flask.cli import ScriptInfo

    sys.argv = ["flask", "--app", str(call.flaskApp), "db", "upgrade"]
    app = ScriptInfo(app_import_path=call.flaskApp).load_app()
    if "migrate" not in app.extensions:
        raise ValueError(f"the Flask application {call.flaskApp} has no Flask-Migrate: call Migrate(app, db)")
    app.app_context().push()
    directory = os.path.dirname(call.config[0]) if call.config else None
    config: Config = app.extensions["migrate"].migrate.get_config(directory, x_arg=list(call.x))
    return config


def _accept_percent(config: Config) -> None:
    """Let env.py set an option to a URL with a `%`, which ConfigParser takes for an invalid interpolation."""
    set_option = config.set_section_option

    def set_section_option(section: str, name: str, value: str) -> None:
        try:
            set_option(section, name, value)
        except ValueError:
            set_option(section, name, value.replace("%", "%%"))

    config.set_section_option = set_section_option  # type: ignore[method-assign]


def package_folders(package: str) -> list[Path]:
    """Return the folders of a package, none if it is not installed."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return []
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or []]


def locate(file: str) -> Path:
    """Return the path of a file of the lockfile: in the current folder, or, as in `package:path`, in a package."""
    package, colon, path = file.partition(":")
    if not colon or "/" in package:
        return Path(file)
    paths = [folder / path for folder in package_folders(package)]
    return next((each for each in paths if each.exists()), Path(file))
