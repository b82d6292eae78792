"""What the verbs share: opening the database of an installation, and how things are written.

Light enough for `status`: what takes long to import is imported where it is needed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studysmart.errors import NotFound

if TYPE_CHECKING:
    from rich.console import Console

    from studysmart.settings import Settings
    from studysmart.store import Store

ACTOR = "command line"
WIDE = 140  # of tables that nobody looks at on a terminal


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The database of an installation, migrated.

    Raises:
        NotFound: there is none yet.
    """
    from studysmart.store import Store
    from studysmart.store.migrations import migrate

    if isinstance(settings.where, Path) and not settings.where.exists():
        msg = f"no database in {settings.data_dir} yet; studysmart serve makes one"
        raise NotFound(msg)
    store = Store(settings.where)
    try:
        migrate(store)
        yield store
    finally:
        store.close()


def to_json(found: Any) -> str:
    """For programs; times in ISO 8601."""
    return json.dumps(_dated(found), indent=2)


def console() -> Console:
    """Where tables are printed."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False)


def number(value: Any) -> str:
    """Three decimals, or a dash where there is none."""
    return f"{value:.3f}" if isinstance(value, int | float) else "–"


def when(at: float) -> str:
    """Unix seconds in ISO 8601."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _dated(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: when(v) if k.endswith("_at") and isinstance(v, float) else _dated(v)
            for k, v in value.items()
        }
    return [_dated(one) for one in value] if isinstance(value, list) else value
