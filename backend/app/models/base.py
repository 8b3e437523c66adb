"""What every model shares: the declarative base, constraint names and column types."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, Identity, MetaData, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a predictable name, so that a later revision can alter it."""


class Base(DeclarativeBase):
    """The declarative base: text is ``TEXT``, times are ``timestamptz``, objects are JSONB."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
    }


BigId = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
"""A surrogate key that the database numbers."""

Now = Annotated[datetime, mapped_column(server_default=func.now())]
"""A point in time that defaults to the transaction's start."""

UpdatedAt = Annotated[datetime, mapped_column(server_default=func.now(), onupdate=func.now())]
"""The time of the last change made through the ORM."""

JsonObject = Annotated[dict[str, Any], mapped_column(server_default=text("'{}'::jsonb"))]
"""A JSON object, empty by default."""

Off = Annotated[bool, mapped_column(server_default=text("false"))]
"""A flag that is off by default."""

On = Annotated[bool, mapped_column(server_default=text("true"))]
"""A flag that is on by default."""
