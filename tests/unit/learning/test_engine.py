"""What is published: bytes that are believed only when every one of them is sound."""

from __future__ import annotations

import hashlib
import json
import math
import random
import resource
import struct
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
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
    Prediction,
    Prior,
    Response,
    SequenceModel,
)
from studysmart.learning.engine import LONGEST_HEADER
from tests.builders import small_engine

CLASSES = [Prior, Lnirt, SequenceModel, AttentionModel]


def quickly(kind: type[LearnerModel], prior: Prior) -> LearnerModel:
    """A model on this prior; a network not trained but with weights drawn at random."""
    table = learning.simulate(learners=3, answers=15, seed=1)
    tensors, rest = kind.fit(table).to_tensors()
    rng = np.random.default_rng(1)
    drawn = {
        name: tensor + (0.1 * rng.normal(size=tensor.shape)).astype(tensor.dtype)
        if tensor.dtype == np.float32
        else tensor
        for name, tensor in tensors.items()
    }
    return kind.from_tensors(drawn, rest, {"prior": prior})


@cache
def engine() -> Engine:
    """A small bundle of three models."""
    table = learning.simulate(learners=3, answers=80, seed=1)
    prior = Prior.fit(table)
    models = [prior, Lnirt.fit(table, prior), quickly(SequenceModel, prior)]
    manifest = learning.fit_prior_engine(table).manifest
    return Engine({model.kind: model for model in models}, "sequence", manifest)


@cache
def whole() -> bytes:
    """Its bytes."""
    return engine().to_bytes()


def signed(body: bytes) -> bytes:
    """Whatever it is, with the right checksum: what somebody who means harm would send."""
    return hashlib.sha256(body).digest() + body


def with_header(change: dict[str, Any], *, raw: str | None = None) -> bytes:
    """The bundle with parts of its header replaced."""
    body = whole()[32:]
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


@settings(max_examples=200, deadline=None, phases=[Phase.generate])
@given(data=st.data())
def test_one_changed_bit_or_a_missing_end_is_refused(data: st.DataObject):
    """Any bit, any length."""
    place = data.draw(st.integers(0, len(whole()) - 1))
    if data.draw(st.booleans()):
        damaged = whole()[:place]
    else:
        changed = bytearray(whole())
        changed[place] ^= 1 << data.draw(st.integers(0, 7))
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


@settings(max_examples=250, deadline=None, phases=[Phase.generate])
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


