"""Structured logs: one JSON object a line into the data folder, and readable lines to the screen.

    <data>/logs/web.jsonl      newest
    <data>/logs/web.1.jsonl    older, ...

Logs never stand in the way of the work: a line that cannot be written (the disk is full, the folder
is gone) is counted and left out, and nothing is waited for. Several processes may write the same
file at the same time, and rotate it.

What people typed, and what opens doors, stays out: see `_without_secrets` and `told`.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import select
import sys
import threading
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from studysmart.errors import ArtefactRejected, RefusedToStart, Unavailable
from studysmart.settings import Settings

FOLDER = "logs"
KEPT = 3  # older files beside the one that is written
# When the files cannot be rotated, the newest may grow so much beyond its share, and no further.
MOST_OVER = 2
LONGEST_TEXT, LONGEST_TRACEBACK = 2_000, 16_000
FIRST = ("at", "level", "role", "pid", "logger", "event")

LEFT_OUT = "[left out]"
SECRET_NAMES = re.compile(
    r"passw|passphrase|token|secret|cookie|authori[sz]ation|bearer|credential|api_?key"
    r"|database_url|^(answer|answers|body|draft|task_content|solution_content|answer_content)$",
    re.IGNORECASE,
)
SECRETS = re.compile(
    r"(?P<url>\w://[^\s:/@]*:)[^\s@]+(?=@)"  # postgresql://user:password@host
    r"|(?P<named>\b(?:password|passwd|bearer|token)[=: ]+)[^\s,;&\"']+",
    re.IGNORECASE,
)
# Anything that could end a line, move the cursor or colour what follows.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Of other errors the text may quote what somebody typed: of a faulty value, of a row that was
# refused. Their kind and place are told, not their words.
QUOTE_NOBODY = (
    ArtefactRejected, RefusedToStart, Unavailable, OSError, ImportError, MemoryError, RuntimeError,
    TypeError, AttributeError, NameError, IndexError, ArithmeticError, AssertionError,
)  # fmt: skip

Event = MutableMapping[str, Any]


def configure(settings: Settings, role: str) -> None:
    """Send this process's logs to `<data>/logs/<role>.jsonl` and to standard error.

    Also what ends a thread or the process unexpectedly.

    Args:
        settings: folder, level and size.
        role: what this process is: `web`, `worker`, ...
    """

    def signed(_logger: Any, _method: str, event: Event) -> Event:
        event.update(role=role, pid=os.getpid())
        rest = {name: value for name, value in event.items() if name not in FIRST}
        return {name: event[name] for name in FIRST if name in event} | rest

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    file = JsonLines(
        settings.data_dir / FOLDER / f"{role}.jsonl", most_bytes=settings.log_mb * 2**20
    )
    file.setFormatter(_formatter(shared, [signed, structlog.processors.JSONRenderer()]))
    screen = Screen()
    console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="at")
    screen.setFormatter(_formatter(shared, [_on_one_line, console]))
    logging.basicConfig(handlers=[file, screen], level=settings.log_level, force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    log = structlog.get_logger(role)

    def crashed(_kind: Any, error: BaseException | None, *_: Any) -> None:
        if isinstance(error, Exception):
            log.critical("crashed", exc_info=error)

    sys.excepthook = crashed
    threading.excepthook = lambda what: crashed(what.exc_type, what.exc_value)


class JsonLines(logging.Handler):
    """A file that any number of processes may append to and rotate at the same time.

    A line is one `write` to a file opened for appending, so that lines of several processes never
    mix. Whoever finds the file full moves the files on, under a lock that nobody waits for: those
    who do not get it write on where they are, and find the new file with their next line.

    Args:
        path: the newest file; older ones are `name.1.jsonl` and so on beside it.
        most_bytes: all of them together, about.
        kept: how many older ones.
    """

    def __init__(self, path: Path, *, most_bytes: int, kept: int = KEPT) -> None:
        super().__init__()
        self._path = path
        self._kept = kept
        self._file_bytes = most_bytes // (kept + 1)
        self._descriptor: int | None = None
        self._torn = False
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, or leave it out."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a value that cannot be shown must not stop the work
            self._lost += 1
            return
        try:
            if self._lost:
                self._write(self._of_losses(line))
                self._lost = 0
            self._write(line)
        except OSError:
            self._lost += 1

    def close(self) -> None:
        """Give the file back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        super().close()

    def _write(self, line: str) -> None:
        data = b"\n" * self._torn + line.encode("utf-8", "backslashreplace") + b"\n"
        descriptor = self._current(len(data))
        written = os.write(descriptor, data)
        # A disk that fills up may take half of a line; the next one then begins on its own.
        self._torn = written < len(data)
        if self._torn:
            raise OSError

    def _current(self, wanted: int) -> int:
        """The descriptor to write to, after rotation where it is due."""
        descriptor = self._opened()
        if os.fstat(descriptor).st_size + wanted > self._file_bytes:
            self._rotate(descriptor)
            descriptor = self._opened()
            if os.fstat(descriptor).st_size + wanted > MOST_OVER * self._file_bytes:
                raise OSError
        return descriptor

    def _opened(self) -> int:
        if self._descriptor is not None and not self._is_newest(self._descriptor):
            os.close(self._descriptor)
            self._descriptor = None
        if self._descriptor is None:
            for folder in (self._path.parent.parent, self._path.parent):  # nobody else's to read
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o600)
        return self._descriptor

    def _is_newest(self, descriptor: int) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(descriptor))

    def _rotate(self, full: int) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not self._is_newest(full):  # somebody else was quicker
                return
            for number in range(self._kept - 1, -1, -1):
                try:
                    self._older(number).replace(self._older(number + 1))
                except FileNotFoundError:
                    continue
        except BlockingIOError:
            return
        finally:
            os.close(folder)  # gives the lock back too

    def _older(self, number: int) -> Path:
        return self._path.with_suffix(f".{number}.jsonl") if number else self._path

    def _of_losses(self, like: str) -> str:
        """A line in place of those that could not be written."""
        told = {"at": json.loads(like)["at"], "level": "warning", "role": self._path.stem}
        told |= {"pid": os.getpid(), "event": "log_lines_lost", "lines": self._lost}
        return json.dumps(told)


