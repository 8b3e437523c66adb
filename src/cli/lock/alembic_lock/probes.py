"""Load or render the project again, in other processes, with other environment variables.

That shows which are missing, and on which the SQL depends, whatever package reads them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PLACEHOLDER = "0"
"""Value of a missing variable, to find the next one. Nothing is rendered with it."""
UNSET = ("1", "0")
"""Values for a variable that is not set: numbers, and both truth values."""
TRUTH = {"true": "false", "yes": "no", "on": "off", "1": "0"}
OPPOSITE = {**TRUTH, **{value: key for key, value in TRUTH.items()}}
MOST_MISSING = 50
"""The number of missing environment variables at which the search for more ends."""
MOST_RENDERINGS = 24
"""The number of renderings after which the search for dependencies ends."""
SECONDS = 60
"""How long the project may take to load or render with other values, which it may wait for."""

SCRIPT = Path(__file__).parents[1] / "render_chain.py"
LOAD = "load"
"""Mode of the script that writes the names of the missing variables, a line after each attempt."""
RENDER = "render"
"""Mode of the script that writes what depends on variables, or the error and its variables."""

Changes = dict[str, "str | None"]
"""Values of variables; None removes one."""


def run(call: Any, mode: str, environment: dict[str, str], changes: Changes) -> Any:
    """Return the last JSON document of a mode of the script, None if it fails or takes too long without one."""
    kept = {name: value for name, value in environment.items() if name not in changes}
    given = {**kept, **{name: value for name, value in changes.items() if value is not None}}
    command = [sys.executable, "-B", str(SCRIPT), json.dumps(call), mode]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    try:
        output = subprocess.run(command, env=given, timeout=SECONDS, check=False, **streams).stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout
    try:
        return json.loads((output or b"").splitlines()[-1])
    except (IndexError, ValueError):
        return None


def find_missing(call: Any, first: list[str], environment: dict[str, str]) -> list[str]:
    """Return all environment variables that are missing: those of the first error, and of each one after it.

    A process finds several, but after an error it has modules that were loaded without them. So the search ends with a
    new process that finds no more.
    """
    names, found = list(first), first
    while found and len(names) < MOST_MISSING:
        result = run(call, LOAD, environment, dict.fromkeys(names, PLACEHOLDER))
        found = [name for name in result or [] if name not in names]
        names += found
    return names


def altered(value: str) -> str:
    """Return another value of the same form: a truth value, a number, a URL, JSON, or any text."""
    if value.lower() in OPPOSITE:
        return OPPOSITE[value.lower()]
    try:
        content = json.loads(value)
    except ValueError:
        content = None
    if isinstance(content, (dict, list)):
        return json.dumps(_altered_json(content))
    scheme, separator, rest = value.rpartition("://")
    return scheme + separator + "".join(map(_next, rest))


def _altered_json(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _altered_json(each) for key, each in content.items()}
    if isinstance(content, list):
        return [_altered_json(each) for each in content]
    if isinstance(content, bool):
        return not content
    if isinstance(content, (int, float)):
        return content - 1
    return altered(content) if isinstance(content, str) else content


def _next(character: str) -> str:
    """Return another letter or digit. Digits get lower, because ports and sizes have a maximum."""
    if character in "zZ":
        return chr(ord(character) - 25)
    if character.isascii() and character.isalpha():
        return chr(ord(character) + 1)
    if character in "123456789":
        return chr(ord(character) - 1)
    return "1" if character == "0" else character


class Search:
    """The search for the variables on which a rendering depends."""

    def __init__(self, call: Any, environment: dict[str, str], rendered: dict[str, Any]) -> None:
        """Begin a search.

        :param rendered: The rendering with the variables as they are: JSON by the name of each part.
        """
        self._call = call
        self._environment = environment
        self._rendered = rendered
        self._left = MOST_RENDERINGS
        self._end = time.monotonic() + SECONDS
        self._rejected: set[str] = set()
        self._found: dict[str, list[str]] = {}

    def run(self, variables: Changes) -> dict[str, list[str]]:
        """Return the variables on which each part depends, without the parts that depend on none.

        A variable whose other value the project rejects is removed instead; if that is an error, too, it does not
        count.

        :param variables: Those that the project reads, with their values; None if they are not set.
        """
        given = {name: value for name, value in variables.items() if value is not None}
        unset = [name for name in variables if name not in given]
        self._search({**{name: altered(value) for name, value in given.items()}, **dict.fromkeys(unset, UNSET[0])})
        rejected = dict.fromkeys(name for name in given if name in self._rejected)
        self._search({**rejected, **dict.fromkeys(unset, UNSET[1])})
        return self._found

    def _search(self, changes: Changes) -> bool:
        """Search for dependencies on these variables, and return whether there are any."""
        changes, result = self._render(changes)
        if not changes:
            return False
        differing = [] if result is None else [part for part in self._rendered if self._differs(part, result)]
        if result is not None and not differing:
            return False
        if len(changes) == 1:
            self._note(changes, differing)
            return bool(differing)
        halves = [dict(list(changes.items())[index::2]) for index in (0, 1)]
        is_found = [self._search(half) for half in halves]
        if not any(is_found):
            self._note(changes, differing)
        return any(is_found) or bool(differing)

    def _render(self, changes: Changes) -> tuple[Changes, dict[str, Any] | None]:
        """Return what was rendered, None after an error, and with which changes: without those that it names."""
        while changes and self._left > 0 and time.monotonic() < self._end:
            self._left -= 1
            result = run(self._call, RENDER, self._environment, changes)
            if result is None or "rendered" in result:
                return changes, result and result["rendered"]
            error, fields = result["error"], result["fields"]
            named = {name for name, value in changes.items() if name in error or name in fields or _is_in(value, error)}
            self._rejected |= named or (set(changes) if len(changes) == 1 else set())
            if not named:
                return changes, None
            changes = {name: value for name, value in changes.items() if name not in named}
        return {}, None

    def _differs(self, part: str, result: dict[str, Any]) -> bool:
        return self._rendered[part] is not None and result.get(part) != self._rendered[part]

    def _note(self, changes: Changes, parts: list[str]) -> None:
        for part in parts:
            self._found.setdefault(part, []).extend(name for name in changes if name not in self._found.get(part, []))


def _is_in(value: str | None, error: str) -> bool:
    return value is not None and len(value) > 2 and value in error
