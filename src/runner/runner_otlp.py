"""OTLP over HTTP: a receiver by the standard variables of OpenTelemetry, and one request to it, as JSON.

Only the standard library: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
https://opentelemetry.io/docs/specs/otlp/#otlphttp. Neither URLs nor headers are printed.
"""

from __future__ import annotations

import json
import os
import re
import threading
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

PREFIX = "OTEL_EXPORTER_OTLP_"
MAX_SECONDS = 5.0
"""Limit for sending, however long OTEL_EXPORTER_OTLP_TIMEOUT is: the pod is about to end."""


@dataclass(frozen=True)
class Receiver:
    """The address to which spans are sent."""

    url: str
    headers: dict[str, str]
    # Limit for the whole request.
    seconds: float


class InvalidSetting(Exception):
    """A variable that can't be used; its message has no secret."""


def variable(name: str) -> str:
    """Return the value of a variable. An empty one counts as unset."""
    return os.environ.get(name, "").strip()


def setting(name: str) -> tuple[str, str]:
    """Return the variable of a setting of the exporter, and its value. The one for traces only wins."""
    traces = f"{PREFIX}TRACES_{name}"
    found = traces if variable(traces) else PREFIX + name
    return found, variable(found)


def receiver() -> Receiver | None:
    """Return where to send spans; None without an endpoint, or if they are turned off.

    :raises InvalidSetting: If a variable can't be used.
    """
    traces, base = variable(f"{PREFIX}TRACES_ENDPOINT"), variable(f"{PREFIX}ENDPOINT")
    exporters = (variable("OTEL_TRACES_EXPORTER") or "otlp").replace(" ", "").split(",")
    is_off = variable("OTEL_SDK_DISABLED").lower() == "true" or "otlp" not in exporters
    if is_off or not (traces or base):
        return None
    url = traces or f"{base.rstrip('/')}/v1/traces"
    if not is_http(url):
        raise InvalidSetting(
            "invalid endpoint (value hidden): must be http://<host>:<port> or https://<host>:<port>, without a user"
        )
    name, protocol = setting("PROTOCOL")
    if protocol not in ("", "http/json", "http/protobuf"):
        raise InvalidSetting(
            f'invalid {name} "{protocol}": must be http/json or http/protobuf; its port is usually 4318'
        )
    name, timeout = setting("TIMEOUT")
    if not re.fullmatch("[0-9]{0,9}", timeout):
        raise InvalidSetting(f'invalid {name} "{timeout}": must be an integer in milliseconds')
    return Receiver(url, pairs(*setting("HEADERS")), min(int(timeout or 10_000) / 1000, MAX_SECONDS))


def is_http(url: str) -> bool:
    """Return whether a URL is of HTTP, without a user or a password."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def pairs(name: str, value: str) -> dict[str, str]:
    """Return the percent-encoded pairs of a variable: `key=value`, separated by commas.

    :raises InvalidSetting: If it has another form.
    """
    found = [pair.partition("=") for pair in value.split(",") if pair.strip()]
    if any(not key.strip() or not equals for key, equals, _ in found):
        raise InvalidSetting(f"invalid {name} (value hidden): must be <key>=<value> pairs, separated by commas")
    return {unquote(key.strip()): unquote(text.strip()) for key, _, text in found}


class NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: the headers may contain a credential."""

    def redirect_request(self, *_: Any) -> None:
        """Return no request, which makes the redirect an error."""


def send(receiver: Receiver, content: object) -> str | None:
    """Send one request, within the receiver's limit. Return why it failed, or None."""
    causes = [f"no response within {receiver.seconds:g}s"]

    def post() -> None:
        headers = {"User-Agent": "pulumi-alembic", **receiver.headers, "Content-Type": "application/json"}
        try:
            request = Request(receiver.url, json.dumps(content).encode(), headers)
            with build_opener(NoRedirect).open(request, timeout=receiver.seconds + 1):
                causes.clear()
        except Exception as error:
            causes[:] = [cause(error)]

    # A limit of the socket's would be one for each of its operations, and none for the resolution of the name.
    thread = threading.Thread(target=post, daemon=True)
    thread.start()
    thread.join(receiver.seconds)
    return next(iter(causes), None)


def cause(error: Exception) -> str:
    """Describe why a request failed, without its URL and its headers, which messages may contain."""
    if isinstance(error, HTTPError):
        return f"HTTP status {error.code}"
    reason = getattr(error, "reason", None)
    found = reason if isinstance(reason, Exception) else error
    return found.strerror if isinstance(found, OSError) and found.strerror else type(found).__name__
