"""Spans of a migration for OpenTelemetry: one for the run, and one for each attempt of a revision in it.

They are sent once, when the run ends or is interrupted, if the standard variables name an endpoint; see `runner_otlp`.
A span contains no SQL, no URL, and no message of an error, which could contain values of rows. A failure to send is one
line of the log. Names follow https://opentelemetry.io/docs/specs/semconv/database/.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from runner_chain import Revision
from runner_contract import CONTRACT
from runner_errors import RevisionFailed, sqlstate
from runner_otlp import InvalidSetting, Receiver, pairs, receiver, send, setting, variable
from runner_output import report

SERVICE = "pulumi-alembic"
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
"""The ID of the trace and of the parent, and flags (https://www.w3.org/TR/trace-context/#traceparent-header)."""
SAMPLED = 1
"""Flag of a parent whose trace is recorded."""
INTERNAL, CLIENT = 1, 3
"""Kinds of spans."""
OK, ERROR = 1, 2
"""Codes of a span's status."""


@dataclass
class Span:
    """A span that has begun. Times are in nanoseconds since 1970."""

    name: str
    kind: int
    parent: str
    attributes: dict[str, str | float]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    started: int = field(default_factory=time.time_ns)
    ended: int = 0
    # The type of the error with which it ended: a SQLSTATE, a signal, or the name of an exception.
    error: str | None = None

    def end(self, error: str | None) -> None:
        """End the span."""
        self.ended, self.error = time.time_ns(), error


class Spans:
    """The spans of this process's run. Without a receiver, nothing happens."""

    def __init__(self) -> None:
        self._receiver: Receiver | None = None
        self._resource: dict[str, str] = {}
        self._trace = ""
        self._run: Span | None = None
        self._revisions: list[Span] = []
        # How long others were blocked when the last revision began.
        self._blocked_before = 0.0
        self._error: str | None = None
        self._interruption: str | None = None
        self._ending = threading.Lock()

    def begin(self, database: str) -> None:
        """Begin the span of the run, if the environment names a receiver, and the caller's trace is sampled."""
        parent = TRACEPARENT.fullmatch(variable("TRACEPARENT"))
        try:
            to = receiver()
            if to is None or (parent and not int(parent[3], 16) & SAMPLED):
                return
            named = pairs("OTEL_RESOURCE_ATTRIBUTES", variable("OTEL_RESOURCE_ATTRIBUTES"))
        except InvalidSetting as error:
            report(f"OpenTelemetry spans are disabled: {error}")
            return
        if setting("PROTOCOL")[1] == "http/protobuf":
            report("Sending spans as http/json instead of http/protobuf")
        self._receiver = to
        self._resource = {**named, "service.name": variable("OTEL_SERVICE_NAME") or named.get("service.name", SERVICE)}
        self._trace, above = (parent[1], parent[2]) if parent else (secrets.token_hex(16), "")
        self._run = Span("alembic migrate", INTERNAL, above, {"db.system.name": "postgresql", "db.namespace": database})

    def start(self, direction: str, revision: Revision) -> None:
        """Begin the span of a revision."""
        if self._run is None:
            return
        self._blocked_before = CONTRACT.heartbeat.blocked_seconds
        attributes: dict[str, str | float] = {
            **self._run.attributes,
            "alembic.direction": direction,
            "alembic.revision.id": revision.id,
            "alembic.revision.title": revision.title,
        }
        self._revisions.append(Span(f"{direction} {revision.id}", CLIENT, self._run.id, attributes))

    def end(self, error: BaseException | None = None) -> None:
        """End the span of the running revision, if there is one."""
        self._end(None if error is None else self._interruption or type_of(error))

    def _end(self, error: str | None) -> None:
        if self._revisions and not self._revisions[-1].ended:
            blocked = CONTRACT.heartbeat.blocked_seconds - self._blocked_before
            self._revisions[-1].attributes["pulumi_alembic.blocked_seconds"] = round(blocked, 3)
            self._revisions[-1].end(error)

    def failed(self, error: BaseException) -> None:
        """Record why an attempt of the run failed, which may be the last one."""
        self._error = type_of(error)

    def interrupted(self, cause: str) -> None:
        """Record why the process is about to end, before it ends its sessions."""
        self._interruption = cause

    def send(self, is_failed: bool = False) -> None:
        """Send all spans, once, unless nothing was to do.

        :param is_failed: Whether the run failed.
        """
        with self._ending:
            to, self._receiver = self._receiver, None
        if to is None or self._run is None or not (self._revisions or is_failed):
            return
        error = (self._interruption or self._error or "_OTHER") if is_failed else None
        self._end(error)
        self._run.end(error)
        if cause := send(to, self._content([self._run, *self._revisions])):
            report(f"Can't send OpenTelemetry spans: {cause}")

    def _content(self, spans: list[Span]) -> object:
        encoded = [encode(span, self._trace) for span in spans]
        return {
            "resourceSpans": [
                {
                    "resource": {"attributes": attributes(self._resource)},
                    "scopeSpans": [{"scope": {"name": SERVICE}, "spans": encoded}],
                }
            ]
        }


def type_of(error: BaseException) -> str:
    """Return the SQLSTATE of an error, or the name of its class."""
    if isinstance(error, RevisionFailed):
        error = error.cause
    return sqlstate(error) or type(error).__name__


def encode(span: Span, trace: str) -> dict[str, Any]:
    """Return a span in OTLP's JSON, where 64-bit integers are text."""
    failure = {} if span.error is None else {"error.type": span.error}
    if span.error is not None and re.fullmatch(r"[0-9A-Z]{5}", span.error):
        failure["db.response.status_code"] = span.error
    return {
        "traceId": trace,
        "spanId": span.id,
        "parentSpanId": span.parent,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.started),
        "endTimeUnixNano": str(span.ended),
        "attributes": attributes({**span.attributes, **failure}),
        "status": {"code": OK} if span.error is None else {"code": ERROR, "message": span.error},
    }


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return attributes in OTLP's JSON: text or numbers."""
    return [
        {"key": key, "value": {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}}
        for key, value in values.items()
    ]


SPANS = Spans()