class Screen(logging.Handler):
    """Standard error, as long as somebody takes what is written there.

    A stopped terminal, or a pipe that nobody reads, would otherwise stop the server too.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, or as much of it as is taken."""
        try:
            data = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
            ready = select.poll()
            ready.register(2, select.POLLOUT)
            # What is ready takes so many bytes without waiting.
            for start in range(0, len(data), select.PIPE_BUF):
                if not ready.poll(0):
                    return
                os.write(2, data[start : start + select.PIPE_BUF])
        except Exception:  # noqa: BLE001 - the screen is gone, or a value cannot be shown
            return


def printable(text: str) -> str:
    """Text that stays on its line and leaves the terminal alone."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def told(error: BaseException) -> str:
    """An error with its causes: kinds, places, and words where they quote nobody."""
    parts: list[str] = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        kind = type(at)
        name = kind.__qualname__ if kind.__module__ == "builtins" else (
            f"{kind.__module__}.{kind.__qualname__}"
        )  # fmt: skip
        words = f": {_clean(str(at))}" if isinstance(at, QUOTE_NOBODY) else ""
        places = "".join(traceback.format_tb(at.__traceback__))
        parts.insert(0, f"{places}{name}{printable(words)}")
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return "\n\nthen\n\n".join(parts)[-LONGEST_TRACEBACK:]


def _formatter(
    shared: list[structlog.typing.Processor], last: list[structlog.typing.Processor]
) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _with_error,
            _without_secrets,
            *last,
        ],
    )


def _with_error(_logger: Any, _method: str, event: Event) -> Event:
    """Put the error that is being logged into words."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = told(error)
    return event


def _without_secrets(_logger: Any, _method: str, event: Event) -> Event:
    """Leave out what opens doors and what people answered."""
    return {name: _safe(name, value) for name, value in event.items()}


def _safe(name: str, value: Any) -> Any:
    if SECRET_NAMES.search(name):
        return LEFT_OUT
    if isinstance(value, dict):
        return {str(key): _safe(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(name, inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if name in {"exception", "text"}:
        return SECRETS.sub(_masked, str(value))[-LONGEST_TRACEBACK:]
    return _clean(str(value))


def _clean(text: str) -> str:
    text = SECRETS.sub(_masked, text)
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def _masked(found: re.Match[str]) -> str:
    return f"{found['url'] or found['named']}{LEFT_OUT}"


def _on_one_line(_logger: Any, _method: str, event: Event) -> Event:
    """For the screen: nothing but an error's own text has more than a line."""

    def line(value: Any) -> Any:
        if isinstance(value, int | float | None):
            return value
        return printable(value if isinstance(value, str) else repr(value))

    return {
        name: "\n".join(printable(part) for part in value.split("\n"))
        if name == "exception"
        else line(value)
        for name, value in event.items()
    }
