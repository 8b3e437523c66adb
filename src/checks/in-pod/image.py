"""Inspect the image of the backend's pod, and the parts of its DATABASE_URL, without printing their values."""

import hashlib
import os
import re
import subprocess
import sys
from configparser import Error, RawConfigParser

from connection import URL
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


def ini_error():
    """Return the error of alembic.ini, or None."""
    ini = RawConfigParser()
    try:
        if not ini.read("alembic.ini"):
            return "alembic.ini is missing"
    except Error:
        return "alembic.ini can't be read"
    url = ini.get("alembic", "sqlalchemy.url", fallback="")
    return "alembic.ini contains a password" if re.search(r"://[^/@]*:[^/@%]+@", url) else None


CURRENT = """
from alembic import command
from alembic.config import Config
command.current(Config("alembic.ini"))
"""
"""Same as `alembic current`, but prints the traceback of an error."""


def env_error():
    """Return why alembic/env.py does not use DATABASE_URL, or None."""
    environment = dict(os.environ, DATABASE_URL=UNREACHABLE)
    command = [sys.executable, "-B", "-c", CURRENT]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    try:
        result = subprocess.run(command, env=environment, timeout=30, text=True, check=False, **streams)
    except subprocess.TimeoutExpired:
        return "env.py timed out after 30s with an unreachable database"
    if result.returncode == 0:
        return "env.py does not read DATABASE_URL"
    if re.search(r"127\.0\.0\.1.{1,80}?\b1\b", result.stderr, re.DOTALL):
        return None
    name = re.match(r"[\w.]+", result.stderr.strip().split("\n")[-1])
    return "env.py failed with " + (name.group() if name else "an error")


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
    return {
        "files": {path: hash_of(path) for path in expected["files"]},
        "extra": sorted(set(revision_files(expected["locations"])) - set(expected["files"])),
        "address": compare_address(expected["address"]),
        "ini": ini_error(),
        "env": env_error(),
    }