def mutated(rng: random.Random, body: bytes) -> bytes:
    """The bytes with a few of them changed, cut out, put in, repeated, or made an odd number."""
    changed = bytearray(body)
    header = 8 + int.from_bytes(body[:8], "little")
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(header if rng.random() < 0.6 else len(changed)) % len(changed)
        how = rng.randrange(7)
        if how == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            changed[at] = rng.randrange(256)
        elif how == 2:
            del changed[at : at + rng.randrange(1, 9)]
        elif how == 3:
            changed[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif how == 4:
            digits = [k for k in range(8, header) if chr(body[k]).isdigit()]
            at = rng.choice(digits) % len(changed)
            changed[at] = rng.choice(b"0123456789-e")
        elif how == 5:
            source, size = rng.randrange(len(changed)), rng.randrange(1, 40)
            changed[at : at + size] = changed[source : source + size]
        else:
            odd = rng.choice((math.nan, math.inf, -math.inf, 3e38, -1e6, 1e6, 0.0, 1e-38))
            at = header + 4 * rng.randrange((len(body) - header) // 4)
            changed[at : at + 4] = struct.pack("<f", odd)
    return bytes(changed)


ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 0.5, -0.5, 99, 1e6, 1e308, -1e308, 1e-300, math.nan, math.inf, 10**400,
    "", "x", "\ud800", "\0", [], {}, [1, 2], {"a": 1}, [["x"] * 4],
)  # fmt: skip


def replaced(rng: random.Random, body: bytes) -> bytes:
    """The bytes with a part of the header, on any level, replaced by something odd or left out."""
    length = int.from_bytes(body[:8], "little")
    outer = json.loads(body[8 : 8 + length])
    header = json.loads(outer["__metadata__"]["studysmart"])
    for _ in range(rng.choice((1, 1, 2))):
        by_level: dict[int, list[tuple[Any, Any]]] = {}
        for level, at, key in _parts(header):
            by_level.setdefault(level, []).append((at, key))
        if by_level:
            at, key = rng.choice(by_level[rng.choice(sorted(by_level))])
            if rng.random() < 0.15:
                del at[key]
            else:
                at[key] = rng.choice(ODD)
    if rng.random() < 0.2:
        tensor = outer[rng.choice([name for name in outer if name != "__metadata__"])]
        tensor |= rng.choice(
            [{"dtype": d} for d in ("F16", "BF16", "I64", "F64", "U8", "BOOL", "F8_E4M3")]
            + [{"shape": s} for s in ([], [0], [2**63], [1, 1], [2**31, 2**31], [-1], [5])]
            + [{"data_offsets": o} for o in ([0, 0], [0, 8], [8, 0], [0, 2**62])]
        )
    outer["__metadata__"]["studysmart"] = json.dumps(header)
    text = json.dumps(outer).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body[8 + length :]


def _parts(value: Any, level: int = 0) -> Iterator[tuple[int, Any, Any]]:
    keys = value if isinstance(value, dict) else range(len(value)) if _is_list(value) else ()
    for key in keys:
        yield level, value, key
        yield from _parts(value[key], level + 1)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


@pytest.mark.parametrize("networked", [False, True], ids=["lnirt", "sequence"])
def test_what_has_the_right_checksum_is_refused_or_forecasts(networked: bool):
    """Two thousand damages behind a checksum that fits: no other error, no odd forecast, no time.

    What is accepted forecasts probabilities and seconds for everybody, after every answer.
    """
    body = small_engine(network=networked).to_bytes()[32:]
    table = learning.simulate(learners=3, answers=60, seed=1)
    answers = [response for _, response in table][:8]
    items = [Item(), Item("a", "b", "c", "d"), *(answer.item for answer in answers)]
    refused, before = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(1_000):
        rng = random.Random(seed)
        data = signed((mutated if rng.random() < 0.5 else replaced)(rng, body))
        try:
            found = Engine.from_bytes(data)
        except ArtefactRejected:
            refused += 1
            continue
        state = found.start()
        for answer in answers:
            state = found.update(state, answer)
            for said in found.predict(state, items, at=1e9):
                assert 0 <= said.p_correct <= 1, seed
                assert 0 < said.time_low_s <= said.time_median_s, seed
                assert said.time_median_s <= said.time_high_s < math.inf, seed
    assert 500 < refused < 1_000  # and some of both were seen
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB


def test_a_header_beyond_reason_is_refused_unread():
    """Its JSON would take thirty times its length in memory."""
    for told in (LONGEST_HEADER + 1, 101 * 2**20, 2**63):
        with pytest.raises(ArtefactRejected, match="a header of"):
            Engine.from_bytes(signed(struct.pack("<Q", told) + b"{}"))
    with pytest.raises(ArtefactRejected, match="at most"):
        Engine.from_bytes(bytes(101 * 2**20))


@pytest.mark.parametrize("column", [6, 7], ids=["var_b", "var_lam"])
def test_an_item_with_a_negative_variance_is_refused(column: int):
    """Its root would be no real number."""
    bundle = small_engine()
    tensors, rest = bundle.models["lnirt"].to_tensors()
    tensors["items"][0, column] = -0.1
    with pytest.raises(ArtefactRejected, match="impossible population or item"):
        Lnirt.from_tensors(tensors, rest, bundle.models)


def test_a_population_whose_covariance_is_none_is_refused():
    """v_zx beyond sqrt(v_zz v_xx)."""
    with pytest.raises(ArtefactRejected, match="impossible"):
        Engine.from_bytes(with_header({"models/lnirt/population/v_zx": 0.5}))


def test_older_bytes_are_refused_with_what_to_do():
    """A schema that this code does not read, and bytes from before there was a checksum."""
    with pytest.raises(ArtefactRejected, match=r"schema 1, expected 2; train again"):
        Engine.from_bytes(with_header({"manifest/schema": 1}))
    with pytest.raises(ArtefactRejected, match="train again"):
        Engine.from_bytes(whole()[32:])


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
    before = quickly(kind, Prior.fit(table))
    after = kind.from_bytes(before.to_bytes())
    one, two = before.predict_all(table), after.predict_all(table)
    assert np.array_equal(one.p_correct, two.p_correct)
    assert np.array_equal(one.log_time_mean, two.log_time_mean)
    assert np.array_equal(one.log_time_sd, two.log_time_sd)


@pytest.mark.parametrize("samples", [-1, True, 1.0, math.nan, 2**53, "many", None])
def test_answers_that_are_no_count_are_refused(samples: object):
    """Every forecast says how many answers it rests on."""
    with pytest.raises(ArtefactRejected, match="'samples'"):
        Engine.from_bytes(with_header({"manifest/samples": samples}))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weight", [1e30, -1e30, math.inf, math.nan])
def test_weights_that_no_fit_finds_are_refused(weight: float, dtype: type):
    """They would overflow somewhere on the way, for some learner."""
    bundle = engine()
    tensors, rest = bundle.models["sequence"].to_tensors()
    tensors["out_b"] = np.full(3, weight, dtype)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SequenceModel, "to_tensors", lambda _: (tensors, rest))
        data = bundle.to_bytes()
    with pytest.raises(ArtefactRejected, match=r"sequence\.out_b"):
        Engine.from_bytes(data)


