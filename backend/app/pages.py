"""The pages for people: ``/plugins`` and the files that it loads. Their data is the JSON API's.

The HTML holds no data: a script of the same origin fills its templates, as text only. So
nothing of the database is ever parsed as HTML, which the policy below enforces too.
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
"""Only files of this service, no inline script or style, no frame, no text made into HTML."""

HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with every file of the page. A browser asks for it anew each time: a rollout changes it."""


class PageFiles(StaticFiles):
    """The files that the page loads, with the page's headers."""

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, or 304 where the browser has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        return response


router = APIRouter(include_in_schema=False)
static = PageFiles(directory=PAGE / "static")


@router.get("/")
async def index() -> RedirectResponse:
    """Lead to the plugins, relative to where a proxy may have put the service."""
    return RedirectResponse("plugins")


@router.get("/plugins")
async def plugins() -> FileResponse:
    """Return the page."""
    return FileResponse(PAGE / "plugins.html", headers=HEADERS)
