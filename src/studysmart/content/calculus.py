"""Calculus: derivatives, extrema, integrals."""

from __future__ import annotations

import random
from fractions import Fraction

from studysmart.content.bank import Made, choice, generator, nonzero
from studysmart.content.text import (
    FRACTION_GOES,
    exact_and_rounded,
    par,
    poly,
    power,
    term,
)
from studysmart.grading import NumericAnswer

SUBJECT, TOPIC = "Mathematics", "Calculus"


@generator(
    "calculus.derivative-at-a-point", subject=SUBJECT, topic=TOPIC, title="Derivative at a point"
)
def derivative_at_a_point(rng: random.Random, band: str) -> Made:
    """A quadratic; a cubic; a product with a chain."""
    if band == "hard":
        a, b, n = rng.randint(2, 4), nonzero(rng, -5, 5), rng.randint(2, 3)
        c, d = rng.randint(1, 4), nonzero(rng, -6, 6)
        x = rng.randint(-2, 2)
        inner, outer = a * x + b, c * x + d
        value = c * inner**n + outer * n * a * inner ** (n - 1)
        inside, factor = poly([a, b]), poly([c, d])
        below = power(rf"\left({inside}\right)", n - 1)
        return Made(
            prompt=(
                rf"Let $f(x) = \left({factor}\right)\left({inside}\right)^{{{n}}}$. "
                rf"What is $f'({x})$?"
            ),
            answer=NumericAnswer(float(value), rel_tol=1e-6, abs_tol=1e-6),
            answer_text=f"$f'({x}) = {value}$",
            hints=(
                "It is a product: $(uv)' = u'v + uv'$.",
                rf"The second factor needs the chain rule; its inner derivative is ${a}$.",
            ),
            steps=(
                rf"$u = {factor}$ has $u' = {c}$; $v = \left({inside}\right)^{{{n}}}$ has "
                rf"$v' = {n} \cdot {a}\,{below}$.",
                rf"At $x = {x}$: ${inside} = {inner}$ and $u = {outer}$.",
                rf"$f'({x}) = {c} \cdot {par(inner)}^{{{n}}} + {par(outer)} \cdot {n * a} \cdot "
                rf"{power(par(inner), n - 1)}$, so $f'({x}) = {value}$.",
            ),
            expected_time_s=120.0,
        )
    x = nonzero(rng, -5, 6)
    degree = 2 if band == "easy" else 3
    c_all = [rng.randint(1, 6)] + [nonzero(rng, -9, 9) for _ in range(degree)]
    slope = [c_all[k] * (degree - k) for k in range(degree)]
    value = sum(s * x ** (degree - 1 - k) for k, s in enumerate(slope))
    return Made(
        prompt=f"Let $f(x) = {poly(c_all)}$. What is $f'({x})$?",
        answer=NumericAnswer(float(value), rel_tol=1e-6, abs_tol=1e-6),
        answer_text=f"$f'({x}) = {value}$",
        hints=(
            "Differentiate term by term: $(x^n)' = n x^{n-1}$; constants vanish.",
            f"$f'(x) = {poly(slope)}$. Now put in $x = {x}$.",
        ),
        steps=(
            f"$f'(x) = {poly(slope)}$.",
            f"Put in $x = {x}$: $f'({x}) = {value}$.",
        ),
        expected_time_s={"easy": 35.0, "medium": 60.0}[band],
    )


