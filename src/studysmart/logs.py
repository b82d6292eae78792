"""Structured logs: one JSON line an event to a rotating file, and readable ones to the screen."""

from __future__ import annotations

import logging
import logging.handlers
import sys

import structlog

from studysmart.settings import Settings


def configure(settings: Settings, name: str) -> None:
    """Send this process's logs to `<data>/logs/<name>.log` and to standard error."""
    folder = settings.data_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(
        folder / f"{name}.log", maxBytes=5 * 2**20, backupCount=3, encoding="utf-8"
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    file.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(),
                    # The other one prints local variables: slow, and they hold what people typed.
                    exception_formatter=structlog.dev.plain_traceback,
                ),
            ],
        )
    )
    logging.basicConfig(handlers=[file, screen], level=settings.log_level.upper(), force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
