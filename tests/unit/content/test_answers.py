"""The answers are right: each is checked by another method than the one that made it.

The checks read the prompt as the learner sees it and use what does not depend on the topic's
formulas: putting the answer in, finite differences, Simpson sums, counting, and motion in small
steps.
"""

from __future__ import annotations

import cmath
import math
import re
import statistics
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import pytest

from studysmart import content
from studysmart.content import BANDS, Draw
from studysmart.grading import ChoiceAnswer, NumericAnswer
from tests.unit.content.latex import evaluate, typed

SEEDS = range(50)
G, SOUND = 9.81, 343.0
Function = Callable[[float], float]
CHECKS: dict[str, Callable[[Draw], None]] = {}


def checks(generator: str) -> Callable[[Callable[[Draw], None]], Callable[[Draw], None]]:
    """The check of this generator's answers."""

    def keep(check: Callable[[Draw], None]) -> Callable[[Draw], None]:
        CHECKS[generator] = check
        return check

    return keep


def value(task: Draw) -> float:
    """The number that is right."""
    assert isinstance(task.answer, NumericAnswer)
    return task.answer.value


def formulas(text: str) -> list[str]:
    """What stands between $ signs."""
    return text.replace("$$", "$").split("$")[1::2]


def numbers(text: str) -> list[float]:
    """The numbers of a text that stand alone between $ signs, in order."""
    return [float(n) for n in re.findall(r"\$(-?\d+(?:\.\d+)?)(?:\^\\circ|\\,\\%)?\$", text)]


def option_values(task: Draw) -> list[tuple[str, bool]]:
    """Each option's text without $ and whether it is the right one."""
    assert isinstance(task.answer, ChoiceAnswer)
    return [(o, index == task.answer.correct) for index, o in enumerate(task.answer.options)]


def near(expected: float, got: float, rel: float = 1e-6) -> bool:
    """Whether two numbers agree."""
    return math.isclose(expected, got, rel_tol=rel, abs_tol=1e-7)


def simpson(f: Function, low: float, high: float, steps: int = 4) -> float:
    """The integral of f; exact for cubics."""
    h = (high - low) / steps
    inner = sum((4 if k % 2 else 2) * f(low + k * h) for k in range(1, steps))
    return h / 3 * (f(low) + inner + f(high))


def bisect(f: Function, low: float, high: float) -> float:
    """Where f changes its sign."""
    assert f(low) * f(high) <= 0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if f(low) * f(middle) <= 0 else (middle, high)
    return (low + high) / 2


def equal_options(task: Draw, samples: list[dict[str, float]], truth: Function | str) -> list[bool]:
    """For each option, whether it has the right value at all samples."""
    assert isinstance(task.answer, ChoiceAnswer)
    out = []
    for option in task.answer.options:
        (formula,) = formulas(option)
        out.append(
            all(
                near(
                    evaluate(truth, **at) if isinstance(truth, str) else truth(*at.values()),
                    evaluate(formula, **at),
                    1e-5,
                )
                for at in samples
            )
        )
    return out


def only_the_right_one(task: Draw, fits: list[bool]) -> None:
    """The right option fits, and it alone."""
    assert isinstance(task.answer, ChoiceAnswer)
    assert fits == [index == task.answer.correct for index in range(len(fits))]


@checks("algebra.linear-equations")
def linear(task: Draw) -> None:
    left, right = formulas(task.prompt)[-1].split("=")
    x = value(task)
    assert near(evaluate(left, x=x), evaluate(right, x=x))
    assert not near(evaluate(left, x=x + 1), evaluate(right, x=x + 1))


@checks("algebra.quadratics")
def quadratic(task: Draw) -> None:
    left, right = formulas(task.prompt)[-1].split("=")

    def f(x: float) -> float:
        return evaluate(left, x=x) - evaluate(right, x=x)

    x, side = value(task), 1 if "larger" in task.prompt else -1
    assert abs(f(x)) < 1e-6
    # Above the larger root, and below the smaller one, the parabola is on one side for good.
    assert f(x - side * 1e-3) < 0 < f(x + side * 1e-3)
    assert all(f(x + side * step) > 0 for step in (0.5, 2, 10, 100, 1000))


