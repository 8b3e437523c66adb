"""Labels

Revision ID: 0003
Revises: 0002
Create Date: 2026-01-19 09:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create ``labels``; a note may be pinned."""
    op.create_table(
        "labels",
        sa.Column("note_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("note_id", "name", name="pk_labels"),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name="fk_labels_note_id", ondelete="CASCADE"),
    )
    op.add_column("notes", sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Drop both again."""
    op.drop_column("notes", "pinned")
    op.drop_table("labels")
