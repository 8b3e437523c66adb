"""Encryption of the sessions: what the stack asks for, by libpq's own variable, holds for every URL."""

from __future__ import annotations

import os
import re

from runner_failures import Refusal
from sqlalchemy import text
from sqlalchemy.engine import Connection

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""libpq's, from the weakest on (https://www.postgresql.org/docs/current/libpq-ssl.html)."""
SESSION = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


def demanded() -> str:
    """The mode that the stack asks for; libpq's own if it asks for none."""
    mode = os.environ.get("PGSSLMODE", "prefer")
    return mode if mode in MODES else "prefer"


def is_encryption_demanded() -> bool:
    """Whether the stack wants no session without TLS."""
    return MODES.index(demanded()) >= MODES.index("require")


def refuse_weaker_url(variable: str, value: str) -> None:
    """Looks before anything is sent: libpq takes the URL's mode instead of the stack's.

    :raises Refusal: if that is the weaker one.
    """
    found = re.search(r"[?&]sslmode=([\w-]*)", value)
    if found and found[1] in MODES and MODES.index(found[1]) < MODES.index(demanded()):
        mend = f"take sslmode out of it, or set it to {demanded()}"
        raise Refusal(f"{variable} has sslmode={found[1]}, which is weaker than the stack's {demanded()}: {mend}.")


def refuse_plain_session(session: Connection) -> None:
    """Looks whether the server encrypts the session.

    :raises Refusal: if it does not though the stack asks for it.
    """
    if is_encryption_demanded() and not session.scalar(text(SESSION)):
        raise Refusal(f"the session with the database is not encrypted, though the stack asks for {demanded()}.")
