"""Practising: a task is drawn with its forecast, answered once, graded, and moves the next one.

Every function takes an open transaction, the model and the clock's reading; none commits.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4, uuid5

from studysmart import content, forecasting, grading, quality
from studysmart.errors import BadInput, Conflict, NotFound
from studysmart.forecasting import Forecaster
from studysmart.learning import Item, Response
from studysmart.store import Row, Tx, attempts, tasks

# Success that keeps people practising: neither boring nor hopeless (docs/decisions/0006).
TARGET_P = 0.775
# Items given last that are not drawn again while there is another.
LATELY = 5
# A shorter time is a slip of the finger, a longer one is a page left open over night: kept, not
# fitted.
SHORTEST_S, LONGEST_S = 0.2, 86_400.0

_SELF_MARK = UUID("6f2f4a0e-52a5-4f7e-9d4e-3f7f0c1b7a55")


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A task of the learner's own text, which the learner marks."""

    content: str
    solution: str
    answer: str


def draw(
    tx: Tx,
    learner_id: UUID,
    model: Forecaster,
    *,
    subject: str | None,
    topic: str | None,
    difficulty: str | None,
    seed: int | None,
    own: OwnTask | None,
    now: float,
) -> UUID:
    """Give the learner a task and keep it with the forecast it was given with.

    Without a seed, the item is chosen whose P(correct) is nearest to a good success rate; with a
    seed the same request always draws the same task. A topic that the bank has nothing for becomes
    an open task on that topic, which the learner marks.
    """
    task_id = uuid4()
    if own is not None:
        drawn = None
    elif seed is not None:
        drawn = content.draw(subject=subject, topic=topic, difficulty=difficulty, seed=seed)
    else:
        drawn = _recommended(
            tx, learner_id, model, subject=subject, topic=topic, difficulty=difficulty,
            seed=task_id.int % 2**53, now=now,
        )  # fmt: skip
    if drawn is not None:
        values = _from_bank(drawn, asked_subject=subject, asked_topic=topic, asked=difficulty)
    else:
        values = _open_task(own, subject=subject, topic=topic, difficulty=difficulty)
    known_as = forecasting.item(
        item=values["item"],
        skill=values["skill"],
        topic=values["topic"],
        difficulty=values["difficulty"],
    )
    forecast, exposure = model.given(tx, learner_id, known_as, at=now)
    tasks.add(
        tx,
        id=task_id,
        learner_id=learner_id,
        created_at=now,
        forecast=forecast.to_json(),
        p_correct=forecast.said.p_correct,
        log_time_mean=forecast.said.log_time_mean,
        log_time_sd=forecast.said.log_time_sd,
        model=forecast.said.model,
        model_version=forecast.version,
        **exposure,
        **values,
    )
    return task_id


def get(tx: Tx, learner_id: UUID, task_id: UUID) -> Row[Any]:
    """One of the learner's tasks.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    task = tasks.get(tx, task_id, learner_id)
    if task is None:
        msg = f"no task {task_id}"
        raise NotFound(msg)
    return task


def newest(
    tx: Tx, learner_id: UUID, *, subject: str | None, topic: str | None, limit: int
) -> list[Row[Any]]:
    """The learner's tasks, newest first, of one subject or topic if named."""
    return tasks.newest(tx, learner_id, subject=subject, topic=topic, limit=limit)


def reveal(tx: Tx, learner_id: UUID, task_id: UUID, *, now: float) -> Row[Any]:
    """Show the solution, and remember that it was seen."""
    get(tx, learner_id, task_id)
    tasks.reveal(tx, task_id, now=now)
    return get(tx, learner_id, task_id)


def delete(tx: Tx, learner_id: UUID, task_id: UUID, *, now: float) -> None:
    """Remove a task; its answer, if it has one, no longer counts for anything."""
    get(tx, learner_id, task_id)
    attempts.retract(tx, task_id, reason="task_deleted", now=now)
    tasks.delete(tx, task_id, now=now)


