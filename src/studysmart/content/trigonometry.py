"""Trigonometry: triangles, exact values, identities."""

from __future__ import annotations

import math
import random
from fractions import Fraction

from studysmart.content.bank import Made, choice, generator
from studysmart.content.text import THREE_FIGURES, combine, num, sig, surd
from studysmart.grading import NumericAnswer

SUBJECT, TOPIC = "Mathematics", "Trigonometry"


@generator("trigonometry.right-triangles", subject=SUBJECT, topic=TOPIC, title="Right triangles")
def right_triangles(rng: random.Random, band: str) -> Made:
    """A side from two sides; a side from an angle; a height from two angles."""
    if band == "easy":
        a, b = rng.randint(3, 60), rng.randint(3, 60)
        if rng.random() < 0.5:
            value = math.hypot(a, b)
            return _side(
                prompt=f"A right triangle has legs of ${a}$ cm and ${b}$ cm. How long is the "
                f"hypotenuse? {THREE_FIGURES}",
                value=value,
                formula=r"$c = \sqrt{a^2 + b^2}$.",
                steps=(f"$c^2 = {a}^2 + {b}^2 = {a * a + b * b}$.",
                       rf"$c = \sqrt{{{a * a + b * b}}} \approx {sig(value)}$ cm."),
            )  # fmt: skip
        c = a + b // 2 + 1
        value = math.sqrt(c * c - a * a)
        return _side(
            prompt=f"A right triangle has a hypotenuse of ${c}$ cm and a leg of ${a}$ cm. How long "
            f"is the other leg? {THREE_FIGURES}",
            value=value,
            formula=r"$b = \sqrt{c^2 - a^2}$.",
            steps=(f"$b^2 = {c}^2 - {a}^2 = {c * c - a * a}$.",
                   rf"$b = \sqrt{{{c * c - a * a}}} \approx {sig(value)}$ cm."),
        )  # fmt: skip
    if band == "medium":
        angle, side = rng.randint(20, 70), rng.randint(5, 60)
        name, wanted, ratio = rng.choice(
            [
                (r"\sin", "opposite", math.sin(math.radians(angle))),
                (r"\cos", "adjacent", math.cos(math.radians(angle))),
            ]
        )
        value = side * ratio
        return Made(
            prompt=(
                rf"In a right triangle the hypotenuse is ${side}$ cm and one acute angle is "
                rf"${angle}^\circ$. How long is the side **{wanted}** to that angle? "
                f"{THREE_FIGURES}"
            ),
            answer=NumericAnswer(value, rel_tol=0.005, unit="cm"),
            answer_text=rf"$x \approx {sig(value)}$ cm",
            hints=(
                "Which ratio ties this side to the hypotenuse?",
                rf"${name}\alpha = \frac{{\text{{{wanted}}}}}{{\text{{hypotenuse}}}}$.",
            ),
            steps=(
                rf"${name} {angle}^\circ = \frac{{x}}{{{side}}}$.",
                rf"$x = {side} \cdot {name} {angle}^\circ$, so $x \approx {sig(value)}$ cm.",
            ),
            expected_time_s=60.0,
        )
    far, walked = rng.randint(15, 40), rng.randint(10, 80)
    near = far + rng.randint(8, 30)
    value = walked / (1 / math.tan(math.radians(far)) - 1 / math.tan(math.radians(near)))
    thing = rng.choice(["tower", "tree", "cliff", "mast"])
    return Made(
        prompt=(
            rf"From a point on level ground one sees the top of a {thing} under ${far}^\circ$. "
            rf"After walking ${walked}$ m straight towards it, one sees it under ${near}^\circ$. "
            f"How high is the {thing}? Leave the height of the eyes out. {THREE_FIGURES}"
        ),
        answer=NumericAnswer(value, rel_tol=0.01, unit="m"),
        answer_text=rf"$h \approx {sig(value)}$ m",
        hints=(
            "Sketch two right triangles with the same height.",
            r"With the distance $x$ from the nearer point: "
            r"$\tan\beta = \frac{h}{x}$ and $\tan\alpha = \frac{h}{x + d}$.",
            r"$h = \frac{d}{\cot\alpha - \cot\beta}$.",
        ),
        steps=(
            rf"$x = h \cot {near}^\circ$ and $x + {walked} = h \cot {far}^\circ$.",
            rf"Taking one from the other: ${walked} = h\,(\cot {far}^\circ - \cot {near}^\circ)$.",
            rf"$\cot {far}^\circ - \cot {near}^\circ \approx {sig(walked / value, 5)}$.",
            rf"$h \approx \frac{{{walked}}}{{{sig(walked / value, 5)}}}$, "
            rf"so $h \approx {sig(value)}$ m.",
        ),
        expected_time_s=180.0,
    )


def _side(*, prompt: str, value: float, formula: str, steps: tuple[str, ...]) -> Made:
    return Made(
        prompt=prompt,
        answer=NumericAnswer(value, rel_tol=0.005, unit="cm"),
        answer_text=f"${sig(value)}$ cm",
        hints=("Which theorem ties the three sides of a right triangle?", formula),
        steps=steps,
        expected_time_s=40.0,
    )