@dataclass(frozen=True)
class Saying(Prior):
    """A prior that forecasts what it is told to."""

    told: Prediction | None = None

    def predict(self, state: int, items: Sequence[Item], *, at: float | None = None) -> Prediction:
        """The same for every item."""
        del state, at
        assert self.told is not None
        return Prediction(*(np.repeat(x, len(items)) for x in astuple(self.told)))


@pytest.mark.parametrize("p", [-0.1, 0.5, 1.1, math.nan, math.inf])
@pytest.mark.parametrize("mean", [-99.0, 3.0, 99.0, math.nan, math.inf])
@pytest.mark.parametrize("sd", [-1.0, 0.0, 0.5, 99.0, math.nan, math.inf])
def test_the_chain_passes_on_what_is_no_forecast(p: float, mean: float, sd: float):
    """A probability outside 0..1, an interval of no seconds: the next in the chain answers."""
    table = learning.simulate(learners=2, answers=20)
    prior = Prior.fit(table)
    told = Prediction(*(np.array([x]) for x in (p, mean, sd)))
    chain = {"prior": prior, "lnirt": Saying(prior.items, prior.counts, told=told)}
    asked = Engine(chain, "lnirt", learning.fit_prior_engine(table).manifest)
    found = asked.predict(asked.start(), [Item()])[0]
    assert found.model == ("lnirt" if (p, mean, sd) == (0.5, 3.0, 0.5) else "prior")
    assert 0 < found.time_low_s < found.time_median_s < found.time_high_s < math.inf


def test_bytes_of_another_model_are_refused():
    """And named."""
    with pytest.raises(ArtefactRejected, match="no attention model"):
        AttentionModel.from_bytes(whole())


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.kind)
@pytest.mark.parametrize("answers", [0, 1, 2])
def test_any_model_fits_hardly_any_answers(kind: type[LearnerModel], answers: int):
    """None, one, two: a finite forecast."""
    table = learning.simulate(learners=2, answers=10, seed=0)[:answers]
    model = kind.fit(table)
    found = model.predict(model.replay(r for _, r in table), [Item(), Item("new", "skill")])
    assert np.isfinite([found.p_correct, found.log_time_mean, found.log_time_sd]).all()