def submit(
    tx: Tx,
    learner_id: UUID,
    task_id: UUID,
    model: Forecaster,
    *,
    attempt_id: UUID,
    answer: str,
    response_time_s: float,
    now: float,
) -> dict[str, Any]:
    """Grade an answer and keep it; the same attempt again gets the same receipt.

    An answer that cannot be read is not an attempt: nothing is kept, and the id stays free.

    Raises:
        Conflict: this id was used for something else, or the task has its answer.
        NotFound: the learner has no such task.
    """
    digest = _digest(task_id, answer, response_time_s)
    earlier = _receipt(tx, learner_id, attempt_id, digest)
    if earlier is not None:
        return earlier
    task = get(tx, learner_id, task_id)
    _refuse_second(task)
    grade = grading.grade(grading.answer_from_json(task.answer), answer)
    if grade.verdict is grading.Verdict.INVALID:
        return {
            "id": str(attempt_id),
            "task_id": str(task_id),
            "verdict": "invalid",
            "is_correct": None,
            "message": grade.message,
            "understood": grade.understood,
            "recorded": False,
            "counts": False,
        }
    return _complete(
        tx,
        task,
        model,
        attempt_id=attempt_id,
        digest=digest,
        answer=answer,
        grade=grade,
        self_marked=False,
        response_time_s=response_time_s,
        now=now,
    )


def mark(
    tx: Tx,
    learner_id: UUID,
    task_id: UUID,
    model: Forecaster,
    *,
    is_correct: bool,
    response_time_s: float,
    now: float,
) -> dict[str, Any]:
    """Complete a task by the learner's own verdict; the same mark again gets the same receipt.

    Raises:
        Conflict: the task has another answer already; an answer is never overwritten.
        NotFound: the learner has no such task.
    """
    attempt_id = uuid5(_SELF_MARK, task_id.hex)  # one self-mark a task, so the task names it
    digest = _digest(task_id, is_correct, response_time_s)
    earlier = _receipt(tx, learner_id, attempt_id, digest)
    if earlier is not None:
        return earlier
    task = get(tx, learner_id, task_id)
    _refuse_second(task)
    verdict = grading.Verdict.CORRECT if is_correct else grading.Verdict.INCORRECT
    message = "Marked as right." if is_correct else "Marked as not right yet."
    return _complete(
        tx,
        task,
        model,
        attempt_id=attempt_id,
        digest=digest,
        answer=None,
        grade=grading.Grade(verdict, message, None),
        self_marked=True,
        response_time_s=response_time_s,
        now=now,
    )


def _complete(
    tx: Tx,
    task: Row[Any],
    model: Forecaster,
    *,
    attempt_id: UUID,
    digest: str,
    answer: str | None,
    grade: grading.Grade,
    self_marked: bool,
    response_time_s: float,
    now: float,
) -> dict[str, Any]:
    is_correct = grade.verdict is grading.Verdict.CORRECT
    plausible = SHORTEST_S <= response_time_s <= LONGEST_S
    # Right after seeing the solution says nothing; not right even then says much. Where the learner
    # is the judge, looking at the solution is how one judges.
    counts = not (task.revealed_at is not None and task.grading != "self" and is_correct)
    response = Response(
        item=_known_as(task),
        correct=is_correct,
        response_time_s=response_time_s if plausible else None,
        at=now,
    )
    before, after = model.moved(tx, task.learner_id, response, at=now)
    receipt = {
        "id": str(attempt_id),
        "task_id": str(task.id),
        "verdict": str(grade.verdict),
        "is_correct": is_correct,
        "message": grade.message,
        "understood": grade.understood,
        "recorded": True,
        "counts": counts,
        "answer_content": task.answer_content,
        "solution_content": task.solution_content,
        "response_time_s": response_time_s,
        "forecast_before": before.to_json(),
        "forecast_after": (after if counts else before).to_json(),
        "completed_at": now,
    }
    seq = attempts.add(
        tx,
        id=attempt_id,
        learner_id=task.learner_id,
        task_id=task.id,
        source="task",
        subject=task.subject,
        topic=task.topic,
        skill=task.skill,
        difficulty=task.difficulty,
        item=task.item,
        answer=answer,
        is_correct=is_correct,
        self_marked=self_marked,
        response_time_s=response_time_s,
        time_plausible=plausible,
        counts=counts,
        answered_at=now,
        received_at=now,
        body_sha256=digest,
        receipt=receipt,
    )
    if counts:
        quality.score(tx, task, seq, response, now=now)
    return receipt


def _receipt(tx: Tx, learner_id: UUID, attempt_id: UUID, digest: str) -> dict[str, Any] | None:
    earlier = attempts.get(tx, attempt_id)
    if earlier is None:
        return None
    if earlier.learner_id != learner_id or earlier.body_sha256 != digest:
        msg = (
            f"the id {attempt_id} was used for another answer, which is kept as it was; "
            "make a new id for a new answer"
        )
        raise Conflict(msg, code="attempt_id_reused")
    return dict(earlier.receipt)


def _refuse_second(task: Row[Any]) -> None:
    if task.attempt_is_correct is not None:
        msg = (
            f"task {task.id} has its answer already; answers are never overwritten, draw a new task"
        )
        raise Conflict(msg, code="task_completed")


