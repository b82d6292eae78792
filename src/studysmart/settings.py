"""Everything that can be set from outside, with its default and its meaning.

Each setting is an environment variable `STUDYSMART_<NAME>`; the command line's options win over it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from studysmart import defaults
from studysmart.errors import RefusedToStart


def _absolute(path: Path) -> Path:
    path = path.expanduser()
    if not path.is_absolute():
        # A relative folder would be another folder from another working directory: the models that
        # "disappeared" in the predecessor were in the folder where it had been started last time.
        msg = f"must be an absolute path, so that every start finds the same data; got {path}"
        raise ValueError(msg)
    return path


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _names(value: object) -> object:
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return value


class Settings(BaseSettings):
    """The settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="STUDYSMART_", extra="ignore", frozen=True)

    data_dir: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=defaults.data_dir,
        description="Folder of the database, the logs and the compile cache; absolute.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL database, postgresql://user:password@host/name; the SQLite file in "
        "the data folder when empty.",
    )
    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on. Anything but loopback needs an operator account first.",
    )
    port: int = Field(default=4008, ge=0, le=65535, description="Port to listen on; 0 picks one.")
    allowed_hosts: Annotated[list[str], NoDecode, BeforeValidator(_names)] = Field(
        default_factory=list,
        description="Host names that browsers may use besides loopback and the bound address, "
        "separated by commas; needed behind a reverse proxy.",
    )
    secure_cookies: bool = Field(
        default=False, description="Set where the page is reached over https: Secure cookies, HSTS."
    )
    train_every: int = Field(
        default=defaults.TRAIN_EVERY,
        ge=1,
        description="Completions, over all learners, that make a training due.",
    )
    train_seconds: float = Field(
        default=1800.0, gt=0, description="Longest a training may take before it is ended, seconds."
    )
    train_silent_s: float = Field(
        default=120.0,
        gt=0,
        description="A fitting process that says nothing for so many seconds hangs, and is ended.",
    )
    train_memory_mb: int = Field(
        default=2_000,
        gt=0,
        description="A fitting process that took more memory than so many MiB is replaced by a "
        "fresh one after its run.",
    )
    poll_s: float = Field(
        default=0.25,
        gt=0,
        le=60,
        description="How often the worker looks for due work and the web process for a new model.",
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = (
        Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    )
    log_mb: int = Field(
        default=20,
        ge=1,
        description="Most that the logs of one kind of process (web, worker, supervisor) may take, "
        "MiB; the oldest lines go first.",
    )

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data_dir / defaults.DATABASE

    @property
    def where(self) -> Path | str:
        """What `Store` takes: the SQLite file, or the URL of the PostgreSQL database."""
        url = self.database_url.get_secret_value() if self.database_url else ""
        return url or self.database

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these settings; has secrets in it."""
        found = {}
        for name, value in self:
            if value is None:
                continue
            shown = value.get_secret_value() if isinstance(value, SecretStr) else value
            found[f"STUDYSMART_{name.upper()}"] = (
                ",".join(shown) if isinstance(shown, list) else str(shown)
            )
        return found

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in {"127.0.0.1", "localhost", "::1"} or self.host.startswith("127.")


def load(**given: object) -> Settings:
    """Read the settings; options that were given win over the environment.

    Raises:
        RefusedToStart: a setting has an impossible value; the text names each and says why.
    """
    try:
        return Settings(**{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(
            f"STUDYSMART_{'_'.join(str(part) for part in e['loc']).upper()}: {e['msg']}"
            for e in error.errors()
        )
        msg = f"these settings cannot be used: {faults}"
        raise RefusedToStart(msg) from None