@generator(
    "calculus.differentiation-rules", subject=SUBJECT, topic=TOPIC, title="Differentiation rules"
)
def differentiation_rules(rng: random.Random, band: str) -> Made:
    """The chain rule; the product rule; the quotient rule; the usual slips as other options."""
    x = rng.choice(["x", "t"])
    a, k = rng.randint(2, 25), rng.randint(2, 20)
    if band == "easy":
        shown, like, sign = rng.choice(
            [
                (rf"\sin({k}{x})", rf"\cos({k}{x})", ""),
                (rf"\cos({k}{x})", rf"\sin({k}{x})", "-"),
                (f"e^{{{k}{x}}}", f"e^{{{k}{x}}}", ""),
            ]
        )
        function = f"{a}{shown}"
        right = f"${sign}{a * k}{like}$"
        if "e" in shown:
            wrong = [f"${a}{like}$", f"${a * k}e^{{{k - 1}{x}}}$".replace("{1" + x, "{" + x),
                     f"${a * k}{x}{like}$"]  # fmt: skip
        else:
            wrong = [f"${sign}{a}{like}$", f"${'' if sign else '-'}{a * k}{like}$",
                     f"${sign}{a * k}{like.replace(str(k), '')}$"]  # fmt: skip
        hints = (
            "What is the inner function, and what is its derivative?",
            f"The inner function is ${k}{x}$; its derivative ${k}$ is a factor.",
        )
        steps: tuple[str, ...] = (
            f"The outer function gives ${sign}{a}{like}$.",
            rf"The inner derivative ${k}$ multiplies it: ${sign}{a} \cdot {k} = {sign}{a * k}$",
        )
        seconds = 35.0
    elif band == "medium":
        m, k = rng.randint(2, 9), nonzero(rng, -9, 9, but=(1, -1))
        wave = f"e^{{{k}{x}}}"
        function = f"{a}{power(x, m)}{wave}"
        outside = f"{a}{power(x, m - 1)}{wave}"
        right = rf"${outside}\left({m}{term(k, x)}\right)$"
        wrong = [
            f"${a * m * k}{power(x, m - 1)}{wave}$",
            rf"${outside}\left({m} + {x}\right)$",
            f"${a * m}{power(x, m - 1)}{wave}$",
        ]
        hints = (
            "It is a product of two functions.",
            f"$(uv)' = u'v + uv'$ with $u = {a}{power(x, m)}$ and $v = {wave}$.",
        )
        steps = (
            f"$u' = {a * m}{power(x, m - 1)}$ and, by the chain rule, $v' = {k}{wave}$.",
            f"$u'v + uv' = {a * m}{power(x, m - 1)}{wave}{term(a * k, power(x, m))}{wave}$.",
            f"Take ${outside}$ out of both terms",
        )
        seconds = 70.0
    else:
        m, k = rng.randint(2, 9), rng.randint(2, 12)
        sine, cosine = rf"\sin({k}{x})", rf"\cos({k}{x})"
        function = rf"\frac{{{a}{sine}}}{{{power(x, m)}}}"
        below = power(x, m + 1)
        over = {
            "right": f"{a * k}{x}{cosine} - {a * m}{sine}",
            "sign": f"{a * k}{x}{cosine} + {a * m}{sine}",
            "chain": f"{a}{x}{cosine} - {a * m}{sine}",
            "order": f"{a * m}{sine} - {a * k}{x}{cosine}",
        }
        right = rf"$\frac{{{over['right']}}}{{{below}}}$"
        wrong = [rf"$\frac{{{over[slip]}}}{{{below}}}$" for slip in ("sign", "chain", "order")]
        wrong.append(rf"$\frac{{{a * k}{cosine}}}{{{m}{power(x, m - 1)}}}$")
        hints = (
            "It is a quotient of two functions.",
            r"$\left(\frac{u}{v}\right)' = \frac{u'v - uv'}{v^2}$; the numerator needs the chain "
            "rule too.",
        )
        steps = (
            f"$u' = {a * k}{cosine}$ and $v' = {m}{power(x, m - 1)}$.",
            rf"$\frac{{u'v - uv'}}{{v^2}} = \frac{{{a * k}{power(x, m)}{cosine} - "
            rf"{a * m}{power(x, m - 1)}{sine}}}{{{power(x, 2 * m)}}}$.",
            f"Cancel ${power(x, m - 1)}$",
        )
        seconds = 110.0
    answer, letter = choice(rng, right, wrong)
    return Made(
        prompt=f"What is the derivative of $f({x}) = {function}$ with respect to ${x}$?",
        answer=answer,
        answer_text=f"{letter}: {right}",
        hints=hints,
        steps=(*steps[:-1], f"{steps[-1]}: this is {letter}: {right}."),
        expected_time_s=seconds,
    )


