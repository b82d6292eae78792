"""What Alembic runs: the migrations, inside the transaction that `migrate` opened."""

from alembic import context

from studysmart.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction is the one
)
context.run_migrations()
