"""The command line.

Each verb imports what it needs when it is called, so that `status` stays quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from studysmart import __version__
from studysmart.errors import BadInput, StudySmartError

app = typer.Typer(
    name="studysmart",
    help="An adaptive-practice server that forecasts every next task.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
import_app = typer.Typer(help="Bring data in.", no_args_is_help=True)
accounts_app = typer.Typer(help="Manage accounts.", no_args_is_help=True)
app.add_typer(import_app, name="import")
app.add_typer(accounts_app, name="accounts")

BY_LEARNER = "Forecast learners who were not fitted; the default where folds are given."
BY_TIME = "Fit the oldest 80 % of the answers, forecast the newest 20 %."
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder of the database; the platform's data folder by default.",
        envvar="STUDYSMART_DATA_DIR",
    ),
]


def main() -> None:
    """Entry point: errors raised on purpose become one line and exit code 1."""
    try:
        app()
    except StudySmartError as error:
        print(f"studysmart: {error}", file=sys.stderr)  # noqa: T201 - the command line's own voice
        sys.exit(1)


@app.command()
def serve(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks one.")] = None,
) -> None:
    """Serve the page and the API, and train in the background."""
    from studysmart.cli import supervisor

    supervisor.serve(
        _settings(data_dir, host=host, port=port),
        announce=lambda address: typer.echo(f"StudySmart is at {address} (Ctrl+C ends it)"),
    )


@app.command()
def worker(data_dir: DataDir = None) -> None:
    """Train in the background, without a page: one more worker, on this machine or another.

    `serve` has one of its own. Several share a PostgreSQL database (STUDYSMART_DATABASE_URL).
    """
    from studysmart.cli import supervisor

    supervisor.work(
        _settings(data_dir),
        announce=lambda where: typer.echo(f"working on {where} (Ctrl+C ends it)"),
    )


@app.command()
def status(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002
) -> None:
    """The training counter, the live model, the worker, the database.

    Exit code 3: no worker beats.
    """
    from studysmart.cli import overview

    found = overview.read(data_dir)
    typer.echo(overview.to_json(found) if as_json else overview.to_text(found))
    if not found["worker"]["alive"]:
        raise typer.Exit(3)


@import_app.command("responses")
def import_responses(
    file: Annotated[Path, typer.Argument(help="CSV, or CSV packed with gzip.")],
    data_dir: DataDir = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the set; importing under the same name again adds what is new."),
    ] = None,
) -> None:
    """Read a log of answers: learner, item, skill, correct, response_time_s, timestamp."""
    from studysmart.cli import imports

    imports.responses(_settings(data_dir), file, name=name)


@accounts_app.command("add")
def add_account(
    email: str,
    data_dir: DataDir = None,
    name: Annotated[str | None, typer.Option(help="What to call the person.")] = None,
    operator: Annotated[bool, typer.Option("--operator", help="May manage.")] = False,  # noqa: FBT002
) -> None:
    """Make an account; asks for its password. The first account is always an operator."""
    from studysmart.cli import people

    password = typer.prompt("Password", hide_input=True, confirmation_prompt=sys.stdin.isatty())
    caller = people.add(
        _settings(data_dir),
        email=email,
        name=name or email.split("@", maxsplit=1)[0],
        password=password,
        operator=operator,
    )
    typer.echo(
        f"{caller.email} is now {'an operator' if caller.role == 'operator' else 'a learner'}"
    )


@app.command("evaluate")
def evaluate_models(
    file: Annotated[list[Path], typer.Argument(help="CSV files, or packed with gzip.")],
    model: Annotated[
        str, typer.Option(help="Models, with commas: prior, lnirt, sequence, attention.")
    ] = "prior,lnirt,sequence",
    test_fold: Annotated[
        str | None, typer.Option(help="The fold of learners that is forecast; else the first.")
    ] = None,
    all_folds: Annotated[bool, typer.Option("--all-folds", help="Every fold in its turn.")] = False,  # noqa: FBT002
    by_learner: Annotated[bool, typer.Option("--by-learner", help=BY_LEARNER)] = False,  # noqa: FBT002
    by_time: Annotated[bool, typer.Option("--by-time", help=BY_TIME)] = False,  # noqa: FBT002
    mask: Annotated[
        Path | None, typer.Option(help="CSV of hidden cells (learner, item); judges these instead.")
    ] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write all figures here.")] = None,
    as_html: Annotated[Path | None, typer.Option("--html", help="Write a page here.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Judge models on logs of answers: accuracy, calibration, times, cost. Stores nothing.

    Exit code 3: a model could not be judged, or saw what it must not.
    """
    from studysmart.cli import evaluate

    if by_learner and by_time:
        msg = "--by-learner and --by-time exclude each other"
        raise BadInput(msg)
    found = evaluate.files(
        file,
        model,
        by="learner" if by_learner else "time" if by_time else None,
        test_fold=test_fold,
        all_folds=all_folds,
        mask=mask,
        seed=seed,
    )
    typer.echo(evaluate.to_markdown(found))
    evaluate.write(found, as_json=as_json, as_html=as_html)
    if not evaluate.sound(found):
        raise typer.Exit(3)


@app.command()
def version() -> None:
    """The version of this program."""
    typer.echo(__version__)


def _settings(data_dir: Path | None, **given: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from studysmart import settings

    # What a person types is relative to where they type it; what is stored never is.
    return settings.load(data_dir=data_dir.expanduser().resolve() if data_dir else None, **given)
