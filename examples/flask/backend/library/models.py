"""The models."""

from library import db


class Book(db.Model):
    """A book, which a reader may have borrowed."""

    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(200), nullable=False)
    borrowed_by = db.Column(db.String(120))
