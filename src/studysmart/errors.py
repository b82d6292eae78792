"""Every error this project raises on purpose.

StudySmartError
├── BadInput               something from outside was not what was expected
│   └── ArtefactRejected   model bytes that must not be served
├── NotFound               no such thing, or not yours: the two are told apart by nobody
├── Conflict               the same id with another content, or a state that forbids the act
├── NotSignedIn            nobody is known to be asking
├── NotAllowed             somebody is, but may not
├── TooMany                slow down; says for how long
├── Unavailable            try again in a moment (database busy or full)
└── RefusedToStart         the process must not run like this; says what to change

The web edge alone turns them into status codes (`web.app`), the command line into exit codes.
"""


class StudySmartError(Exception):
    """Base of everything raised on purpose; its text is shown to the person who asked.

    Args:
        message: what was wrong, what was expected, what to do.
        code: a stable word for programs.
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code


class BadInput(StudySmartError):
    """Something from outside was not what was expected."""

    code = "bad_input"


class ArtefactRejected(BadInput):
    """Model bytes that must not be served."""

    code = "artefact_rejected"


class NotFound(StudySmartError):
    """No such thing, or not yours."""

    code = "not_found"


class Conflict(StudySmartError):
    """The same id with another content, or a state that forbids the act."""

    code = "conflict"


class NotSignedIn(StudySmartError):
    """Nobody is known to be asking."""

    code = "not_signed_in"


class NotAllowed(StudySmartError):
    """Somebody is asking, but may not."""

    code = "not_allowed"


class TooMany(StudySmartError):
    """Slow down.

    Args:
        message: why.
        retry_after_s: whole seconds until it is worth trying again.
    """

    code = "too_many"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(StudySmartError):
    """Try again in a moment: the database is busy, full or away."""

    code = "unavailable"


class RefusedToStart(StudySmartError):
    """The process must not run like this."""

    code = "refused_to_start"
