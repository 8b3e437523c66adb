"""Servers on loopback that forward to PostgreSQL or imitate it."""

from __future__ import annotations

import select
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


def free_port() -> int:
    """Return an unused port of loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server(socketserver.ThreadingTCPServer):
    """A server with one thread per connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, handler: type[socketserver.BaseRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        """End the open connections."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serve(handler: type[socketserver.BaseRequestHandler], port: int = 0) -> Iterator[int]:
    """Serve connections and yield the port. In the end, cut those that are open."""
    with Server(port, handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            server.cut()


@contextmanager
def forward(port: int, target: tuple[str, int], idle_seconds: float | None = None) -> Iterator[int]:
    """Forward connections from a port to a server, and yield the port.

    :param idle_seconds: Time after which a connection without traffic is closed, as a load balancer does.
    """

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(target) as upstream, suppress(OSError):
                other = {self.request: upstream, upstream: self.request}
                while readable := select.select(list(other), [], [], idle_seconds)[0]:
                    for source in readable:
                        data = source.recv(65536)
                        if not data:
                            return
                        other[source].sendall(data)

    with serve(Forward, port) as listening:
        yield listening


def reject(message: str, sqlstate: str) -> type[socketserver.BaseRequestHandler]:
    """Return a handler that requests a password and then rejects the session with an error."""
    fields = "".join(f"{code}{value}\0" for code, value in [("S", "FATAL"), ("C", sqlstate), ("M", message)])
    error = fields.encode() + b"\0"

    class Reject(socketserver.BaseRequestHandler):
        def read(self, count: int) -> bytes:
            data = b""
            while len(data) < count and (more := self.request.recv(count - len(data))):
                data += more
            return data

        def handle(self) -> None:
            while True:
                length, code = struct.unpack("!II", self.read(8))
                self.read(length - 8)
                if code == 3 << 16:
                    break
                self.request.sendall(b"N")  # neither TLS nor GSSAPI
            self.request.sendall(b"R" + struct.pack("!II", 8, 3))  # AuthenticationCleartextPassword
            _, length = struct.unpack("!cI", self.read(5))
            self.read(length - 4)
            self.request.sendall(b"E" + struct.pack("!I", len(error) + 4) + error)

    return Reject
