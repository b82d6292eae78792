"""Algebra: equations, systems, powers."""

from __future__ import annotations

import math
import random
from fractions import Fraction

from studysmart.content.bank import Made, choice, generator, nonzero
from studysmart.content.text import THREE_FIGURES, num, par, poly, power, sig, term
from studysmart.grading import NumericAnswer

SUBJECT, TOPIC = "Mathematics", "Algebra"


@generator("algebra.linear-equations", subject=SUBJECT, topic=TOPIC, title="Linear equations")
def linear_equations(rng: random.Random, band: str) -> Made:
    """One unknown; on both sides from medium on; in brackets and with a fraction when hard."""
    x: Fraction = Fraction(rng.randint(-12, 15))
    if band == "easy":
        a, b = rng.randint(2, 12), nonzero(rng, -20, 20)
        total = a * x + b
        left, right = poly([a, b]), num(total)
        steps: tuple[str, ...] = (
            f"Take ${b}$ from both sides: ${poly([a, 0])} = {num(total - b)}$."
            if b > 0
            else f"Add ${-b}$ to both sides: ${poly([a, 0])} = {num(total - b)}$.",
            f"Divide by ${a}$: $x = {num(x)}$.",
        )
    elif band == "medium":
        a, b = rng.randint(4, 12), nonzero(rng, -15, 15)
        c = nonzero(rng, -6, 9, but=(a, a - 1))
        d = a * x + b - c * x
        left, right = poly([a, b]), poly([c, d])
        steps = (
            f"Bring the unknown to one side: ${poly([a - c, b])} = {num(d)}$.",
            f"Bring the numbers to the other: ${poly([a - c, 0])} = {num(d - b)}$.",
            f"Divide by ${a - c}$: $x = {num(x)}$.",
        )
    else:
        p, q = rng.randint(2, 6), nonzero(rng, -8, 8)
        r, s = rng.randint(2, 5), nonzero(rng, -9, 9)
        x = Fraction(rng.randint(-12, 15), rng.choice([1, 2]))
        total = p * (x + q) - Fraction(1, r) * (x - s)
        left = rf"{p}\left(x{term(q, '')}\right) - \frac{{x{term(-s, '')}}}{{{r}}}"
        right = num(total)
        both = total * r
        steps = (
            rf"Multiply by ${r}$: ${p * r}\left(x{term(q, '')}\right)"
            rf" - \left(x{term(-s, '')}\right) = {num(both)}$.",
            f"Open the brackets and collect: ${poly([p * r - 1, p * q * r + s])} = {num(both)}$.",
            f"So ${poly([p * r - 1, 0])} = {num(both - p * q * r - s)}$.",
            f"Divide by ${p * r - 1}$: $x = {num(x)}$.",
        )
    return Made(
        prompt=f"Solve for $x$:\n\n$${left} = {right}$$",
        answer=NumericAnswer(float(x), rel_tol=1e-6, abs_tol=1e-6),
        answer_text=f"$x = {num(x)}$",
        hints=(
            "Do the same to both sides until $x$ stands alone.",
            "First collect all terms with $x$ on one side and all numbers on the other.",
        ),
        steps=steps,
        expected_time_s={"easy": 25.0, "medium": 50.0, "hard": 110.0}[band],
    )


