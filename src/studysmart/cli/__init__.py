"""The command line.

Each verb imports what it needs when it is called, so that `status` stays quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

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
models_app = typer.Typer(
    help="Which model serves: look, compare, promote, go back, pin, carry elsewhere.",
    no_args_is_help=True,
)
app.add_typer(import_app, name="import")
app.add_typer(accounts_app, name="accounts")
training_app = typer.Typer(help="Train now, cancel, pause, resume.", no_args_is_help=True)
experiments_app = typer.Typer(
    help="Which of two or more models forecasts better for the people here.", no_args_is_help=True
)
app.add_typer(training_app, name="training")
app.add_typer(models_app, name="models")
app.add_typer(experiments_app, name="experiments")
configurations_app = typer.Typer(
    help="Other settings of the networks, for trainings to try.", no_args_is_help=True
)
app.add_typer(configurations_app, name="configurations")

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
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the audit.")]
ExperimentName = Annotated[str, typer.Argument(help="Name of an experiment.")]
Version = Annotated[int, typer.Argument(help="Number of a version, as `models list` tells it.")]


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

    Exit code 3: no worker beats. 4: the last training failed.
    """
    from studysmart.cli import common, overview

    found = overview.read(data_dir)
    typer.echo(common.to_json(found) if as_json else overview.to_text(found))
    if not found["worker"]["alive"]:
        raise typer.Exit(3)
    if (found["last_result"] or {}).get("outcome") == "failed":
        raise typer.Exit(4)


@app.command("doctor")
def examine(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002
) -> None:
    """Whether this installation can be relied on: each criterion, pass or fail, and what to do.

    Exit code 5: something fails.
    """
    import json

    from studysmart.cli import doctor

    found = doctor.examine(_settings(data_dir))
    shown = json.dumps(doctor.to_json(found), indent=2)
    typer.echo(shown if as_json else doctor.to_text(found))
    if any(finding.ok is False for finding in found):
        raise typer.Exit(5)


