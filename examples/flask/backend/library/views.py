"""The pages."""

from flask import Blueprint

from library import db
from library.models import Book

views = Blueprint("views", __name__)


@views.get("/healthz")
def healthz() -> dict[str, str]:
    """Return 200 while the process runs."""
    return {"status": "ok"}


@views.get("/books")
def books() -> list[dict[str, object]]:
    """Return all books."""
    found = db.session.scalars(db.select(Book).order_by(Book.title))
    return [{"title": book.title, "available": book.borrowed_by is None} for book in found]
