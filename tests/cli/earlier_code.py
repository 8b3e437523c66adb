"""Run code of an earlier schema on later ones, in a session from before the change and in a new one.

Standard input: {"url": a libpq URI of a server, "setup": SQL, "query": the schema's query, "cases": [{"change": SQL,
"later": SQL of later code, or null}, ...]}. Standard output, as JSON: {"before": a schema, "cases": [{"after": a
schema, "error": why the earlier code failed, or null}, ...]}.
"""

from __future__ import annotations

import enum
import json
import random
import string
import sys
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    Numeric,
    Sequence,
    String,
    Text,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import NullPool


class Mood(enum.Enum):
    """What the earlier release knows."""

    good = "good"
    bad = "bad"


class Status(enum.Enum):
    """What the earlier release knows."""

    new = "new"
    old = "old"


class Base(DeclarativeBase):
    """Models of the earlier release."""


class Org(Base):
    """A table that others reference."""

    __tablename__ = "orgs"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)


class User(Base):
    """A table with columns of many kinds."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    email: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(40), server_default="nameless")
    bio: Mapped[str | None] = mapped_column(Text)
    age: Mapped[int | None] = mapped_column(Integer)
    score: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    mood: Mapped[Mood | None] = mapped_column(Enum(Mood, name="mood"))
    status: Mapped[Status] = mapped_column(Enum(Status, native_enum=False), server_default="new")
    rank: Mapped[int | None] = mapped_column(Integer)
    org_id: Mapped[int] = mapped_column(ForeignKey("orgs.id"))
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    org: Mapped[Org] = relationship()


class Event(Base):
    """A partitioned table."""

    __tablename__ = "events"
    at: Mapped[date] = mapped_column(Date, primary_key=True)
    what: Mapped[str | None] = mapped_column(Text)


REQUIRED = [User.email, User.name, User.status, User.org_id, User.created]
LONG = "".join(random.Random(1).choices(string.printable.strip(), k=20000))


def use(engine: Engine, tag: str) -> None:
    """Run the earlier code."""
    with Session(engine) as session:
        org = Org(title="one", note="first")
        session.add_all([org, Org(title="two")])
        session.flush()
        # With values for all columns, and with the required ones only.
        full = {"name": "n" * 40, "bio": LONG, "age": 30, "score": Decimal("12.34"), "mood": Mood.good, "rank": 3}
        session.add(User(email=f"{tag}-a@x", org=org, status=Status.old, **full))
        session.add_all([User(email=f"{tag}-b@x", org=org), User(email=f"{tag}-c@x", org=org, age=30, rank=3)])
        session.add(Event(at=date(2026, 1, 2), what=tag))
        session.flush()
        session.expire_all()
        for user in session.scalars(select(User).order_by(User.id)):
            values = user.__dict__
            missing = [column.key for column in REQUIRED if values[column.key] is None]
            assert not missing, f"NULL in {missing}"
            assert user.org is not None, "no organization"
        added = session.scalars(select(User).where(User.email == f"{tag}-b@x")).one()
        assert (added.name, added.status, added.org.title) == ("nameless", Status.new, "one"), "another default"
        added.name, added.bio, added.score, added.mood = "changed", LONG, Decimal("1.00"), Mood.bad
        session.flush()
        session.refresh(added)
        assert added.updated is not None and added.name == "changed", "updated is not set"
        upsert = insert(User).values(email=f"{tag}-a@x", org_id=org.id, age=31)
        session.execute(upsert.on_conflict_do_update(index_elements=[User.email], set_={"age": 31}))
        assert session.scalar(select(func.count()).select_from(User).where(User.email == f"{tag}-a@x")) == 1
        assert session.scalar(text("SELECT count(*) FROM members WHERE updated IS NULL")) is not None
        assert session.scalar(select(func.shout("a"))) == "A", "shout"
        session.scalar(Sequence("numbers"))
        session.execute(insert(Org).values(id=random.randrange(2**40), title="explicit"))
        session.execute(text("DELETE FROM events WHERE what = :tag"), {"tag": tag})
        session.expire_all()
        session.execute(text("DELETE FROM orgs WHERE id = :id"), {"id": org.id})
        assert not session.scalars(select(User).where(User.email == f"{tag}-b@x")).all(), "no cascade"
        session.commit()


def attempt(engine: Engine, tag: str) -> str | None:
    """Return why the earlier code fails."""
    try:
        use(engine, tag)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return None


def schema(url: str, query: str) -> Any:
    """Return the schema of a database."""
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path = pg_catalog, pg_temp")
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def main() -> None:
    """Run all cases, each in a database of its own."""
    request = json.load(sys.stdin)
    server = request["url"]

    def address(name: str) -> str:
        return f"{server.rsplit('/', 1)[0]}/{name}"

    results = []
    with psycopg.connect(server, autocommit=True) as control:
        control.execute("CREATE DATABASE earlier")
        with psycopg.connect(address("earlier")) as connection:
            connection.execute(request["setup"].encode())
        before = schema(address("earlier"), request["query"])
        for number, case in enumerate(request["cases"]):
            name = f"later_{number}"
            control.execute(f"CREATE DATABASE {name} TEMPLATE earlier".encode())
            url = address(name).replace("postgresql://", "postgresql+psycopg://")
            running = create_engine(url, connect_args={"prepare_threshold": 0})
            failed = attempt(running, "before")
            assert failed is None, failed
            with psycopg.connect(address(name), autocommit=True) as connection:
                connection.execute("INSERT INTO orgs (id, title) VALUES (1000, 'kept')")
                connection.execute("INSERT INTO users (email, org_id) VALUES ('kept@x', 1000)")
                for statement in filter(None, [case["change"], case["later"]]):
                    try:
                        connection.execute(statement.encode())
                    except psycopg.Error as error:
                        sys.exit(f"{statement}: {error}")
            error = attempt(running, "running") or attempt(create_engine(url, poolclass=NullPool), "started")
            results.append({"after": schema(address(name), request["query"]), "error": error})
            running.dispose()
            control.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    json.dump({"before": before, "cases": results}, sys.stdout)


main()