@checks("algebra.systems")
def system(task: Draw) -> None:
    first, second = (formula.split("=") for formula in formulas(task.prompt)[-2:])

    def off(equation: list[str], x: float, y: float) -> float:
        return evaluate(equation[0], x=x, y=y) - evaluate(equation[1], x=x, y=y)

    x = value(task)
    slope = off(first, x, 1) - off(first, x, 0)
    y = -off(first, x, 0) / slope
    assert near(0, off(second, x, y))
    slope_x = [off(e, 1, 0) - off(e, 0, 0) for e in (first, second)]
    slope_y = [off(e, 0, 1) - off(e, 0, 0) for e in (first, second)]
    assert not near(slope_x[0] * slope_y[1], slope_x[1] * slope_y[0])  # one solution only


@checks("algebra.powers")
def powers(task: Draw) -> None:
    names = "xyabuvpqmn"
    samples = [{n: s + k / 7 for k, n in enumerate(names)} for s in (1.1, 1.3)]
    only_the_right_one(task, equal_options(task, samples, formulas(task.prompt)[-1]))


@checks("trigonometry.identities")
def identities(task: Draw) -> None:
    samples = [
        {"x": s, "t": s, "alpha": s, "theta": s} for s in (0.123, 0.217, 0.341, 0.777, 1.234)
    ]
    only_the_right_one(task, equal_options(task, samples, formulas(task.prompt)[-1]))


@checks("trigonometry.right-triangles")
def triangles(task: Draw) -> None:
    given, x = numbers(task.prompt), value(task)
    if task.band == "easy" and "legs" in task.prompt:
        assert near(abs(complex(*given)), x)
    elif task.band == "easy":
        assert near(given[0], abs(complex(given[1], x)))
    elif task.band == "medium":
        corner = cmath.rect(given[0], math.radians(given[1]))
        assert near(corner.imag if "opposite" in task.prompt else corner.real, x)
    else:
        far, walked, close = given
        foot = bisect(lambda d: math.degrees(math.atan2(x, d)) - close, 1e-6, 1e5)
        assert near(far, math.degrees(math.atan2(x, foot + walked)))


@checks("trigonometry.exact-values")
def exact_values(task: Draw) -> None:
    assert near(evaluate(formulas(task.prompt)[-1]), value(task))
    assert near(evaluate(formulas(task.answer_text)[0]), value(task), 1e-12)


@checks("calculus.derivative-at-a-point")
def derivative(task: Draw) -> None:
    f, at = formulas(task.prompt)
    body, x = f.split("=")[1], float(at.removeprefix("f'(").removesuffix(")"))
    h = 1e-3
    # Five points: exact for the polynomials that occur, but for rounding.
    slope = sum(
        weight * evaluate(body, x=x + k * h)
        for weight, k in ((1, -2), (-8, -1), (8, 1), (-1, 2))
    ) / (12 * h)  # fmt: skip
    assert near(slope, value(task), 1e-5)


@checks("calculus.differentiation-rules")
def rules(task: Draw) -> None:
    head, body = formulas(task.prompt)[0].split("=")
    name, h = head.strip()[2], 1e-5

    def slope(x: float) -> float:
        above, below = (evaluate(body, **{name: x + k * h}) for k in (1, -1))
        return (above - below) / (2 * h)

    samples = [{name: x} for x in (0.31, 0.52, 0.83)]
    only_the_right_one(task, equal_options(task, samples, slope))


