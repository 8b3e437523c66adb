"""Text for logs and errors: without passwords, and without characters and commands that a terminal or CI runs.

Used by the runner and by programs that are sent into a pod: Python 3.7, standard library only.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of characters that act instead of being shown: escape sequences, bidirectional overrides."""
SHOWN = {"\n", "\t", "\u200c", "\u200d"}
COMMANDS = re.compile(r"^([^\S\n]*):(?=:.*::)|#(?=#\w*\[)|<(?=\{%)", re.MULTILINE)
"""Starts of commands in CI logs (`::name::`, `##[name]`) and of colors in Pulumi's (`<{%name%}>`)."""

IN_URL = re.compile(r"(://[^\s:/@]*):(?!PASSWORD@)[^\s@]*@(?:[^\s@/\"',;]*@)*")
SAFE_LENGTH = 8
"""Passwords of this length are replaced anywhere, shorter ones not inside words."""


def printable(text: str) -> str:
    """Return the text with hidden characters and commands as visible escapes. Equal to `printable` in TypeScript."""
    shown = text
    if not text.isprintable():
        shown = "".join(_escape(char) if _is_hidden(char) else char for char in text)
    return COMMANDS.sub(lambda found: f"{found[1] or ''}{_escape(found[0][-1])}", shown)


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in HIDDEN and char not in SHOWN


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}"


def redact(text: str, urls: Iterable[str]) -> str:
    """Replace the passwords of the given URLs, however they are written, and those of other URLs in the text."""
    for password in sorted(_passwords(urls), key=len, reverse=True):
        text = _pattern(password).sub("[secret]", text)
    return IN_URL.sub(r"\1:[secret]@", text)


def _passwords(urls: Iterable[str]) -> set[str]:
    """Return the passwords of URLs, as written and decoded."""
    found: set[str] = set()
    for url in urls:
        # One that isn't percent-encoded ends at the first @ for SQLAlchemy, at the last one for others.
        for pattern in (r"://[^:/]*:([^@\s]+)@", r"://[^:/]*:(\S+)@", r"[?&](?:ssl)?password=([^&#\s]+)"):
            found.update(re.findall(pattern, url))
    return found | {unquote(password) for password in found}


def _pattern(password: str) -> re.Pattern[str]:
    """Return a pattern for a password in which any character may be percent-encoded or escaped."""
    # The longest form first, and each once: two ways to match a character would take exponential time.
    forms = (sorted(set(_forms(char)), key=len, reverse=True) for char in password)
    body = "".join(f"(?:{'|'.join(each)})" for each in forms)
    if len(password) >= SAFE_LENGTH:
        return re.compile(body)
    before = r"(?<!\w)" if re.match(r"\w", password) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", password) else ""
    return re.compile(before + body + after)


def _forms(char: str) -> list[str]:
    encoded = "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    forms = [re.escape(char), f"(?i:{encoded})", rf"(?i:\\u{ord(char):04x})", re.escape(json.dumps(char)[1:-1])]
    if not char.isalnum():
        forms.append(r"\\" + re.escape(char))
    if char == " ":
        forms.append(r"\+")
    if char == "'":
        forms.append("''")
    return forms
