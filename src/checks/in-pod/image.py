"""Inspect the image of the backend's pod, and the parts of its DATABASE_URL, without printing their values."""

import hashlib
import json
import os
import re
import subprocess
import sys
from configparser import Error, RawConfigParser

from connection import URL, first_column, open_connection
from runner_url import parse_url

UNREACHABLE = (re.match(r"postgres(ql)?(\+\w+)?(?=://)", URL) or ["postgresql"])[0] + "://unity:unity@127.0.0.1:1/unity"
"""A URL for the same driver, where nothing listens. If env.py reads the environment, its error names this address."""


def hash_of(path):
    """Return the SHA-256 of a file in hexadecimal, or None if it does not exist."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


def revision_files(locations):
    """Return the files that Alembic loads as revisions from the existing folders."""
    present = [location for location in locations if os.path.isdir(location)]
    names = [location + "/" + name for location in present for name in os.listdir(location)]
    return [name for name in names if re.search(r"/(?!\.#|__init__)[^/]*\.py$", name)]


def configuration_error(call):
    """Return the error of Alembic's configuration, or None."""
    names = {"toml" if name.split("/")[-1] == "pyproject.toml" else "ini": name for name in call["config"]}
    name = names.get("ini", "alembic.ini")
    ini = RawConfigParser()
    try:
        if not ini.read(name) and not is_configured(names.get("toml", "pyproject.toml")) and call["flaskApp"] is None:
            return name + " is missing"
    except Error:
        return name + " can't be read"
    url = ini.get("alembic", "sqlalchemy.url", fallback="")
    return name + " contains a password" if re.search(r"://[^/@]*:[^/@%]+@", url) else None


def is_configured(name):
    """Return whether pyproject.toml configures Alembic. Python has a parser of TOML since 3.11."""
    try:
        with open(name, encoding="utf-8") as file:
            return re.search(r"^\s*\[tool\.alembic[\].]", file.read(), re.MULTILINE) is not None
    except OSError:
        return False


IDENTITY = """SELECT pg_catalog.current_database() || ' ' || pg_catalog.current_setting('port') || ' '
|| EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())"""
"""The database and the server of a session, also behind a proxy."""

CURRENT = """
import json
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.pool import Pool

def identify(session, _):
    cursor = session.cursor()
    try:
        cursor.execute(IDENTITY)
        print("\\nalembic-session " + cursor.fetchone()[0], flush=True)
    except Exception:
        pass
    cursor.close()
    session.rollback()

event.listen(Pool, "connect", identify)
call, files = json.load(sys.stdin)
config = load_config(AlembicCall.of(call))
ScriptDirectory.from_config(config)
print("\\nalembic-paths " + json.dumps({file: str(locate(file)) for file in files}), flush=True)
command.current(config)
"""
"""Same as `alembic current`, but prints the paths of files, its sessions' identities, and the traceback of an error."""


def run_alembic(expected):
    """Return the paths of files in packages, and why env.py does not use DATABASE_URL, or None."""
    files = [file for file in [*expected["files"], *expected["locations"]] if ":" in file]
    environment = dict(os.environ, DATABASE_URL=UNREACHABLE)
    program = expected["runnerConfig"] + "\nIDENTITY = " + repr(IDENTITY) + CURRENT
    command = [sys.executable, "-B", "-c", program]
    call = json.dumps([expected["alembic"], files])
    options = {"input": call, "text": True, "capture_output": True, "timeout": 30, "check": False}
    try:
        result = subprocess.run(command, env=environment, **options)
    except subprocess.TimeoutExpired:
        return {}, "env.py timed out after 30s with an unreachable database"
    found = re.search("^alembic-paths (.+)$", result.stdout, re.MULTILINE)
    paths = json.loads(found[1]) if found else {}
    if result.returncode == 0:
        return paths, address_error(set(re.findall("^alembic-session (.+)$", result.stdout, re.MULTILINE)))
    if re.search(r"127\.0\.0\.1.{1,80}?\b1\b", result.stderr, re.DOTALL):
        return paths, None
    name = re.match(r"[\w.]+", result.stderr.strip().split("\n")[-1])
    return paths, "env.py failed with " + (name.group() if name else "an error")


def address_error(sessions):
    """Return why an env.py with an address of its own has not connected to the database of DATABASE_URL, or None."""
    if not sessions:
        return "env.py does not read DATABASE_URL"
    if sessions != {first_column(open_connection(), IDENTITY)}:
        return "env.py connects to another database than that of DATABASE_URL"
    return None


def compare_address(expected):
    """Return which parts of DATABASE_URL are as expected."""
    try:
        url = parse_url("DATABASE_URL", URL)
    except ValueError:
        return {"set": URL != "", "url": False}
    return {
        "set": True,
        "url": True,
        "host": all(host in expected["hosts"] for host, _ in url.hosts),
        "port": all((port or 5432) == expected["port"] for _, port in url.hosts),
        "database": url.database == expected["database"],
    }


def inspect_image(expected):
    """Compare the image with the expected revision files, their folders, and the database's address."""
    paths, error = run_alembic(expected)
    files = {file: paths.get(file, file) for file in expected["files"]}
    extra = set(revision_files(paths.get(each, each) for each in expected["locations"])) - set(files.values())
    return {
        "files": {file: hash_of(path) for file, path in files.items()},
        "extra": sorted(extra),
        "address": compare_address(expected["address"]),
        "ini": configuration_error(expected["alembic"]),
        "env": error,
    }
