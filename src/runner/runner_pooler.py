"""Tells a connection pooler from PostgreSQL itself.

A pooler in transaction mode gives each transaction whatever server process is free. A session's advisory lock then
stays in a process that others use, and settings reach nobody: migrations would not be kept apart, and not be bounded.
"""

from __future__ import annotations

import os
import re

from runner_failures import DIRECT_URL_ADVICE, Refusal
from runner_session import connect, url_variable
from sqlalchemy import text
from sqlalchemy.engine import URL, Connection

PROCESS = "SELECT pg_backend_pid()"
SETTINGS = "SELECT name, setting FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout')"


def refuse_pooler(session: Connection, url: URL) -> None:
    """Looks before the lock is taken, which would be left behind in a pooler's process.

    :raises Refusal: naming what gave the pooler away, and the variable that takes a direct URL.
    """
    fault = lost_setting(session) or shared_process(session, url)
    if fault:
        raise Refusal(f"{url_variable()} leads to a connection pooler: {fault}. {DIRECT_URL_ADVICE}")


def lost_setting(session: Connection) -> str | None:
    """A setting that did not reach the server: poolers refuse or drop the `options` of a session."""
    asked = dict(re.findall(r"-c (\w+)=(\d+)", os.environ["PGOPTIONS"]))  # of one given twice, the last holds
    for name, found in session.execute(text(SETTINGS)):
        if found != asked[name]:
            return f"the session's {name} is {found} ms, not the {asked[name]} ms that it was opened with"
    return None


def shared_process(session: Connection, url: URL) -> str | None:
    """A server process that two open sessions have in common, or one session's change of it."""
    with connect(url) as second:
        first_pids, second_pids = set(), set()
        for pids, asked in [(first_pids, session), (second_pids, second)] * 2:
            pids.add(asked.scalar(text(PROCESS)))
    if first_pids & second_pids:
        return "two sessions have one server process"
    if len(first_pids | second_pids) > 2:
        return "a session's server process changes between transactions"
    return None