@checks("calculus.extrema")
def extrema(task: Draw) -> None:
    body = next(f for f in formulas(task.prompt) if f.startswith("f(x) =")).split("=")[1]

    def f(x: float) -> float:
        return evaluate(body, x=x)

    got, sign = value(task), -1 if re.search("smallest|minimum", task.prompt) else 1
    if task.band == "hard":
        low, high = map(float, re.split(r"\\le x \\le", formulas(task.prompt)[-1]))
        best = max(sign * f(low + (high - low) * k / 120) for k in range(121))
        assert sign * got >= best - 1e-9
        assert sign * got - best < 1
        return
    reach = (1e-3, 0.1, 0.3) if task.band == "medium" else (1e-3, 0.5, 5, 100)
    assert all(sign * f(got) > sign * f(got + side * d) for d in reach for side in (1, -1))


@checks("calculus.definite-integrals")
def integrals(task: Draw) -> None:
    if task.band == "hard":
        curve, line = (f.split("=")[1] for f in formulas(task.prompt))

        def gap(x: float) -> float:
            return evaluate(curve, x=x) - evaluate(line, x=x)

        # Their crossings lie at whole numbers; a shifted grid finds them between its points.
        grid = [k / 2 + 0.13 for k in range(-30, 30)]
        left, right = (bisect(gap, a, b) for a, b in pairwise(grid) if gap(a) * gap(b) < 0)
        assert near(abs(simpson(gap, left, right)), value(task))
        return
    found = re.fullmatch(
        r"\\int_\{(-?\d+)\}\^\{(-?\d+)\} \\left\((.*)\\right\) dx", formulas(task.prompt)[-1]
    )
    assert found
    assert near(
        simpson(lambda x: evaluate(found[3], x=x), float(found[1]), float(found[2])), value(task)
    )


@checks("sums.arithmetic")
def arithmetic(task: Draw) -> None:
    if task.band == "medium":
        found = re.fullmatch(
            r"\\sum_\{i=(\d+)\}\^\{(\d+)\} \\left\((.*)\\right\)", formulas(task.prompt)[-1]
        )
        assert found
        terms = [evaluate(found[3], i=i) for i in range(int(found[1]), int(found[2]) + 1)]
        assert near(sum(terms), value(task))
    elif task.band == "easy":
        count, listed = formulas(task.prompt)
        first, second, *_ = map(int, listed.replace(r"\dots", "0").split(","))
        total, term = 0, first
        for _ in range(int(count)):
            total, term = total + term, term + second - first
        assert near(total, value(task))
    else:
        step, low, high = map(int, numbers(task.prompt))
        assert near(sum(n for n in range(low, high + 1) if n % step == 0), value(task))


@checks("sums.geometric")
def geometric(task: Draw) -> None:
    if task.band == "easy":
        count, listed = formulas(task.prompt)
        first, second, *_ = map(int, listed.replace(r"\dots", "0").split(","))
        total, term = Fraction(0), Fraction(first)
        for _ in range(int(count)):
            total, term = total + term, term * second / first
        assert near(float(total), value(task))
        return
    found = re.fullmatch(
        r"\\sum_\{n=(\d)\}\^\{\\infty\} (-?\d+) \\cdot \\left\((.*)\\right\)\^n",
        formulas(task.prompt)[-1],
    )
    assert found
    ratio = evaluate(found[3])
    assert abs(ratio) < 1
    assert near(sum(int(found[2]) * ratio**n for n in range(int(found[1]), 500)), value(task))


@checks("statistics.mean-and-spread")
def spread(task: Draw) -> None:
    listed = next(f for f in formulas(task.prompt) if "," in f)
    data = [float(n) for n in listed.split(",")]
    assert min(data) > 0
    if task.band == "easy":
        assert near(statistics.fmean(data), value(task))
    elif task.band == "medium":
        count, mean = numbers(task.prompt)
        assert count == len(data) + 1
        assert near(mean, statistics.fmean([*data, value(task)]))
    else:
        assert near(statistics.pstdev(data), value(task))