def _digest(task_id: UUID, *body: object) -> str:
    return hashlib.sha256(json.dumps([task_id.hex, *body]).encode()).hexdigest()


def _known_as(task: Row[Any]) -> Item:
    return forecasting.item(
        item=task.item, skill=task.skill, topic=task.topic, difficulty=task.difficulty
    )


def _recommended(
    tx: Tx,
    learner_id: UUID,
    model: Forecaster,
    *,
    subject: str | None,
    topic: str | None,
    difficulty: str | None,
    seed: int,
    now: float,
) -> content.Draw | None:
    """The item whose P(correct) is nearest to the target, among those not given lately."""
    fitting = content.candidates(subject=subject, topic=topic, difficulty=difficulty)
    lately = set(tasks.recent_items(tx, learner_id, limit=LATELY))
    choice = [one for one in fitting if one.item not in lately] or list(fitting)
    if not choice:
        return None
    forecasts = model.forecast(
        tx,
        learner_id,
        [
            forecasting.item(item=one.item, skill=one.skill, topic=one.topic, difficulty=one.band)
            for one in choice
        ],
        at=now,
    )
    shuffled = random.Random(seed)  # noqa: S311 - variety, not secrecy
    _, _, best = min(
        # Nearly equal ones are equally good: a coarse distance leaves the choice to chance.
        (round(abs(forecast.said.p_correct - TARGET_P), 1), shuffled.random(), index)
        for index, forecast in enumerate(forecasts)
    )
    return content.draw(
        generator=choice[best].generator, difficulty=difficulty or choice[best].band, seed=seed
    )


def _from_bank(
    drawn: content.Draw, *, asked_subject: str | None, asked_topic: str | None, asked: str | None
) -> dict[str, Any]:
    answer = drawn.answer
    choice = isinstance(answer, grading.ChoiceAnswer)
    notice = None
    if asked is not None and asked.casefold() != drawn.band:
        notice = f"The bank has no '{asked}' tasks of this kind; this one is made as {drawn.band}."
    return {
        "subject": _label(asked_subject, drawn.subject),
        "topic": _label(asked_topic, drawn.topic),
        "skill": drawn.skill,
        "difficulty": asked or drawn.band,
        "item": drawn.item,
        "generator": drawn.generator,
        "generator_version": drawn.version,
        "seed": drawn.seed,
        "band": drawn.band,
        "grading": "choice" if choice else "numeric",
        "task_content": drawn.prompt,
        "options": list(answer.options) if isinstance(answer, grading.ChoiceAnswer) else None,
        "unit": answer.unit if isinstance(answer, grading.NumericAnswer) else None,
        "hints": list(drawn.hints),
        "answer": answer.to_json(),
        "answer_content": drawn.answer_text,
        "solution_content": drawn.solution,
        "notice": notice,
    }


def _label(asked: str | None, own: str) -> str:
    """The caller's own word for a subject or topic, unless it is ours in other letters."""
    return own if asked is None or asked.casefold() == own.casefold() else asked


def _open_task(
    own: OwnTask | None, *, subject: str | None, topic: str | None, difficulty: str | None
) -> dict[str, Any]:
    subject, topic = subject or topic, topic or subject
    if subject is None or topic is None:
        if own is None:  # nothing was named, and yet the bank had nothing: it is never empty
            msg = "name a subject or a topic"
            raise BadInput(msg)
        subject = topic = "My own tasks"
    if own is None:
        own = OwnTask(
            content=(
                f"Work on one task of your own on **{_plain(topic)}**"
                + (f" ({_plain(difficulty)})" if difficulty else "")
                + ", from a book or a worksheet. Start when you are ready, then compare with its "
                "solution and mark yourself."
            ),
            solution="Compare with the solution in your book or worksheet.",
            answer="",
        )
        notice = f"There are no ready-made tasks on '{topic}' yet: bring one, and mark it yourself."
    else:
        notice = None
    return {
        "subject": subject,
        "topic": topic,
        "skill": None,
        "difficulty": difficulty or "medium",
        "item": None,
        "generator": None,
        "generator_version": None,
        "seed": None,
        "band": None,
        "grading": "self",
        "task_content": own.content,
        "options": None,
        "unit": None,
        "hints": [],
        "answer": grading.SelfMarked().to_json(),
        "answer_content": own.answer,
        "solution_content": own.solution,
        "notice": notice,
    }


def _plain(label: str) -> str:
    """A label inside Markdown: its own marks are taken literally."""
    return "".join("\\" + c if c in r"\`*_{}[]()#+-.!|<>$~" else c for c in label)
