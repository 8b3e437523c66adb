"""Send a GET request to a port of the pod. Follows no redirects, and uses no proxy."""

import json
from http.client import HTTPConnection

from connection import INPUT
from limited import answer_within

LIMIT = 1024 * 1024
"""Bytes of the body that are read."""


def get(port, path, seconds):
    """Return the response."""
    connection = HTTPConnection("127.0.0.1", port, timeout=seconds + 1)  # answer_within ends it first
    connection.request("GET", path, headers={"Connection": "close"})
    response = connection.getresponse()
    body = response.read(LIMIT + 1)
    return {"status": response.status, "body": body[:LIMIT].decode("utf-8", "replace"), "isCut": len(body) > LIMIT}


given = json.loads(INPUT)
answer_within(given["seconds"], lambda: get(given["port"], given["path"], given["seconds"]))