@checks("statistics.binomial")
def binomial(task: Draw) -> None:
    p, *rest = numbers(task.prompt)
    n = int(rest[-1])
    chances = [1.0]  # of 0, 1, ... successes, one trial after the other
    for _ in range(n):
        chances = [
            (chances[k] * (1 - p) if k < len(chances) else 0) + (chances[k - 1] * p if k else 0)
            for k in range(len(chances) + 1)
        ]
    wanted = {
        "easy": chances[n],
        "medium": chances[int(rest[0])],
        "hard": sum(chances[2:]),
    }[task.band]
    assert near(wanted, value(task))
    assert 0.003 < wanted < 0.997


@checks("statistics.conditional-probability")
def conditional(task: Draw) -> None:
    given = numbers(task.prompt)
    if task.band == "easy":
        people = [(True, True)] * int(given[0]) + [(True, False)] * int(given[1])
        people += [(False, True)] * int(given[2]) + [(False, False)] * int(given[3])
        picked = [marked for first, marked in people if first]
        assert near(sum(picked) / len(picked), value(task))
        return
    share, right, wrong = (int(percent) for percent in given[:3])
    # A million of them, one by one in each kind: whole numbers, as the shares are whole percents.
    ill_and_positive = 100 * share * right
    well_and_positive = 100 * (100 - share) * wrong
    positive = ill_and_positive + well_and_positive
    wanted = positive / 1e6 if task.band == "medium" else ill_and_positive / positive
    assert near(wanted, value(task))


def flight(x: float, y: float, v_x: float, v_y: float, a_x: float, a_y: float) -> tuple[float, ...]:
    """Move in small steps until y falls below 0: the place, the time and the speed then."""
    dt, t = 1e-3, 0.0
    while True:
        x_next, y_next = x + v_x * dt + a_x * dt * dt / 2, y + v_y * dt + a_y * dt * dt / 2
        if y_next < 0:
            part = y / (y - y_next)
            v_x, v_y = v_x + a_x * dt * part, v_y + a_y * dt * part
            return x + (x_next - x) * part, t + dt * part, math.hypot(v_x, v_y)
        x, y, t = x_next, y_next, t + dt
        v_x, v_y = v_x + a_x * dt, v_y + a_y * dt


@checks("mechanics.constant-acceleration")
def acceleration(task: Draw) -> None:
    given = numbers(task.prompt)
    if task.band == "easy":
        start, a, t = given if len(given) == 3 else (0.0, *given)
        assert near(start + simpson(lambda _: a, 0, t), value(task))
    elif task.band == "medium":
        start, end, t = given
        assert near(simpson(lambda s: start + (end - start) * s / t, 0, t), value(task))
    else:
        kmh, reaction, brake = given
        v, way, dt = kmh * 1000 / 3600, 0.0, 1e-3
        way += v * reaction
        while v > 0:
            way, v = way + v * dt - brake * dt * dt / 2, v - brake * dt
        assert near(way, value(task), 1e-4)


@checks("mechanics.projectiles")
def projectiles(task: Draw) -> None:
    given = numbers(task.prompt)
    if task.band == "easy":
        v, height = given
        start = (v, 0.0)
    else:
        v, angle = given[:2]
        height = given[2] if task.band == "hard" else 0.0
        start = (v * math.cos(math.radians(angle)), v * math.sin(math.radians(angle)))
    assert near(flight(0, height, *start, 0, -G)[0], value(task), 1e-4)


@checks("mechanics.energy")
def energy(task: Draw) -> None:
    given = numbers(task.prompt)
    if task.band == "easy":
        mass, speed = given
        assert near(simpson(lambda v: mass * v, 0, speed), value(task))  # work of the push
    elif task.band == "medium":
        start, height = given if len(given) == 2 else (0.0, *given)
        assert near(flight(0, height, 0, -start, 0, -G)[2], value(task), 1e-4)
    else:
        length, angle, friction = given
        along = cmath.rect(G, math.radians(angle))
        pull = along.imag - friction * along.real
        assert near(flight(0, length, 0, 0, 0, -pull)[2], value(task), 1e-4)


