"""What is published: bytes that are believed only when every one of them is sound."""

from __future__ import annotations

import hashlib
import json
import struct
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from studysmart import learning
from studysmart.errors import ArtefactRejected
from studysmart.learning import (
    AttentionModel,
    Engine,
    Item,
    LearnerModel,
    Lnirt,
    Prior,
    Response,
    SequenceModel,
)

CLASSES = [Prior, Lnirt, SequenceModel, AttentionModel]


@cache
def engine() -> Engine:
    """A small bundle of three models."""
    table = learning.simulate(learners=3, answers=80, seed=1)
    models = [kind.fit(table) for kind in (Prior, Lnirt, SequenceModel)]
    manifest = learning.fit_prior_engine(table).manifest
    return Engine({model.kind: model for model in models}, "sequence", manifest)


def signed(body: bytes) -> bytes:
    """Whatever it is, with the right checksum: what somebody who means harm would send."""
    return hashlib.sha256(body).digest() + body


def with_header(change: dict[str, Any], *, raw: str | None = None) -> bytes:
    """The bundle with parts of its header replaced."""
    body = engine().to_bytes()[32:]
    length = int.from_bytes(body[:8], "little")
    outer = json.loads(body[8 : 8 + length])
    header = json.loads(outer["__metadata__"]["studysmart"])
    for path, value in change.items():
        *into, last = path.split("/")
        at = header
        for step in into:
            at = at[step]
        at[last] = value
    outer["__metadata__"]["studysmart"] = raw if raw is not None else json.dumps(header)
    text = json.dumps(outer).encode()
    text += b" " * (-len(text) % 8)
    return signed(struct.pack("<Q", len(text)) + text + body[8 + length :])


@settings(max_examples=300, deadline=None, phases=[Phase.generate])
@given(data=st.data())
def test_one_changed_bit_or_a_missing_end_is_refused(data: st.DataObject):
    """Any bit, any length."""
    whole = engine().to_bytes()
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        changed = bytearray(whole)
        changed[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        damaged = bytes(changed)
    with pytest.raises(ArtefactRejected, match="checksum"):
        Engine.from_bytes(damaged)


numbers = st.one_of(
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.none(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.sampled_from([1e308, -1e308, 10**309, -1, 0, True, {}]),
)
PATHS = [
    "manifest/schema", "manifest/samples", "manifest", "serving", "models", "models/prior",
    "models/prior/items", "models/lnirt", "models/lnirt/names",
    "models/lnirt/population", "models/lnirt/population/a", "models/lnirt/population/v_zz",
    "models/lnirt/population/sigma2", "models/lnirt/population/nu", "models/sequence",
    "models/sequence/vocabulary", "models/sequence/vocabulary/skill", "models/sequence/effects",
    "models/sequence/effects/noise", "models/sequence/effects/learner",
    "models/sequence/effects/logit", "models/sequence/effects/names",
    "models/sequence/effects/variances", "models/sequence/effects/samples",
]  # fmt: skip


@settings(max_examples=400, deadline=None, phases=[Phase.generate])
@given(path=st.sampled_from(PATHS), value=numbers)
def test_a_crafted_header_is_refused_or_harmless(path: str, value: object):
    """Numbers beyond any float, the wrong type, nothing at all: a reason, never another error."""
    try:
        found = Engine.from_bytes(with_header({path: value}))
    except ArtefactRejected as rejected:
        assert str(rejected)  # noqa: PT017 - either outcome is right
    else:
        state = found.update(found.start(), Response(Item("a", "b"), correct=True))
        assert all(0 <= f.p_correct <= 1 for f in found.predict(state, [Item(), Item("a")]))


@pytest.mark.parametrize(
    "raw", ["[" * 100_000, '{"manifest": NaN}', "", "null", '{"manifest": {}}']
)
def test_a_header_that_is_none_is_refused(raw: str):
    """Nested beyond reason, not a number, empty."""
    with pytest.raises(ArtefactRejected):
        Engine.from_bytes(with_header({}, raw=raw))


def test_older_bytes_are_refused_with_what_to_do():
    """A schema that this code does not read, and bytes from before there was a checksum."""
    with pytest.raises(ArtefactRejected, match=r"schema 1, expected 2; train again"):
        Engine.from_bytes(with_header({"manifest/schema": 1}))
    with pytest.raises(ArtefactRejected, match="train again"):
        Engine.from_bytes(engine().to_bytes()[32:])


def test_a_bundle_without_what_a_model_stands_on_is_refused():
    """LNIRT without its prior, a serving kind that is not there, a kind nobody knows."""
    for change, told in (
        ({"serving": "attention"}, "serves 'attention'"),
        ({"models/magic": {}}, "magic"),
    ):
        with pytest.raises(ArtefactRejected, match=told):
            Engine.from_bytes(with_header(change))


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.kind)
def test_every_model_is_the_same_after_its_bytes(kind: type[LearnerModel]):
    """`from_bytes(to_bytes(m))` forecasts as m, to the last bit."""
    table = learning.simulate(learners=3, answers=60, seed=2)
    before = kind.fit(table, seed=0)
    after = kind.from_bytes(before.to_bytes())
    one, two = before.predict_all(table), after.predict_all(table)
    assert np.array_equal(one.p_correct, two.p_correct)
    assert np.array_equal(one.log_time_mean, two.log_time_mean)
    assert np.array_equal(one.log_time_sd, two.log_time_sd)


def test_bytes_of_another_model_are_refused():
    """And named."""
    with pytest.raises(ArtefactRejected, match="no attention model"):
        AttentionModel.from_bytes(engine().to_bytes())


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.kind)
@pytest.mark.parametrize("answers", [0, 1, 2])
def test_any_model_fits_hardly_any_answers(kind: type[LearnerModel], answers: int):
    """None, one, two: a finite forecast."""
    table = learning.simulate(learners=2, answers=10, seed=0)[:answers]
    model = kind.fit(table)
    found = model.predict(model.replay(r for _, r in table), [Item(), Item("new", "skill")])
    assert np.isfinite([found.p_correct, found.log_time_mean, found.log_time_sd]).all()
