"""The Plugins page and its static files.

The HTML contains no data: a script of the same origin fills its templates with text from the
JSON API. Nothing from the database is ever parsed as HTML, which the policy below enforces.
"""

from os import PathLike, stat_result
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

PAGE = Path(__file__).parent / "page"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Allows only files of this service: no inline scripts or styles, no frames, no text as HTML."""

HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of the page's files. Browsers revalidate them each time: a rollout changes files."""


class PageFiles(StaticFiles):
    """Static files with the page's headers."""

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, or 304 if the browser has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        return response


router = APIRouter(include_in_schema=False)
static = PageFiles(directory=PAGE / "static")


@router.get("/")
async def index() -> RedirectResponse:
    """Redirect to the Plugins page, by a relative path that works behind a proxy."""
    return RedirectResponse("plugins")


@router.get("/plugins")
async def plugins() -> FileResponse:
    """Return the page."""
    return FileResponse(PAGE / "plugins.html", headers=HEADERS)