@generator("calculus.extrema", subject=SUBJECT, topic=TOPIC, title="Extrema")
def extrema(rng: random.Random, band: str) -> Made:
    """The vertex of a parabola; a local extremum of a cubic; the largest value on an interval."""
    if band == "easy":
        a, at, c = nonzero(rng, -5, 5), nonzero(rng, -9, 9), rng.randint(-20, 20)
        b = -2 * a * at
        kind = "smallest" if a > 0 else "largest"
        return Made(
            prompt=f"At which $x$ is $f(x) = {poly([a, b, c])}$ {kind}?",
            answer=NumericAnswer(float(at), rel_tol=1e-6, abs_tol=1e-6),
            answer_text=f"$x = {at}$",
            hints=("What is the slope at such a point?", f"$f'(x) = {poly([2 * a, b])}$."),
            steps=(
                f"$f'(x) = {poly([2 * a, b])}$.",
                f"It vanishes where ${poly([2 * a, 0])} = {-b}$, so $x = {at}$.",
            ),
            expected_time_s=45.0,
        )
    p = rng.randint(-5, 4)
    q = p + rng.randint(1, 6)
    sign, c = rng.choice([1, -1]), rng.randint(-20, 20)
    f = [2 * sign, -3 * sign * (p + q), 6 * sign * p * q, c]
    slope = [6 * sign, -6 * sign * (p + q), 6 * sign * p * q]
    factors = f"{6 * sign}{_factors(p, q)}"
    first = f"$f'(x) = {poly(slope)} = {factors}$, which vanishes at $x = {p}$ and $x = {q}$."
    if band == "medium":
        kind = rng.choice(["maximum", "minimum"])
        at = p if (kind == "maximum") == (sign > 0) else q
        bend = 12 * sign * at - 6 * sign * (p + q)
        return Made(
            prompt=f"At which $x$ does $f(x) = {poly(f)}$ have its local **{kind}**?",
            answer=NumericAnswer(float(at), rel_tol=1e-6, abs_tol=1e-6),
            answer_text=f"$x = {at}$",
            hints=(
                "Where does the slope vanish, and which way does it change sign there?",
                f"$f'(x) = {poly(slope)}$; the second derivative is negative at a maximum.",
            ),
            steps=(
                first,
                f"$f''(x) = {poly([12 * sign, -6 * sign * (p + q)])}$, "
                f"and $f''({at}) = {bend}$ is {'negative' if bend < 0 else 'positive'}.",
                f"So the local {kind} is at $x = {at}$.",
            ),
            expected_time_s=100.0,
        )
    low, high = p - rng.randint(0, 3), q + rng.randint(0, 3)
    kind = rng.choice(["largest", "smallest"])
    points = sorted({low, p, q, high})
    values = [sum(k * x ** (3 - n) for n, k in enumerate(f)) for x in points]
    value = max(values) if kind == "largest" else min(values)
    table = ", ".join(f"$f({x}) = {y}$" for x, y in zip(points, values, strict=True))
    return Made(
        prompt=(
            f"What is the {kind} **value** of $f(x) = {poly(f)}$ for "
            rf"${low} \le x \le {high}$?"
        ),
        answer=NumericAnswer(float(value), rel_tol=1e-6, abs_tol=1e-6),
        answer_text=f"${value}$",
        hints=(
            "The extreme value lies where the slope vanishes, or at an end.",
            f"$f'(x) = {poly(slope)}$: where does it vanish?",
        ),
        steps=(
            first,
            f"Compare with the ends: {table}.",
            f"The {kind} of these is ${value}$.",
        ),
        expected_time_s=170.0,
    )


@generator("calculus.definite-integrals", subject=SUBJECT, topic=TOPIC, title="Integrals")
def definite_integrals(rng: random.Random, band: str) -> Made:
    """A linear function; a quadratic; an area between a parabola and a line."""
    if band == "hard":
        left = rng.randint(-5, 2)
        right = left + rng.randint(2, 6)
        a = rng.randint(1, 3)
        area = Fraction(a * (right - left) ** 3, 6)
        m, k = nonzero(rng, -4, 4), rng.randint(-6, 6)
        gap = poly([a, -a * (left + right), a * left * right])
        curve = poly([a, m - a * (left + right), k + a * left * right])
        answer = exact_and_rounded(area)
        return Made(
            prompt=(
                f"What is the area enclosed by $y = {curve}$ and $y = {poly([m, k])}$? "
                f"{FRACTION_GOES}"
            ),
            answer=NumericAnswer(float(area), rel_tol=0.005),
            answer_text=f"${answer}$",
            hints=(
                "Where do the two curves meet? Set them equal.",
                f"They meet at $x = {left}$ and $x = {right}$; integrate upper minus lower.",
            ),
            steps=(
                f"The difference is ${gap} = {'' if a == 1 else a}{_factors(left, right)}$.",
                f"It vanishes at $x = {left}$ and $x = {right}$ and is negative between them.",
                rf"The area is $-\int_{{{left}}}^{{{right}}} \left({gap}\right) dx = {answer}$.",
            ),
            expected_time_s=180.0,
        )
    low = rng.randint(-3, 3)
    high = low + rng.randint(1, 5)
    if band == "easy":
        c = [2 * nonzero(rng, -5, 5), nonzero(rng, -9, 9)]
    else:
        c = [3 * nonzero(rng, -3, 3), 2 * nonzero(rng, -4, 4), nonzero(rng, -6, 6)]
    degree = len(c) - 1
    up = [c[k] // (degree - k + 1) for k in range(len(c))] + [0]

    def total(x: int) -> int:
        return sum(u * x ** (degree + 1 - k) for k, u in enumerate(up))

    value = total(high) - total(low)
    return Made(
        prompt="Evaluate the integral.\n\n"
        rf"$$\int_{{{low}}}^{{{high}}} \left({poly(c)}\right) dx$$",
        answer=NumericAnswer(float(value), rel_tol=1e-6, abs_tol=1e-6),
        answer_text=f"${value}$",
        hints=(
            "Find an antiderivative $F$ and take $F$ at the upper limit minus $F$ at the lower.",
            f"$F(x) = {poly(up)}$.",
        ),
        steps=(
            f"An antiderivative is $F(x) = {poly(up)}$.",
            f"$F({high}) = {total(high)}$ and $F({low}) = {total(low)}$.",
            f"The integral is ${total(high)} - {par(total(low))} = {value}$.",
        ),
        expected_time_s={"easy": 50.0, "medium": 80.0}[band],
    )


def _factors(*roots: int) -> str:
    """(x - p)(x - q), with a plain x in front."""
    return "".join(
        "x" if root == 0 else f"(x{term(-root, '')})" for root in sorted(roots, key=bool)
    )