# Angle in degrees -> (coefficient, number under the root) of sine, cosine and tangent.
_ONE, _NONE = (Fraction(1), 1), (Fraction(0), 1)
_HALF, _ROOT_2, _ROOT_3 = (Fraction(1, 2), 1), (Fraction(1, 2), 2), (Fraction(1, 2), 3)
_EXACT: dict[int, tuple[tuple[Fraction, int], ...]] = {
    0: (_NONE, _ONE, _NONE),
    30: (_HALF, _ROOT_3, (Fraction(1, 3), 3)),
    45: (_ROOT_2, _ROOT_2, _ONE),
    60: (_ROOT_3, _HALF, (Fraction(1), 3)),
    90: (_ONE, _NONE),
}
_NAMES = (r"\sin", r"\cos", r"\tan")


@generator("trigonometry.exact-values", subject=SUBJECT, topic=TOPIC, title="Exact values")
def exact_values(rng: random.Random, band: str) -> Made:
    """The first quadrant; all four; radians, with two terms."""
    a = rng.randint(2, 20)
    if band != "hard":
        name, angle, base, (part, radicand) = _pick(rng, turned=band == "medium")
        extra = rng.randint(1, 20)
        total = combine((extra, ""), (1, surd(a * part, radicand))) if radicand > 1 else ""
        value = extra + float(a * part) * math.sqrt(radicand)
        shown = rf"{a}{name} {angle}^\circ + {extra}"
        if radicand == 1:
            total = num(a * part + extra)
        elif part < 0:
            total = f"{extra} - {surd(-a * part, radicand)}"
        whys: tuple[str, ...] = (_why(name, rf"{angle}^\circ", angle, base, part, radicand),)
        put_in = rf"${shown} = {a} \cdot {_wrap(part, radicand)} + {extra} = {total}$."
    else:
        name, angle, base, (part, radicand) = _pick(rng, turned=True)
        name_2, angle_2, base_2, (part_2, radicand_2) = _pick(rng, turned=True)
        b = rng.randint(2, 9)
        first, second = a * part, b * part_2
        value = float(first) * math.sqrt(radicand) + float(second) * math.sqrt(radicand_2)
        if radicand == radicand_2:
            total = surd(first + second, radicand)
        elif 0 in (first, second):
            total = surd(first, radicand) if first else surd(second, radicand_2)
        else:
            sign = "-" if second < 0 else "+"
            total = f"{surd(first, radicand)} {sign} {surd(abs(second), radicand_2)}"
        turn, turn_2 = _radians(angle), _radians(angle_2)
        shown = rf"{a}{name} {turn} + {b}{name_2} {turn_2}"
        whys = (
            _why(name, turn, angle, base, part, radicand),
            _why(name_2, turn_2, angle_2, base_2, part_2, radicand_2),
        )
        put_in = (
            rf"${a} \cdot {_wrap(part, radicand)} + {b} \cdot {_wrap(part_2, radicand_2)}"
            rf" = {total}$."
        )
    return Made(
        prompt=(
            f"Find the exact value (roots and fractions may stay), without a table.\n\n$${shown}$$"
        ),
        answer=NumericAnswer(value, rel_tol=0.002, abs_tol=0.002),
        answer_text=f"${total}$",
        hints=(
            "Think of the point on the unit circle: cosine is its first coordinate, "
            "sine its second.",
            "Compare each angle with the one in the first quadrant that makes the same angle with "
            "the horizontal axis, then mind the sign.",
        ),
        steps=(*whys, put_in),
        expected_time_s={"easy": 30.0, "medium": 50.0, "hard": 110.0}[band],
    )


def _pick(rng: random.Random, *, turned: bool) -> tuple[str, int, int, tuple[Fraction, int]]:
    """A function, an angle in degrees, its acute partner, and the exact value."""
    base = rng.choice([30, 45, 60] if turned else [0, 30, 45, 60, 90])
    which = rng.randrange(len(_EXACT[base]))
    quadrant = rng.randrange(1, 4) if turned else 0
    angle = (base, 180 - base, 180 + base, 360 - base)[quadrant]
    part, radicand = _EXACT[base][which]
    negative = quadrant in ((2, 3), (1, 2), (1, 3))[which]
    return _NAMES[which], angle, base, (-part if negative else part, radicand)


def _radians(angle: int) -> str:
    turn = Fraction(angle, 180)
    above = r"\pi" if turn.numerator == 1 else rf"{turn.numerator}\pi"
    return rf"\frac{{{above}}}{{{turn.denominator}}}"


def _wrap(part: Fraction, radicand: int) -> str:
    shown = surd(part, radicand)
    return rf"\left({shown}\right)" if part < 0 else shown


