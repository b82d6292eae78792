"""Defaults that a process may need before, or without, reading all settings."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path

TRAIN_EVERY = 5
DATABASE = "studysmart.sqlite3"
WORKER_SILENT_S = 10.0
# Set by a supervisor for its worker: its name, and that of the one before it, which the supervisor
# saw end.
WORKER_ID = "STUDYSMART_WORKER_ID"
WORKER_BEFORE = "STUDYSMART_WORKER_BEFORE"


def data_dir() -> Path:
    """The platform's folder for the data of this person's programs; absolute."""
    return user_data_path("studysmart")
