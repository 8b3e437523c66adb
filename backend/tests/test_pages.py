"""The Plugins page: its paths, files, and headers."""

import re
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from app.pages import HEADERS, PAGE

FILES = sorted(path.name for path in (PAGE / "static").iterdir())


class References(HTMLParser):
    """Collects the files that a page loads, and inline code that the policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add the references of a tag."""
        given = dict(attrs)
        self.loaded |= {given[name] or "" for name in ("src", "href") if name in given}
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


def test_root_redirects_to_the_page_behind_any_prefix(client: TestClient) -> None:
    response = client.get("/", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (307, "plugins")
    assert client.get("/").url.path == "/plugins"


def test_page_loads_only_its_own_files(client: TestClient) -> None:
    response = client.get("/plugins")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    references = References()
    references.feed(response.text)
    assert references.inline == []
    assert references.loaded == {
        "static/icon.svg",
        "static/plugins.css",
        "static/plugins.js",
        "api/plugins",
    }
    assert {client.get(f"/{path}").status_code for path in references.loaded} == {200}


@pytest.mark.parametrize("path", ["plugins", *(f"static/{name}" for name in FILES)])
def test_file_has_the_headers_and_no_url_of_another_host(client: TestClient, path: str) -> None:
    response = client.get(f"/{path}")
    assert response.status_code == 200
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert set(re.findall(r"https?://[\w.]+", response.text)) <= {"http://www.w3.org"}


def test_policy_allows_no_inline_code() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_cached_file_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/static/plugins.js").headers["etag"]
    again = client.get("/static/plugins.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["../plugins.html", "..%2f..%2fmain.py", "%2e%2e/plugins.html"])
def test_file_outside_the_folder_is_not_served(client: TestClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


def test_pages_are_not_part_of_the_api(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert all(path.startswith(("/api/", "/health")) for path in paths)