@generator("algebra.quadratics", subject=SUBJECT, topic=TOPIC, title="Quadratic equations")
def quadratics(rng: random.Random, band: str) -> Made:
    """Factors at sight; with a leading coefficient; with roots that are no fractions."""
    which = rng.choice(["larger", "smaller"])
    if band == "hard":
        while True:
            a, b, c = rng.randint(1, 5), nonzero(rng, -12, 12), nonzero(rng, -15, 15)
            below_root = b * b - 4 * a * c
            if below_root > 0 and math.isqrt(below_root) ** 2 != below_root:
                break
        size = rf"\sqrt{{{below_root}}}"
        sign = 1 if which == "larger" else -1
        value = (-b + sign * math.sqrt(below_root)) / (2 * a)
        other = (-b - sign * math.sqrt(below_root)) / (2 * a)
        shown, shown_other, tolerance = sig(value), sig(other), 0.005
        equals, wanted = r"\approx", f" {THREE_FIGURES}"
    else:
        a = 1 if band == "easy" else rng.randint(2, 5)
        low = rng.randint(-15, 12)
        high = rng.choice([n for n in range(low + 1, 16) if n not in {0, -low}])
        if low == 0:
            low = -high - 1
        value, other = float(high), float(low)
        if which == "smaller":
            value, other = other, value
        b, c = -a * (low + high), a * low * high
        below_root = b * b - 4 * a * c
        size = str(math.isqrt(below_root))
        shown, shown_other, tolerance = num(value), num(other), 1e-6
        equals, wanted = "=", ""
    left, right = rng.choice(
        [
            (poly([a, b, c]), "0"),
            (poly([a, b, 0]), num(-c)),
            (poly([a, 0, 0]), poly([-b, -c])),
            (poly([a, 0, c]), poly([-b, 0])),
        ]
    )
    return Made(
        prompt=(
            f"What is the **{which}** solution of this equation?{wanted}\n\n$${left} = {right}$$"
        ),
        answer=NumericAnswer(value, rel_tol=tolerance, abs_tol=1e-6),
        answer_text=f"$x {equals} {shown}$",
        hints=(
            r"Bring it to the form $ax^2 + bx + c = 0$; then "
            r"$x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$, or find two factors.",
            f"Here $a = {a}$, $b = {b}$, $c = {c}$.",
            f"What stands under the root is ${below_root}$.",
        ),
        steps=(
            f"In the form ${poly([a, b, c])} = 0$: $a = {a}$, $b = {b}$, $c = {c}$.",
            rf"Under the root: $b^2 - 4ac = {par(b)}^2 - 4 \cdot {a} \cdot {par(c)}"
            f" = {below_root}$.",
            rf"So $x = \frac{{{-b} \pm {size}}}{{{2 * a}}}$.",
            f"One solution is $x {equals} {shown_other}$; the {which} one is $x {equals} {shown}$.",
        ),
        expected_time_s={"easy": 50.0, "medium": 75.0, "hard": 120.0}[band],
    )


@generator("algebra.systems", subject=SUBJECT, topic=TOPIC, title="Two equations, two unknowns")
def systems(rng: random.Random, band: str) -> Made:
    """One equation already solved for y; then to be added; then to be multiplied first."""
    x, y = nonzero(rng, -9, 9), nonzero(rng, -9, 9)
    if band == "easy":
        m, a, b = nonzero(rng, -4, 5, but=(1, -1)), rng.randint(1, 6), rng.randint(1, 5)
        if a + b * m == 0:
            a += 1
        k = y - m * x
        c = a * x + b * y
        first, second = f"y = {poly([m, k])}", f"{_two(a, b)} = {c}"
        hints = (
            "Put what $y$ is into the other equation.",
            rf"${_two(a, 0)} + {b}\left({poly([m, k])}\right) = {c}$."
            if b > 1
            else f"${_two(a, 0)}{term(m, 'x')}{term(k, '')} = {c}$.",
        )
        steps: tuple[str, ...] = (
            f"Put $y$ into the second equation and collect: "
            f"${poly([a + b * m, 0])}{term(b * k, '')} = {c}$.",
            f"So ${poly([a + b * m, 0])} = {c - b * k}$.",
            f"Divide by ${a + b * m}$: $x = {x}$.",
        )
        if a + b * m == 1:
            steps = (steps[0], f"Hence $x = {x}$.")
    else:
        if band == "medium":
            a, b = rng.randint(1, 7), rng.randint(1, 7)
            d, e = rng.randint(1, 7), rng.choice([b, -b])
            if a * e == b * d:
                d += 1
        else:
            while True:
                a, b = nonzero(rng, -7, 7, but=(1, -1)), rng.choice([2, 3, 4, 5, 6, 7])
                d, e = nonzero(rng, -7, 7, but=(1, -1)), -rng.choice([2, 3, 5, 6, 7, 9])
                if a * e != b * d and abs(b) != abs(e):
                    break
        c, f = a * x + b * y, d * x + e * y
        first, second = f"{_two(a, b)} = {c}", f"{_two(d, e)} = {f}"
        least = math.lcm(abs(b), abs(e))
        up, down = least // b, -least // e  # the multiples add to nothing in y
        whole = a * up + d * down
        total = c * up + f * down
        hints = (
            "Multiply the equations so that $y$ drops out when they are added.",
            f"Take the first ${par(up)}$ times and the second ${par(down)}$ times."
            if (up, down) != (1, 1)
            else "Here they can be added as they are.",
        )
        steps = (
            *(
                f"The {name} times ${factor}$: ${_two(*(factor * k for k in sides))} = {right}$."
                for name, factor, sides, right in (
                    ("first", up, (a, b), c * up),
                    ("second", down, (d, e), f * down),
                )
                if factor != 1
            ),
            f"Added, $y$ drops out: ${poly([whole, 0])} = {total}$.",
            f"So $x = {x}$.",
        )
    return Made(
        prompt=f"Find $x$.\n\n$${first}$$\n\n$${second}$$",
        answer=NumericAnswer(float(x), rel_tol=1e-6, abs_tol=1e-6),
        answer_text=f"$x = {x}$",
        hints=hints,
        steps=steps,
        expected_time_s={"easy": 60.0, "medium": 75.0, "hard": 120.0}[band],
    )


