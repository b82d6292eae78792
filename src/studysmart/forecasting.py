"""The warm predictor of a process: the live engine, and the learners it was asked about.

A learner's state is a fold over the stored answers. It is kept in memory and caught up with what
arrived since, so that a forecast costs one small query and a fraction of a millisecond, in every
process alike.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from uuid import UUID

from studysmart import learning
from studysmart.learning import Engine, Item, Response, Responses
from studysmart.store import Row, Tx, attempts

# Before the first training the prior is fitted on the fly, on so many answers at most.
INTERIM_ANSWERS = 5_000
CACHED_LEARNERS = 2_000


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a model said, and which version of it."""

    said: learning.Forecast
    version: int | None

    def to_json(self) -> dict[str, Any]:
        """As stored with the task and sent over the wire."""
        said = self.said
        return {
            "p_correct": said.p_correct,
            "time_median_s": round(said.time_median_s, 6),
            "time_low_s": round(said.time_low_s, 6),
            "time_high_s": round(said.time_high_s, 6),
            "model": said.model,
            "model_version": self.version,
            "reason": said.reason,
            "answers": said.answers,
            "samples": said.samples,
        }


@dataclass(frozen=True, slots=True)
class Arm:
    """A model in an experiment."""

    name: str
    engine: Engine
    version: int


