"""The web process: `python -m studysmart.web`, started by the supervisor with its socket."""

from __future__ import annotations

import os
import socket
from types import FrameType

import uvicorn

from studysmart import lifeline, logs, settings
from studysmart.store import Store
from studysmart.web.app import create_app

SOCKET_VARIABLE = "STUDYSMART_SOCKET_FD"


def main() -> None:
    """Serve until told to stop, or until the supervisor is gone."""
    lifeline.hold()
    chosen = settings.load()
    logs.configure(chosen, "web")
    listening = socket.socket(fileno=int(os.environ.pop(SOCKET_VARIABLE)))
    app = create_app(Store(chosen.where), chosen)

    class Server(uvicorn.Server):
        """Ends the event streams at once: a page that watches must not hold up the end."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.live.stopping.set()
            super().handle_exit(sig, frame)

    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
            timeout_keep_alive=30,
            limit_concurrency=1_000,
        )
    )
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
