"""A tenant's logo and colour.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('logos',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('media_type', sa.String(length=20), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_logos_tenant_id')),
    sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_logos'))
    )
    op.add_column('tenants', sa.Column('accent', sa.String(length=7), nullable=True))
    op.add_column('tenants', sa.Column('logo', sa.String(length=16), nullable=True))
    op.add_column('tenants', sa.Column('logo_width', sa.Integer(), nullable=True))
    op.add_column('tenants', sa.Column('logo_height', sa.Integer(), nullable=True))


def downgrade():
    for column in ('logo_height', 'logo_width', 'logo', 'accent'):
        op.drop_column('tenants', column)
    op.drop_table('logos')