@dataclass(frozen=True, slots=True)
class Split:
    """Learners split among the arms of an experiment."""

    experiment_id: int
    salt: str
    arms: tuple[Arm, ...]

    def index(self, learner_id: UUID) -> int:
        """The learner's arm, the same for ever: a hash, so that nothing need be remembered."""
        digest = hashlib.sha256(f"{self.salt}{learner_id.hex}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % len(self.arms)


@dataclass(frozen=True, slots=True)
class _Served:
    engine: Engine
    version: int | None
    serial: int  # tells states of one engine from those of another


@dataclass(frozen=True, slots=True)
class _Cached:
    seq: int
    taken_back: int
    state: Any


class Forecaster:
    """Forecasts for any learner, from the live model or the best there is before one exists."""

    def __init__(self) -> None:
        self._served: _Served | None = None
        self._interim: tuple[int, _Served] | None = None
        self._split: tuple[Split, tuple[_Served, ...]] | None = None
        self._states: OrderedDict[tuple[UUID, int], _Cached] = OrderedDict()
        self._lock = Lock()
        self._serial = 0

    @property
    def version(self) -> int | None:
        """Version of the model that answers."""
        served = self._served
        return served.version if served else None

    @property
    def live(self) -> tuple[Engine, int] | None:
        """The engine that answers outside of experiments, and its version."""
        served = self._served
        return (served.engine, served.version) if served and served.version is not None else None

    def swap(self, engine: Engine, version: int, tx: Tx) -> None:
        """Let another model answer from the next forecast on.

        The learners seen last are brought into the new model first, so that none of their requests
        pays for the replay of a long history.
        """
        served = _Served(engine, version, self._next_serial())
        with self._lock:
            active = {learner for learner, _ in list(self._states)[-200:]}
        ready = {
            (learner, served.serial): self._catch_up(tx, learner, served, None)
            for learner in active
        }
        with self._lock:
            self._states.update(ready)
            self._served = served

    def try_out(self, split: Split | None) -> None:
        """Let every learner's forecasts come from an arm of an experiment; None: it is over."""
        if split is None:
            self._split = None
            return
        served = [_Served(arm.engine, arm.version, self._next_serial()) for arm in split.arms]
        self._split = split, tuple(served)

    def given(
        self, tx: Tx, learner_id: UUID, item: Item, *, at: float
    ) -> tuple[Forecast, dict[str, Any]]:
        """The forecast that a task is given with, and what an experiment keeps beside it.

        Args:
            tx: as in `forecast`.
            learner_id: whose.
            item: of the task.
            at: Unix seconds, now.

        Returns:
            The forecast, and experiment_id, arm and shadows (what each of the other arms says);
            nothing of these outside of an experiment.
        """
        running = self._split
        if running is None:
            return self.forecast(tx, learner_id, [item], at=at)[0], {}
        split, served = running
        said = [self._said(tx, learner_id, one, [item], at=at)[0] for one in served]
        own = split.index(learner_id)
        shadows = [
            {"arm": arm.name, "version": arm.version, "model": one.said.model,
             "p_correct": one.said.p_correct, "log_time_mean": one.said.log_time_mean,
             "log_time_sd": one.said.log_time_sd}
            for arm, one in zip(split.arms, said, strict=True)
            if arm is not split.arms[own]
        ]  # fmt: skip
        exposure = {
            "experiment_id": split.experiment_id,
            "arm": split.arms[own].name,
            "shadows": shadows,
        }
        return said[own], exposure

    def forecast(
        self, tx: Tx, learner_id: UUID, items: Sequence[Item], *, at: float
    ) -> list[Forecast]:
        """A forecast for each item, in order.

        Args:
            tx: to read the answers that arrived since the last time.
            learner_id: whose.
            items: what may be asked; any part of them may be unknown.
            at: Unix seconds, now.
        """
        return self._said(tx, learner_id, self._serving(tx, learner_id), items, at=at)

    def _said(
        self, tx: Tx, learner_id: UUID, served: _Served | None, items: Sequence[Item], *, at: float
    ) -> list[Forecast]:
        if served is None:
            return [Forecast(learning.constant_forecast(), None) for _ in items]
        state = self._state(tx, learner_id, served)
        said = served.engine.predict(state, items, at=at)
        return [Forecast(one, served.version) for one in said]

    def moved(
        self, tx: Tx, learner_id: UUID, response: Response, *, at: float
    ) -> tuple[Forecast, Forecast]:
        """The forecast for an item just before and just after this answer to it.

        The answer must not be stored yet. Both come from one model, so that the difference is what
        the answer did and nothing else.
        """
        served = self._serving(tx, learner_id)  # asked once: another may go live meanwhile
        (before,) = self._said(tx, learner_id, served, [response.item], at=at)
        if served is None or served.version is None:
            # The prior knows no learners: it moves because it counts this answer too.
            engine = learning.fit_prior_engine(self._interim_table(tx, response))
            state = engine.start()._replace(answers=before.said.answers)
        else:
            engine, state = served.engine, self._state(tx, learner_id, served)
        after = engine.predict(engine.update(state, response), [response.item], at=at)[0]
        return before, Forecast(after, before.version)

    @staticmethod
    def _interim_table(tx: Tx, further: Response | None = None) -> Responses:
        known = [
            (row.learner_id.hex, response(row))
            for row in attempts.everyones(tx, newest=INTERIM_ANSWERS)
        ]
        return _table(known + ([("", further)] if further is not None else []))

    def _serving(self, tx: Tx, learner_id: UUID) -> _Served | None:
        running = self._split
        if running is not None:
            split, served = running
            return served[split.index(learner_id)]
        if self._served is not None:
            return self._served
        seq = attempts.last_seq(tx)
        if seq == 0:
            return None
        interim = self._interim
        # In the first days every answer counts; after a large import one more does not change the
        # prior.
        if interim is None or seq > interim[0] * 1.1:
            table = self._interim_table(tx)
            if len(table) == 0:
                return None
            engine = learning.fit_prior_engine(table)
            interim = (seq, _Served(engine, None, self._next_serial()))
            self._interim = interim
        return interim[1]

    def _state(self, tx: Tx, learner_id: UUID, served: _Served) -> Any:
        key = (learner_id, served.serial)
        with self._lock:
            cached = self._states.get(key)
        caught_up = self._catch_up(tx, learner_id, served, cached)
        if caught_up is not cached:
            with self._lock:
                self._states[key] = caught_up
                self._states.move_to_end(key)
                while len(self._states) > CACHED_LEARNERS:
                    self._states.popitem(last=False)
        return caught_up.state

    def _catch_up(
        self, tx: Tx, learner_id: UUID, served: _Served, cached: _Cached | None
    ) -> _Cached:
        newest, taken_back = attempts.news(tx, learner_id)
        if cached is None or cached.taken_back != taken_back:  # taken back: fold again without it
            cached = _Cached(0, taken_back, served.engine.start())
        if newest == cached.seq:
            return cached
        state = cached.state
        for row in attempts.of_learner(tx, learner_id, after=cached.seq):
            state = served.engine.update(state, response(row))
        return _Cached(newest, taken_back, state)

    def _next_serial(self) -> int:
        with self._lock:
            self._serial += 1
            return self._serial


def item(*, item: str | None, skill: str | None, topic: str | None, difficulty: str | None) -> Item:
    """What the models know a task by. Labels that people type compare without case."""
    return Item(
        item=item,
        skill=skill,
        topic=topic.casefold() if topic else None,
        difficulty=difficulty.casefold() if difficulty else None,
    )


def response(row: Row[Any]) -> Response:
    """A stored attempt as the models take it."""
    return Response(
        item=item(item=row.item, skill=row.skill, topic=row.topic, difficulty=row.difficulty),
        correct=row.is_correct,
        response_time_s=row.response_time_s if row.time_plausible else None,
        at=row.answered_at,
    )


def responses(rows: Iterable[Row[Any]]) -> Responses:
    """Stored attempts of many learners as the table that a fit takes."""
    return _table((row.learner_id.hex, response(row)) for row in rows)


def _table(answers: Iterable[tuple[str, Response]]) -> Responses:
    learners, given = [], []
    for learner, one in answers:
        learners.append(learner)
        given.append(one)
    return Responses.from_columns(
        learner=learners,
        correct=[one.correct for one in given],
        item=[one.item.item for one in given],
        skill=[one.item.skill for one in given],
        topic=[one.item.topic for one in given],
        difficulty=[one.item.difficulty for one in given],
        response_time_s=[one.response_time_s for one in given],
        at=[one.at for one in given],
    )