@generator("algebra.powers", subject=SUBJECT, topic=TOPIC, title="Laws of exponents")
def powers(rng: random.Random, band: str) -> Made:
    """Product and quotient; a power of a product; both, with two letters."""
    x, y = rng.choice([("x", "y"), ("a", "b"), ("u", "v"), ("p", "q"), ("m", "n")])
    if band == "easy":
        a, b = rng.randint(3, 12), rng.randint(3, 12)
        c = rng.choice([n for n in range(2, a + b - 1) if n <= 12])
        shown = rf"\frac{{{x}^{{{a}}} \cdot {x}^{{{b}}}}}{{{x}^{{{c}}}}}"
        right = f"${power(x, a + b - c)}$"
        wrong = [
            f"${power(x, e)}$"
            for e in (a * b - c, a + b + c, a * b, abs(a - b) + c, a + b)
            if e > 0
        ]
        steps: tuple[str, ...] = (
            f"Multiplying adds the exponents: ${a} + {b} = {a + b}$.",
            f"Dividing takes them away: ${a + b} - {c} = {a + b - c}$",
        )
        hints = (
            "What happens to the exponents when powers of one base are multiplied?",
            r"$x^m \cdot x^n = x^{m+n}$ and $\frac{x^m}{x^n} = x^{m-n}$.",
        )
    elif band == "medium":
        k, a, n, b = rng.randint(2, 5), rng.randint(2, 9), rng.randint(2, 4), rng.randint(2, 12)
        shown = rf"\left({k}{x}^{{{a}}}\right)^{{{n}}} \cdot {x}^{{{b}}}"
        right = f"${k**n}{power(x, a * n + b)}$"
        wrong = [
            f"${coefficient}{power(x, e)}$"
            for coefficient, e in (
                (k, a * n + b), (k * n, a * n + b), (k**n, a + n + b), (k**n, a * n * b),
                (k**n, a**n + b),
            )
        ]  # fmt: skip
        steps = (
            f"The power goes to both factors: ${k}^{{{n}}} = {k**n}$ and "
            rf"$\left({x}^{{{a}}}\right)^{{{n}}} = {power(x, a * n)}$.",
            f"Multiplying adds the exponents: ${a * n} + {b} = {a * n + b}$",
        )
        hints = (
            "The outer exponent belongs to every factor in the bracket.",
            r"$(kx^m)^n = k^n x^{mn}$.",
        )
    else:
        k, n = rng.randint(2, 4), rng.randint(2, 3)
        a, b, c, d = (rng.randint(2, 6) for _ in range(4))
        e, f = a * n - c, b * n + d
        if e in (0, 1):
            c, e = c + 2, e - 2
        shown = (
            rf"\frac{{\left({k}{x}^{{{a}}}{y}^{{{b}}}\right)^{{{n}}}}}{{{x}^{{{c}}}{y}^{{-{d}}}}}"
        )
        right = f"${k**n}{power(x, e)}{power(y, f)}$"
        wrong = [
            f"${coefficient}{power(x, p)}{power(y, q)}$"
            for coefficient, p, q in (
                (k**n, e, b * n - d), (k, e, f), (k * n, e, f), (k**n, a + n - c, b + n + d),
                (k**n, a * n + c, f), (k**n, a * n, b * n),
            )
            if p not in (0, 1) and q not in (0, 1)
        ]  # fmt: skip
        steps = (
            f"Above: $({k}{x}^{{{a}}}{y}^{{{b}}})^{{{n}}} "
            f"= {k**n}{power(x, a * n)}{power(y, b * n)}$.",
            f"Dividing takes exponents away: ${a * n} - {c} = {e}$ for ${x}$.",
            f"A negative one below adds: ${b * n} - (-{d}) = {f}$ for ${y}$",
        )
        hints = (
            "First the bracket, then one letter at a time.",
            r"$\frac{1}{y^{-n}} = y^{n}$.",
        )
    answer, letter = choice(rng, right, wrong)
    return Made(
        prompt=f"Simplify for positive letters.\n\n$${shown}$$",
        answer=answer,
        answer_text=f"{letter}: {right}",
        hints=hints,
        steps=(*steps[:-1], f"{steps[-1]}, which leaves {letter}: {right}."),
        expected_time_s={"easy": 25.0, "medium": 45.0, "hard": 80.0}[band],
    )


def _two(a: int, b: int) -> str:
    return f"{poly([a, 0])}{term(b, 'y')}"