@checks("mechanics.forces")
def forces(task: Draw) -> None:
    given = numbers(task.prompt)
    fits = []
    for option, _ in option_values(task):
        (x,) = numbers(option)
        if task.band == "easy":
            force, mass = given
            fits.append(near(force, mass * x, 1e-3))
        elif task.band == "medium":
            mass, force, friction = given
            fits.append(near(force - friction, mass * x, 1e-3))
        else:  # both crates must have the same acceleration
            force, first, second = given
            fits.append(near((force - x) / first, x / second, 1e-3))
    only_the_right_one(task, fits)


@checks("waves.speed")
def wave_speed(task: Draw) -> None:
    given, got = numbers(task.prompt), value(task)
    if task.band == "easy":
        frequency, length = given
        assert near(length * sum(1 for _ in range(int(frequency))), got)  # crests in one second
    elif task.band == "medium":
        frequency, sound = given
        assert near(sound, got / 100 * frequency)
    else:
        nth = int(re.findall(r"\$(\d+)\$th", task.prompt)[0])
        _, time, distance, count = given
        assert near(distance / count, got * time / (nth - 1))


@checks("waves.standing-waves")
def standing(task: Draw) -> None:
    length, speed = numbers(task.prompt)[0] / 100, numbers(task.prompt)[1]
    wave = 2 * math.pi * value(task) / speed
    inside = [length * (k + 0.5) / 400 for k in range(400)]
    nodes = sum(math.sin(wave * a) * math.sin(wave * b) < 0 for a, b in pairwise(inside))
    if task.band == "hard":
        assert abs(math.cos(wave * length)) < 1e-6  # an antinode at the open end
        order = ["fundamental", "next", "second", "third"]
        assert task.prompt.split("frequency of its ")[1].split()[0].strip("?") == order[nodes]
        return
    assert abs(math.sin(wave * length)) < 1e-6
    found = re.search(r"(\d)(?:nd|rd|th) harmonic", task.prompt)
    assert nodes + 1 == (int(found[1]) if found else 1)


@checks("waves.doppler")
def doppler(task: Draw) -> None:
    frequency, v = numbers(task.prompt)[:2]
    far = 10_000.0

    def arrival(n: int) -> float:
        """When the nth crest reaches the listener."""
        sent = n / frequency
        if task.band == "easy":
            return sent + (far - v * sent) / SOUND
        if task.band == "medium":
            return sent + (far + v / 3.6 * sent) / SOUND
        lorry = -v if "towards" in task.prompt else v
        met = bisect(lambda t: SOUND * (t - sent) - (far + lorry * t), sent, sent + 1e3)
        return met + (far + lorry * met) / SOUND

    assert near(1_000 / (arrival(1_000) - arrival(0)), value(task), 1e-6)


def curves(task: Draw) -> tuple[str, str]:
    """Right sides of the two curves of the prompt."""
    first, second, *_ = (f.split("=")[1] for f in formulas(task.prompt) if "=" in f)
    return first, second


@checks("microeconomics.equilibrium")
def equilibrium(task: Draw) -> None:
    demand, supply = curves(task)

    def wanted(p: float) -> float:
        return evaluate(demand, P=p)

    def offered(p: float) -> float:
        return evaluate(supply, P=p)

    price = bisect(lambda p: wanted(p) - offered(p), 0, 1_000)
    if task.band == "easy":
        assert near(price, value(task))
    elif task.band == "medium":
        assert near(wanted(price), value(task))
    else:
        tax = numbers(task.prompt)[0]
        paid = bisect(lambda p: wanted(p) - offered(p - tax), 0, 1_000)
        assert wanted(paid) > 0
        # Trades lost: at each price between, what buyers no longer take and sellers no longer give.
        lost = simpson(lambda p: wanted(p) - wanted(paid), price, paid)
        lost += simpson(lambda p: offered(p) - offered(paid - tax), paid - tax, price)
        assert near(lost, value(task))


