"""Authentication: users, their sessions, and their linked accounts."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigId, Now, On, UpdatedAt


class User(Base):
    """A user. Without a password hash, only a linked account can sign in."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('admin', 'operator', 'viewer')", name="role"),
        UniqueConstraint("username"),
        UniqueConstraint("email"),
    )

    id: Mapped[BigId]
    username: Mapped[str]
    email: Mapped[str]
    password_hash: Mapped[str | None]
    role: Mapped[str] = mapped_column(server_default=text("'viewer'"))
    active: Mapped[On]
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[Now]
    updated_at: Mapped[UpdatedAt]


class UserSession(Base):
    """A session of a user, with the hash of its token."""

    __tablename__ = "user_sessions"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "user_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str]
    expires_at: Mapped[datetime]
    created_at: Mapped[Now]


class OAuthAccount(Base):
    """An account of an OAuth provider, linked to a user."""

    __tablename__ = "oauth_accounts"
    __table_args__ = (
        UniqueConstraint("provider", "subject"),
        Index(None, "user_id"),
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    provider: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str | None]
    created_at: Mapped[Now]
