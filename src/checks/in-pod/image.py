"""Looks at the image that a backend's pod runs, and at what its DATABASE_URL points to, of which it tells no value."""

import hashlib
import os
import re
import subprocess
import sys
from configparser import Error, RawConfigParser
from urllib.parse import unquote, urlsplit

from connection import PLAIN, URL

UNREACHABLE = "postgresql://unity:unity@127.0.0.1:1/unity"
"""Nothing listens there: the error of an env.py that reads the environment names it."""


def hash_of(path):
    """The SHA-256 of a file in hexadecimal; null if there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


def revision_files(locations):
    """What Alembic takes for revisions in the folders that are there."""
    present = [location for location in locations if os.path.isdir(location)]
    names = [location + "/" + name for location in present for name in os.listdir(location)]
    return [name for name in names if re.search(r"/(?!\.#|__init__)[^/]*\.py$", name)]


def fault_of_ini():
    """What is wrong with alembic.ini; null if nothing is."""
    ini = RawConfigParser()
    try:
        if not ini.read("alembic.ini"):
            return "alembic.ini is missing"
    except Error:
        return "alembic.ini can't be read"
    url = ini.get("alembic", "sqlalchemy.url", fallback="")
    return "alembic.ini holds a password" if re.search(r"://[^/@]*:[^/@%]+@", url) else None


CURRENT = """
from alembic import command
from alembic.config import Config
command.current(Config("alembic.ini"))
"""
"""What `alembic current` does; by itself it would tell an error only to people."""


def fault_of_env():
    """Why alembic/env.py does not take the database's address from the environment; null if it does."""
    environment = dict(os.environ, DATABASE_URL=UNREACHABLE)
    command = [sys.executable, "-B", "-c", CURRENT]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    try:
        done = subprocess.run(command, env=environment, timeout=10, text=True, check=False, **streams)
    except subprocess.TimeoutExpired:
        return "env.py did not end within 10 s with a database that is not there"
    if done.returncode == 0:
        return "env.py does not read DATABASE_URL"
    if re.search(r"127\.0\.0\.1.{1,80}?\b1\b", done.stderr, re.DOTALL):
        return None
    name = re.match(r"[\w.]+", done.stderr.strip().split("\n")[-1])
    return "env.py failed with " + (name.group() if name else "an error")


def address(expected):
    """Which parts of DATABASE_URL are as expected."""
    try:
        parts = urlsplit(PLAIN)
        port = parts.port
    except ValueError:
        return {"set": True, "url": False}
    return {
        "set": URL != "",
        "url": parts.scheme == "postgresql" and (parts.hostname is not None or "host=" in parts.query),
        "host": parts.hostname in expected["hosts"],
        "port": (port or 5432) == expected["port"],
        "database": unquote(parts.path[1:]) == expected["database"],
    }


def look(asked):
    """All of it. Takes the revision files, their folders, and the address that is expected."""
    return {
        "files": {path: hash_of(path) for path in asked["files"]},
        "extra": sorted(set(revision_files(asked["locations"])) - set(asked["files"])),
        "address": address(asked["address"]),
        "ini": fault_of_ini(),
        "env": fault_of_env(),
    }
