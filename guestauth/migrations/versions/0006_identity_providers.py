"""Identity providers, whose addresses are theirs, and who signed in there.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None
DOMAIN = {
    'sqlite': "substr(mail_key, instr(mail_key, '@') + 1)",
    'postgresql': "split_part(mail_key, '@', 2)",
}


def upgrade():
    op.create_table('identity_providers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=True),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('issuer', sa.String(length=500), nullable=False),
    sa.Column('client_id', sa.String(length=255), nullable=False),
    sa.Column('sealed_secret', sa.Text(), nullable=False),
    sa.Column('directories', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_identity_providers_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_identity_providers'))
    )
    some = sa.text('tenant_id IS NULL')
    op.create_index('uq_identity_providers_of_tenant', 'identity_providers', ['tenant_id', 'kind', 'issuer'], unique=True)
    op.create_index('uq_identity_providers_of_all', 'identity_providers', ['kind'], unique=True, sqlite_where=some, postgresql_where=some)
    op.create_table('covered_names',
    sa.Column('provider_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=254), nullable=False),
    sa.ForeignKeyConstraint(['provider_id'], ['identity_providers.id'], name=op.f('fk_covered_names_provider_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('provider_id', 'name', name=op.f('pk_covered_names'))
    )
    op.create_index(op.f('ix_covered_names_name'), 'covered_names', ['name'], unique=False)
    op.add_column('users', sa.Column('domain', sa.String(length=253), nullable=True))
    op.execute(f"UPDATE users SET domain = {DOMAIN[op.get_bind().dialect.name]}")
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.alter_column('domain', existing_type=sa.String(length=253), nullable=False)
    op.add_column('users', sa.Column('identity_issuer', sa.String(length=500), nullable=True))
    op.add_column('users', sa.Column('identity_subject', sa.String(length=255), nullable=True))
    op.add_column('sessions', sa.Column('way', sa.String(length=20), server_default='passcode', nullable=False))
    op.add_column('sessions', sa.Column('identity_issuer', sa.String(length=500), nullable=True))
    op.add_column('sessions', sa.Column('identity_subject', sa.String(length=255), nullable=True))


def downgrade():
    for column in ('identity_subject', 'identity_issuer', 'way'):
        op.drop_column('sessions', column)
    for column in ('identity_subject', 'identity_issuer', 'domain'):
        op.drop_column('users', column)
    op.drop_table('covered_names')
    op.drop_table('identity_providers')