@app.command("quality")
def forecast_quality(
    data_dir: DataDir = None,
    days: Annotated[float, typer.Option(min=0.01, help="How far back.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002
) -> None:
    """The forecasts that were served, against what happened.

    Exit code 4: there is a warning.
    """
    import json

    from studysmart.cli import quality

    found = quality.read(_settings(data_dir), days=days)
    typer.echo(json.dumps(found, indent=2) if as_json else quality.to_text(found))
    if found["warnings"]:
        raise typer.Exit(4)


@app.command("monitor")
def watch(
    data_dir: DataDir = None,
    once: Annotated[bool, typer.Option("--once", help="One look, then end.")] = False,  # noqa: FBT002
) -> None:
    """Watch training as it happens: the twin of the page's training screen. Ctrl+C ends it."""
    from studysmart.cli import monitor

    monitor.watch(_settings(data_dir), once=once)


@app.command("logs")
def show_logs(
    data_dir: DataDir = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl+C.")] = False,  # noqa: FBT002
    level: Annotated[
        str, typer.Option(help="The lowest: debug, info, warning, error, critical.")
    ] = "info",
    since: Annotated[
        str | None, typer.Option(help="30m, 1h, 2d ago, or a time; else the newest 200 lines.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """What the web process, the worker and their supervisor wrote, in order of time (UTC)."""
    from studysmart.cli import logs

    logs.show(
        _settings(data_dir),
        level=level,
        since=since,
        follow=follow,
        as_json=as_json,
        say=typer.echo,
    )


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


@training_app.command("runs")
def list_runs(
    data_dir: DataDir = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="So many at most.")] = 20,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """The last trainings, newest first: what set them off, how they ended, and why."""
    from studysmart.cli import common, training

    found = training.runs(_settings(data_dir), limit=limit)
    if as_json:
        typer.echo(common.to_json(found))
    else:
        training.print_runs(found)


@training_app.command("run")
def run_training(reason: Reason, data_dir: DataDir = None) -> None:
    """Train now, paused or not; a worker begins within a second."""
    found = _change_training("ask", reason, data_dir)
    alive = found["worker_alive"]
    typer.echo(f"asked for{'' if alive else '; but no worker beats, so it waits for one'}")


@training_app.command("cancel")
def cancel_training(reason: Reason, data_dir: DataDir = None) -> None:
    """End the run under way; its answers go into the next one."""
    _change_training("cancel", reason, data_dir)
    typer.echo("its worker ends it within a second or two")


@training_app.command("pause")
def pause_training(reason: Reason, data_dir: DataDir = None) -> None:
    """Begin no training by itself; answers are taken and forecasts made as before."""
    _change_training("pause", reason, data_dir)
    typer.echo("paused; studysmart training resume goes on")


@training_app.command("resume")
def resume_training(reason: Reason, data_dir: DataDir = None) -> None:
    """Train by itself again."""
    found = _change_training("resume", reason, data_dir)
    done, every = found["completed_since_training"], found["threshold"]
    typer.echo(f"resumed; {done} of {every} answers until the next training")


def _change_training(what: str, reason: str, data_dir: Path | None) -> dict[str, Any]:
    from studysmart.cli import training

    return training.change(_settings(data_dir), what, reason=reason)


@models_app.command("list")
def list_models(data_dir: DataDir = None, as_json: Json = False) -> None:  # noqa: FBT002
    """All versions, newest first: status, scores when they were judged, whether they are sound.

    Exit code 3: the live version is damaged, and an older one or the prior serves.
    """
    from studysmart.cli import common, models

    found = models.listed(_settings(data_dir))
    if as_json:
        typer.echo(common.to_json(found))
    else:
        models.print_list(found)
    if any(one["status"] == "live" and one["fault"] for one in found):
        raise typer.Exit(3)


@models_app.command("show")
def show_model(version: Version, data_dir: DataDir = None, as_json: Json = False) -> None:  # noqa: FBT002
    """One version with all that is known of it.

    Exit code 3: it is damaged.
    """
    from studysmart.cli import common, models

    found = models.shown(_settings(data_dir), version)
    if as_json:
        typer.echo(common.to_json(found))
    else:
        models.print_one(found)
    if found["fault"]:
        raise typer.Exit(3)


@models_app.command("compare")
def compare_models(
    a: Version,
    b: Version,
    data_dir: DataDir = None,
    answers: Annotated[int, typer.Option(min=1, help="Compare on so many at most.")] = 2_000,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Judge two versions, and the prior, on the same newest answers. Stores nothing."""
    from studysmart.cli import common, models

    found = models.compared(_settings(data_dir), a, b, answers=answers)
    if as_json:
        typer.echo(common.to_json(found))
    else:
        models.print_comparison(found)


@models_app.command("promote")
def promote_model(
    version: Version,
    reason: Reason,
    data_dir: DataDir = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Make a version live, a challenger too; running servers take it within a second."""
    _change_model("promote", version, reason, data_dir, as_json=as_json)


@models_app.command("rollback")
def roll_back_model(reason: Reason, data_dir: DataDir = None, as_json: Json = False) -> None:  # noqa: FBT002
    """Go back to the version that was live before, past damaged ones; again goes back further."""
    _change_model("rollback", None, reason, data_dir, as_json=as_json)


@models_app.command("pin")
def pin_model(
    version: Version,
    reason: Reason,
    data_dir: DataDir = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Let a version serve whatever training brings; makes it live when it is not."""
    _change_model("pin", version, reason, data_dir, as_json=as_json)


@models_app.command("unpin")
def unpin_model(reason: Reason, data_dir: DataDir = None, as_json: Json = False) -> None:  # noqa: FBT002
    """Let the next better model go live by itself again."""
    _change_model("unpin", None, reason, data_dir, as_json=as_json)


@models_app.command("export")
def export_model(
    version: Version,
    file: Annotated[Path, typer.Argument(help="A file that is not there yet.")],
    data_dir: DataDir = None,
) -> None:
    """Write a version's bytes to a file, exactly as they are stored."""
    from studysmart.cli import models

    size = models.export(_settings(data_dir), version, file)
    typer.echo(f"version {version}: {size} bytes in {file}")


@models_app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(help="What `models export` wrote.")],
    reason: Reason,
    data_dir: DataDir = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Take a model in as a challenger, after all of it was verified; it is not live by itself."""
    from studysmart.cli import common, models

    found = models.take_in(_settings(data_dir), file, reason=reason)
    known = "a new challenger" if found["new"] else "known already"
    typer.echo(common.to_json(found) if as_json else f"version {found['version']}: {known}")


def _change_model(
    what: str, version: int | None, reason: str, data_dir: Path | None, *, as_json: bool
) -> None:
    from studysmart.cli import common, models

    found = models.change(_settings(data_dir), what, version, reason=reason)
    pinned = found["pinned_version"]
    told = f"version {found['live_version']} is live"
    told += ", and pinned" if pinned is not None else ", and nothing is pinned"
    typer.echo(common.to_json(found) if as_json else told)


@experiments_app.command("list")
def list_experiments(data_dir: DataDir = None, as_json: Json = False) -> None:  # noqa: FBT002
    """All experiments, newest first."""
    from studysmart.cli import common, experiments

    found = experiments.listed(_settings(data_dir))
    if as_json:
        typer.echo(common.to_json(found))
    else:
        experiments.print_list(found)


@experiments_app.command("start")
def start_experiment(
    name: ExperimentName,
    arm: Annotated[list[str], typer.Option(
        help="KIND or KIND@VERSION, two to four times; the first is the control. Without a version "
        "it is the live one, whichever that is.")],
    reason: Reason,
    data_dir: DataDir = None,
    metric: Annotated[str, typer.Option(
        help="What decides: joint, log_loss or time_loss.")] = "joint",
    alpha: Annotated[float, typer.Option(
        help="How often a difference may be seen where there is none.")] = 0.05,
    at_least: Annotated[int, typer.Option(help="Answers before anything is decided.")] = 200,
    at_most: Annotated[int, typer.Option(help="Answers after which it ends.")] = 20_000,
    days: Annotated[float, typer.Option(help="Days after which it ends.")] = 90.0,
    margin: Annotated[float, typer.Option(
        help="A difference of the loss that would not matter.")] = 0.005,
    as_json: Json = False,  # noqa: FBT002
) -> None:  # fmt: skip
    """Let arms forecast for some learners each, and all of them beside it; ends by its own rule."""
    from studysmart.cli import common, experiments

    plan = {"alpha": alpha, "at_least": at_least, "at_most": at_most, "days": days,
            "margin": margin}  # fmt: skip
    found = experiments.started(
        _settings(data_dir), name, arms=arm, metric=metric, plan=plan, reason=reason
    )
    typer.echo(common.to_json(found) if as_json else f"'{name}' is under way")


@experiments_app.command("show")
def show_experiment(
    name: ExperimentName,
    data_dir: DataDir = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """What an experiment found, so far or in the end."""
    from studysmart.cli import common, experiments

    found = experiments.shown(_settings(data_dir), name)
    if as_json:
        typer.echo(common.to_json(found))
    else:
        experiments.print_one(found)


@experiments_app.command("stop")
def stop_experiment(
    name: ExperimentName,
    reason: Reason,
    data_dir: DataDir = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End an experiment before its rule does; what was found so far is its result."""
    from studysmart.cli import common, experiments

    found = experiments.stopped(_settings(data_dir), name, reason=reason)
    typer.echo(common.to_json(found) if as_json else found["sentence"])


@app.command("tune")
def search_settings(
    data_dir: DataDir = None,
    budget: Annotated[str | None, typer.Option(
        help="Start a search that ends after so long, e.g. 10m or 2h.")] = None,
    kind: Annotated[str, typer.Option(help="sequence or attention.")] = "sequence",
    trials: Annotated[int, typer.Option(help="It ends after so many trials, too.")] = 50,
    seed: Annotated[int, typer.Option(help="The same answers and seed try the same.")] = 0,
    stop: Annotated[bool, typer.Option("--stop", help="End the search under way.")] = False,  # noqa: FBT002
    reason: Annotated[str, typer.Option(help="Why; kept in the audit.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:  # fmt: skip
    """Search better settings of a network in the background; alone: how the search stands.

    The worker tries one after the other between trainings; the best is proposed, the gate decides.
    """
    from studysmart.cli import common, tune

    settings = _settings(data_dir)
    if stop:
        tune.stopped(settings, reason=reason)
    elif budget is not None:
        tune.started(settings, budget, kind=kind, trials=trials, seed=seed, reason=reason)
    found = tune.status(settings)
    if as_json:
        typer.echo(common.to_json(found))
    else:
        tune.print_status(found)


@configurations_app.command("list")
def list_configurations(data_dir: DataDir = None, as_json: Json = False) -> None:  # noqa: FBT002
    """Settings of networks that trainings try besides the built-in ones."""
    from studysmart.cli import common, tune

    found = tune.listed(_settings(data_dir))
    if as_json:
        typer.echo(common.to_json(found))
    else:
        tune.print_list(found)


@configurations_app.command("add")
def add_configuration(
    name: Annotated[str, typer.Argument(help="Its name.")],
    setting: Annotated[list[str], typer.Option(
        "--set", help="NAME=VALUE: rate, dropped, masked, decay or epochs; repeat it.")],
    reason: Reason,
    kind: Annotated[str, typer.Option(help="sequence or attention.")] = "sequence",
    data_dir: DataDir = None,
) -> None:  # fmt: skip
    """Let every training fit and judge a network with these settings too."""
    from studysmart.cli import tune

    tune.added(_settings(data_dir), name, kind=kind, given=setting, reason=reason)
    typer.echo(f"trainings try '{name}' from now on")


@configurations_app.command("activate")
def activate_configuration(
    name: Annotated[str, typer.Argument(help="Its name.")], reason: Reason, data_dir: DataDir = None
) -> None:
    """Let trainings try a configuration again."""
    from studysmart.cli import tune

    tune.activated(_settings(data_dir), name, active=True, reason=reason)
    typer.echo(f"trainings try '{name}' from now on")


@configurations_app.command("deactivate")
def deactivate_configuration(
    name: Annotated[str, typer.Argument(help="Its name.")], reason: Reason, data_dir: DataDir = None
) -> None:
    """Let trainings leave a configuration alone."""
    from studysmart.cli import tune

    tune.activated(_settings(data_dir), name, active=False, reason=reason)
    typer.echo(f"trainings leave '{name}' alone from now on")


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
