"""`studysmart logs`: what all processes wrote, in order of time."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from studysmart.errors import BadInput, NotFound
from studysmart.logs import FIRST, FOLDER, printable
from studysmart.settings import Settings

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LOOK_S = 0.25
NEWEST = 200  # lines, where nobody says since when
# How every line begins: quotes inside of values are escaped, so nothing else can look like it.
BEGINS = b'{"at": "'


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log; at: Unix seconds."""

    at: float
    event: dict[str, Any]

    def passes(self, *, level: int, since: float) -> bool:
        """Whether it is asked for."""
        known = LEVELS.get(str(self.event.get("level")), 100)
        return known >= level and self.at >= since


class Tail:
    """All log files of a folder, while others write and rotate them.

    Args:
        folder: the folder `logs` of a data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A file keeps its number while it is open, whatever it is called meanwhile.
        self._open: dict[tuple[int, int], tuple[BinaryIO, bytes]] = {}

    def look(self) -> list[Line]:
        """What was written since the last look, in order of time."""
        found: list[Line] = []
        present = self._find()
        for key, (file, begun) in list(self._open.items()):
            *whole, half = (begun + file.read()).split(b"\n")
            found += [line for text in whole if (line := _line(text)) is not None]
            self._open[key] = (file, half)
            if key not in present:
                file.close()
                del self._open[key]
        return sorted(found, key=lambda line: line.at)

    def close(self) -> None:
        """Give all files back."""
        for file, _ in self._open.values():
            file.close()
        self._open.clear()

    def _find(self) -> set[tuple[int, int]]:
        """Open what is new; returns all that is there."""
        present = set()
        # The newest first: one that is rotated meanwhile is then met twice, not missed.
        for path in sorted(self._folder.glob("*.jsonl"), key=lambda path: path.name.count(".")):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            found = os.fstat(file.fileno())
            key = (found.st_dev, found.st_ino)
            present.add(key)
            if key in self._open:
                file.close()
            else:
                self._open[key] = (file, b"")
        return present


def show(
    settings: Settings,
    *,
    level: str,
    since: str | None,
    follow: bool,
    as_json: bool,
    say: Callable[[str], None],
) -> None:
    """Tell the lines that are asked for; with `follow` until Ctrl+C.

    Args:
        settings: of the installation.
        level: the lowest, as in `LEVELS`.
        since: as `moment` reads it; None for the newest 200 lines.
        follow: go on with what is written from now on.
        as_json: as they are stored.
        say: is told each line.

    Raises:
        NotFound: nothing was logged yet.
        BadInput: the level or the time cannot be understood.
    """
    if level.lower() not in LEVELS:
        msg = f"'{level}' is no level; expected one of {', '.join(LEVELS)}"
        raise BadInput(msg)
    lowest = LEVELS[level.lower()]
    start = 0.0 if since is None else moment(since, now=time.time())
    folder = settings.data_dir / FOLDER
    if not folder.is_dir():
        msg = f"no logs in {folder} yet; studysmart serve writes them"
        raise NotFound(msg)
    tail = Tail(folder)
    try:
        found = [line for line in tail.look() if line.passes(level=lowest, since=start)]
        for line in found[-NEWEST if since is None else 0 :]:
            say(json.dumps(line.event) if as_json else to_text(line))
        while follow:
            time.sleep(LOOK_S)
            for line in tail.look():
                if line.passes(level=lowest, since=start):
                    say(json.dumps(line.event) if as_json else to_text(line))
    except KeyboardInterrupt:
        return
    finally:
        tail.close()


def moment(text: str, *, now: float) -> float:
    """Unix seconds of `90s`, `30m`, `1h`, `2d` ago, or of a time in ISO 8601 (UTC unless said).

    Raises:
        BadInput: it is neither.
    """
    ago = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if ago:
        return now - float(ago[1]) * UNITS[ago[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        msg = f"'{text}' is no time; expected e.g. 30m, 1h, 2d or 2026-11-24T08:00"
        raise BadInput(msg) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def to_text(line: Line) -> str:
    """For people: time, level, who, what, the rest; below it where an error came from."""
    event = dict(line.event)
    at = datetime.fromtimestamp(line.at, UTC).isoformat(sep=" ", timespec="milliseconds")[:-6]
    exception = event.pop("exception", None)
    head = [
        at,
        f"{event.get('level', '?'):<8}",
        f"{event.get('role', '?')}[{event.get('pid', '?')}]",
        str(event.get("event", "")),
    ]
    rest = [f"{name}={_value(value)}" for name, value in event.items() if name not in FIRST]
    text = printable(" ".join(head + rest))
    if exception is not None:
        text += "".join(f"\n    {printable(part)}" for part in str(exception).split("\n"))
    return text


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _line(text: bytes) -> Line | None:
    """One line; None for what is none, such as half of one that met a full disk."""
    for candidate in (text, text[max(0, text.rfind(BEGINS)) :]):
        try:
            event = json.loads(candidate)
            return Line(datetime.fromisoformat(event["at"]).timestamp(), event)
        except (ValueError, KeyError, TypeError):
            continue
    return None
