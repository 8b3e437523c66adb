"""A receiver of OTLP over HTTP on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What a receiver got."""

    url: str = ""
    # The path, the headers, and the text of each request.
    requests: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def spans(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the resource's attributes and the spans of the only request."""
        ((_, _, text),) = self.requests
        (resource,) = json.loads(text)["resourceSpans"]
        (scope,) = resource["scopeSpans"]
        assert scope["scope"] == {"name": "pulumi-alembic"}
        return values(resource["resource"]["attributes"]), [
            {**span, "attributes": values(span["attributes"])} for span in scope["spans"]
        ]


def values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the attributes of OTLP's JSON by their names."""
    return {each["key"]: next(iter(each["value"].values())) for each in attributes}


@contextmanager
def receiver(status: int = 200, hang: bool = False, location: str = "") -> Iterator[Receiver]:
    """Receive requests, and answer all with a status, or none.

    :param location: URL of a redirect.
    """
    received, stopped = Receiver(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}, text))
            if hang:
                stopped.wait()
            self.send_response(status)
            self.send_header("Location", location)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield received
        finally:
            stopped.set()
            server.shutdown()
