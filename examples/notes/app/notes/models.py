"""The models, which match the head of the chain."""

from sqlalchemy import BigInteger, ForeignKey, Identity, Text, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The declarative base."""


class Notebook(Base):
    """A collection of notes."""

    __tablename__ = "notebooks"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    title: Mapped[str] = mapped_column(Text)


class Note(Base):
    """A text in a notebook."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    notebook_id: Mapped[int] = mapped_column(
        ForeignKey("notebooks.id", name="fk_notes_notebook_id", ondelete="CASCADE"), index=True
    )
    body: Mapped[str] = mapped_column(Text)
    pinned: Mapped[bool] = mapped_column(server_default=false())


class Label(Base):
    """A label of a note."""

    __tablename__ = "labels"
    note_id: Mapped[int] = mapped_column(
        ForeignKey("notes.id", name="fk_labels_note_id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(Text, primary_key=True)
