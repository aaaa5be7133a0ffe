"""What practices are, in Finnish and Swedish as well; null where nobody has said it, then it is told in English."""

import sqlalchemy as sa
from alembic import op

revision = "0005_from_0004"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = [
    f"{text}_{language}"
    for text in ("definition", "counting_rule", "criteria_pilot", "criteria_in_use", "contact")
    for language in ("fi", "sv")
]


def upgrade() -> None:
    """Add the texts; practices that were defined before have none of them."""
    for column in COLUMNS:
        op.add_column("practices", sa.Column(column, sa.String(), nullable=True))


def downgrade() -> None:
    """Drop the texts."""
    for column in reversed(COLUMNS):
        op.drop_column("practices", column)