@checks("microeconomics.elasticity")
def elasticity(task: Draw) -> None:
    given = numbers(task.prompt)
    if task.band == "easy":
        rise, fall = given
        word = "elastic" if fall > rise else "inelastic"
        only_the_right_one(
            task,
            [
                near(-fall / rise, numbers(o)[0], 6e-3) and o.endswith(f" {word}")
                for o, _ in option_values(task)
            ],
        )
    elif task.band == "medium":
        body, price = (f.split("=")[1] for f in formulas(task.prompt))
        p, h = float(price), 1e-4
        q = evaluate(body, P=p)
        change = (evaluate(body, P=p * (1 + h)) - evaluate(body, P=p * (1 - h))) / q
        assert near(change / (2 * h), value(task), 1e-5)
    else:
        p1, p2, q1, q2 = given
        in_q = (q2 - q1) / statistics.fmean([q1, q2])
        in_p = (p2 - p1) / statistics.fmean([p1, p2])
        assert near(in_q / in_p, value(task))
        assert value(task) < 0


@checks("microeconomics.surplus")
def surplus(task: Draw) -> None:
    if task.band == "easy":
        demand = formulas(task.prompt)[0].split("=")[1]
        (price,) = numbers(task.prompt)
        amount = bisect(lambda q: evaluate(demand, Q=q) - price, 0, 10_000)
        wanted = simpson(lambda q: evaluate(demand, Q=q) - price, 0, amount)
        assert near(wanted, value(task))
        return
    demand, supply = curves(task)

    def gap(q: float) -> float:
        return evaluate(demand, Q=q) - evaluate(supply, Q=q)

    amount = bisect(gap, 0, 10_000)
    low = numbers(task.prompt)[0] if task.band == "hard" else 0.0
    assert low < amount
    assert near(simpson(gap, low, amount), value(task))


@checks("microeconomics.profit")
def profit(task: Draw) -> None:
    given = numbers(task.prompt)
    body = next(f for f in formulas(task.prompt) if "=" in f).split("=")[1]
    if task.band == "easy":
        gains = [simpson(lambda q: given[0] - evaluate(body, Q=q), 0, n, 2) for n in range(80)]
        assert gains.index(max(gains)) == value(task)
        return
    gains = [(evaluate(body, Q=n) - given[0]) * n for n in range(80)]
    best = gains.index(max(gains))
    wanted = evaluate(body, Q=best) if task.band == "medium" else gains[best] - given[1]
    assert near(wanted, value(task))


@checks("microeconomics.comparative-advantage")
def comparative(task: Draw) -> None:
    a, b, c, d = numbers(task.prompt)
    # What one more of the first good costs each of them in the second.
    cost = {"Anna": b / a, "Ben": d / c} if task.band == "easy" else {"Anna": a / b, "Ben": c / d}
    low, high = sorted(cost.values())
    winner = min(cost, key=lambda name: cost[name])
    fits = []
    for option, _ in option_values(task):
        said = [evaluate(f) for f in formulas(option)]
        if task.band == "hard":
            fits.append(len(said) == 2 and near(low, said[0]) and near(high, said[1]))
        else:
            fits.append(option.startswith(winner) and near(low, said[0]))
    only_the_right_one(task, fits)


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("generator", [one.name for one in content.generators()])
def test_answer_is_right(generator: str, band: str) -> None:
    """Another method than the generator's own comes to the same answer, for 50 seeds."""
    for seed in SEEDS:
        task = content.draw(generator=generator, difficulty=band, seed=seed)
        assert task is not None
        try:
            CHECKS[generator](task)
        except AssertionError as error:
            msg = f"seed {seed}: {task.prompt}\nanswer {task.answer}"
            raise AssertionError(msg) from error


def test_shown_answer_is_read_as_shown() -> None:
    """The reader of shown answers, on which the contract rests, reads what is shown."""
    shown = r"$\varepsilon = -\frac{7}{2} \approx -3.5$"
    assert typed(shown) == "-3.5"
    assert typed(r"$x = -\frac{7\sqrt{3}}{2}$ cm") == "-(7sqrt(3))/(2) cm"