def _why(name: str, turn: str, angle: int, base: int, part: Fraction, radicand: int) -> str:
    value = surd(part, radicand)
    if angle == base:
        return f"${name} {turn} = {value}$."
    quadrant = ("second", "third", "fourth")[(angle - 1) // 90 - 1]
    sign = "negative" if part < 0 else "positive"
    return (
        rf"${turn}$ lies in the {quadrant} quadrant, ${base}^\circ$ from the horizontal axis, "
        f"where this function is {sign}: ${name} {turn} = {value}$."
    )


@generator("trigonometry.identities", subject=SUBJECT, topic=TOPIC, title="Identities")
def identities(rng: random.Random, band: str) -> Made:
    """Sine and cosine squared; double angles; quotients."""
    letter = rng.choice(["x", "t", r"\alpha", r"\theta"])
    k = rng.randint(1, 9)
    u = f"({letter})" if k == 1 else f"({k}{letter})"
    double = f"({2 * k}{letter})"
    if band == "easy":
        a, b = sorted(rng.sample(range(2, 16), 2), reverse=True)
        d = a - b
        squared = rf"\sin^2{u}", rf"\cos^2{u}"
        times = "" if d == 1 else str(d)
        shown = f"{a}{squared[0]} + {b}{squared[1]}"
        right = f"${b} + {times}{squared[0]}$"
        wrong = [
            f"${a} + {times}{squared[0]}$", f"${b} + {times}{squared[1]}$",
            f"${b} - {times}{squared[0]}$", f"${a + b}$",
        ]  # fmt: skip
        rule = r"\sin^2 u + \cos^2 u = 1"
        step = f"Split off ${b}$ of each: ${b}({squared[0]} + {squared[1]}) + {times}{squared[0]}$"
    elif band == "medium":
        a = 2 * rng.randint(2, 25)
        half = a // 2
        sine, cosine = rf"\sin{u}", rf"\cos{u}"
        shown, rule, right, step = rng.choice(
            [
                (f"{a}{sine}{cosine}", r"\sin 2u = 2 \sin u \cos u", rf"${half}\sin{double}$",
                 rf"Half of it is taken up by the rule: ${half} \cdot 2{sine}{cosine}$"),
                (rf"{half} - {a}\sin^2{u}", r"\cos 2u = 1 - 2\sin^2 u", rf"${half}\cos{double}$",
                 rf"Take ${half}$ out: ${half}(1 - 2\sin^2{u})$"),
                (rf"{a}\cos^2{u} - {half}", r"\cos 2u = 2\cos^2 u - 1", rf"${half}\cos{double}$",
                 rf"Take ${half}$ out: ${half}(2\cos^2{u} - 1)$"),
            ]
        )  # fmt: skip
        wrong = [
            rf"${times}{name}{inner}$"
            for times, name, inner in (
                (half, r"\cos" if "sin" in right else r"\sin", double),
                (a, r"\sin" if "sin" in right else r"\cos", double),
                (half, r"\sin" if "sin" in right else r"\cos", u),
            )
        ]
    else:
        a = rng.randint(2, 25)
        shown, rule, right, step = rng.choice(
            [
                (rf"\frac{{{a}\sin{double}}}{{1 + \cos{double}}}",
                 r"\sin 2u = 2 \sin u \cos u \text{ and } 1 + \cos 2u = 2\cos^2 u",
                 rf"${a}\tan{u}$",
                 rf"It is $\frac{{{2 * a}\sin{u}\cos{u}}}{{2\cos^2{u}}}$"),
                (rf"\frac{{{a} - {a}\cos{double}}}{{\sin{double}}}",
                 r"1 - \cos 2u = 2\sin^2 u \text{ and } \sin 2u = 2 \sin u \cos u",
                 rf"${a}\tan{u}$",
                 rf"It is $\frac{{{2 * a}\sin^2{u}}}{{2\sin{u}\cos{u}}}$"),
                (rf"{a}\left(\sin{u} + \cos{u}\right)^2 - {a}",
                 r"\sin^2 u + \cos^2 u = 1 \text{ and } 2 \sin u \cos u = \sin 2u",
                 rf"${a}\sin{double}$",
                 rf"The square is $1 + 2\sin{u}\cos{u}$, and the ${a}$ drops out"),
                (rf"\frac{{{a}}}{{1 + \tan^2{u}}}",
                 r"1 + \tan^2 u = \frac{1}{\cos^2 u}",
                 rf"${a}\cos^2{u}$",
                 rf"It is ${a}$ divided by $\frac{{1}}{{\cos^2{u}}}$"),
            ]
        )  # fmt: skip
        pool = [rf"${a}\tan{u}$", rf"${a}\sin{double}$", rf"${a}\cos^2{u}$",
                rf"${a}\sin^2{u}$", rf"${a}\tan{double}$"]  # fmt: skip
        wrong = rng.sample([one for one in pool if one != right], 3)
    answer, option = choice(rng, right, wrong)
    return Made(
        prompt=f"Which expression is the same wherever both are defined?\n\n$${shown}$$",
        answer=answer,
        answer_text=f"{option}: {right}",
        hints=("Which known identity has terms like these?", f"Use ${rule}$."),
        steps=(f"Use ${rule}$.", f"{step}.", f"That is {option}: {right}."),
        expected_time_s={"easy": 45.0, "medium": 60.0, "hard": 90.0}[band],
    )
