"""Add timestamps to item

Revision ID: 9c0a54914c78
Revises: e2412789c190
Create Date: 2026-02-17 14:01:09.480731

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "9c0a54914c78"
down_revision = "e2412789c190"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "item", sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
    )
    op.add_column("item", sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True))


def downgrade():
    op.drop_column("item", "shipped_at")
    op.drop_column("item", "created_at")
