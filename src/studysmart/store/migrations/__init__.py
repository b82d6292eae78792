"""Bringing a database to the newest schema, whole or not at all.

The upgrade runs in one writing transaction: SQLite's DDL is transactional, so that a killed upgrade
leaves the old schema, and two processes starting at once take turns.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from studysmart.errors import RefusedToStart
from studysmart.store.database import Store, Tx


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def revisions(tx: Tx) -> tuple[str | None, str]:
    """(the database's schema, the newest there is)."""
    newest = str(ScriptDirectory.from_config(_config()).get_current_head())
    return MigrationContext.configure(tx).get_current_revision(), newest


def migrate(store: Store) -> str:
    """Upgrade to the newest schema; returns its revision. Does nothing when it is there already.

    Raises:
        RefusedToStart: the database was made by a newer version of this program.
    """
    config = _config()
    script = ScriptDirectory.from_config(config)
    head = str(script.get_current_head())
    with store.rebuild() as tx:
        found = MigrationContext.configure(tx).get_current_revision()
        if found == head:
            return head
        if found is not None and found not in {r.revision for r in script.walk_revisions()}:
            msg = (
                f"{store.name} has schema '{found}', which this version does not know (it knows up "
                f"to '{head}'). Start the newer version that made it, or another data folder."
            )
            raise RefusedToStart(msg)
        config.attributes["connection"] = tx
        command.upgrade(config, "head")
    return head
