"""Algebra, trigonometry, calculus, statistics."""

from __future__ import annotations

import math
import random
from fractions import Fraction

from studysmart.content.bank import Made, choice, generator
from studysmart.content.text import num, poly, term
from studysmart.grading import NumericAnswer

SUBJECT = "Mathematics"


def _nonzero(rng: random.Random, low: int, high: int, *, but: tuple[int, ...] = ()) -> int:
    return rng.choice([n for n in range(low, high + 1) if n != 0 and n not in but])


@generator("algebra.linear-equations", subject=SUBJECT, topic="Algebra", title="Linear equations")
def linear_equations(rng: random.Random, band: str) -> Made:
    """One unknown; on both sides from medium on; in brackets and with a fraction when hard."""
    x: Fraction = Fraction(rng.randint(-9, 12))
    if band == "easy":
        a, b = rng.randint(2, 9), _nonzero(rng, -12, 12)
        c = a * x + b
        left, right = poly([a, b]), num(c)
        steps = (
            f"Take {num(Fraction(b))} from both sides: ${poly([a, 0])} = {num(c - b)}$."
            if b > 0
            else f"Add {num(Fraction(-b))} to both sides: ${poly([a, 0])} = {num(c - b)}$.",
            f"Divide by {a}: $x = {num(x)}$.",
        )
    elif band == "medium":
        a, b = rng.randint(4, 12), _nonzero(rng, -15, 15)
        c = _nonzero(rng, -6, 9, but=(a,))
        d = a * x + b - c * x
        left, right = poly([a, b]), poly([c, int(d)])
        steps = (
            f"Bring the unknown to one side: ${poly([a - c, 0])}{term(b, '')} = {num(d)}$.",
            f"Bring the numbers to the other: ${poly([a - c, 0])} = {num(d - b)}$.",
            f"Divide by ${num(Fraction(a - c))}$: $x = {num(x)}$.",
        )
    else:
        p, q = rng.randint(2, 6), _nonzero(rng, -8, 8)
        r, s = rng.randint(2, 5), _nonzero(rng, -9, 9)
        x = Fraction(rng.randint(-12, 15), rng.choice([1, 2]))
        total = p * (x + q) - Fraction(1, r) * (x - s)
        left = rf"{p}\left(x{term(q, '')}\right) - \frac{{x{term(-s, '')}}}{{{r}}}"
        right = num(total)
        both = total * r
        steps = (
            rf"Multiply by {r}: ${p * r}\left(x{term(q, '')}\right)"
            rf" - \left(x{term(-s, '')}\right) = {num(both)}$.",
            f"Open the brackets and collect: ${poly([p * r - 1, p * q * r + s])} = {num(both)}$.",
            f"So ${poly([p * r - 1, 0])} = {num(both - p * q * r - s)}$.",
            f"Divide by {p * r - 1}: $x = {num(x)}$.",
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


@generator("algebra.quadratics", subject=SUBJECT, topic="Algebra", title="Quadratic equations")
def quadratics(rng: random.Random, band: str) -> Made:
    """The larger root; factors at sight, then with a leading coefficient, then with halves."""
    if band == "easy":
        low = rng.randint(-6, 4)
        roots, a = (Fraction(low), Fraction(low + rng.randint(1, 8))), 1
    elif band == "medium":
        low = rng.randint(-9, 5)
        roots, a = (Fraction(low), Fraction(low + rng.randint(2, 14))), rng.randint(2, 5)
    else:
        a = rng.choice([2, 4, 6, 8])
        low = Fraction(2 * rng.randint(-8, 5) + 1, 2)
        roots = (low, low + rng.randint(1, 9))
        if (a * roots[0] * roots[1]).denominator != 1:
            a *= 2
    first, second = roots
    b, c = -a * (first + second), a * first * second
    root = b * b - 4 * a * c
    size = math.isqrt(int(root))
    return Made(
        prompt=f"What is the **larger** solution of\n\n$${poly([a, int(b), int(c)])} = 0\\,?$$",
        answer=NumericAnswer(float(second), rel_tol=1e-6, abs_tol=1e-6),
        answer_text=f"$x = {num(second)}$",
        hints=(
            r"Use $x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$, or find two factors.",
            f"Here $a = {a}$, $b = {num(b)}$, $c = {num(c)}$.",
            f"The number under the root is ${num(root)}$.",
        ),
        steps=(
            f"$a = {a}$, $b = {num(b)}$, $c = {num(c)}$, so $b^2 - 4ac = {num(root)}$.",
            rf"Its root is ${size}$, so $x = \frac{{{num(-b)} \pm {size}}}{{{2 * a}}}$.",
            f"The solutions are ${num(first)}$ and ${num(second)}$.",
            f"The larger one is $x = {num(second)}$.",
        ),
        expected_time_s={"easy": 45.0, "medium": 70.0, "hard": 110.0}[band],
    )


@generator(
    "trigonometry.right-triangles", subject=SUBJECT, topic="Trigonometry", title="Right triangles"
)
def right_triangles(rng: random.Random, band: str) -> Made:
    """A Pythagorean side, a side from an angle, then an angle from two sides."""
    if band == "easy":
        a, b, c = rng.choice([(3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25), (20, 21, 29)])
        k = rng.randint(1, 9)
        a, b, c = a * k, b * k, c * k
        if rng.random() < 0.5:
            a, b = b, a
        return Made(
            prompt=(
                f"A right triangle has the legs ${a}$ cm and ${b}$ cm. "
                "How long is the hypotenuse, in cm?"
            ),
            answer=NumericAnswer(float(c), rel_tol=0.001, unit="cm"),
            answer_text=f"${c}$ cm",
            hints=(
                "Which theorem ties the three sides of a right triangle?",
                r"$c = \sqrt{a^2 + b^2}$.",
            ),
            steps=(
                f"$c^2 = {a}^2 + {b}^2 = {a * a + b * b}$.",
                rf"$c = \sqrt{{{a * a + b * b}}} = {c}$ cm.",
            ),
            expected_time_s=35.0,
        )
    angle, side = rng.randint(20, 70), rng.randint(5, 60)
    if band == "medium":
        name, wanted, factor = rng.choice(
            [
                (r"\sin", "opposite", math.sin(math.radians(angle))),
                (r"\cos", "adjacent", math.cos(math.radians(angle))),
            ]
        )
        value = side * factor
        return Made(
            prompt=(
                rf"In a right triangle the hypotenuse is ${side}$ cm and one acute angle is "
                rf"${angle}^\circ$. How long is the side **{wanted}** to that angle, in cm? "
                "Give at least three figures."
            ),
            answer=NumericAnswer(value, rel_tol=0.005, unit="cm"),
            answer_text=f"${num(value, 3)}$ cm",
            hints=(
                "Which ratio ties this side to the hypotenuse?",
                rf"${name}\alpha = \frac{{\text{{{wanted}}}}}{{\text{{hypotenuse}}}}$.",
            ),
            steps=(
                rf"${name}{angle}^\circ = \frac{{x}}{{{side}}}$.",
                rf"$x = {side} \cdot {name}{angle}^\circ \approx {num(value, 3)}$ cm.",
            ),
            expected_time_s=60.0,
        )
    other = rng.randint(5, 60)
    value = math.degrees(math.atan2(side, other))
    height = rng.choice(["tower", "tree", "cliff", "mast"])
    return Made(
        prompt=(
            f"From the foot of a {height} one walks ${other}$ m away on level ground. "
            f"The {height} is ${side}$ m high. Under which angle above the ground, in degrees, "
            "does one see its top? Give at least three figures."
        ),
        answer=NumericAnswer(value, rel_tol=0.005, unit="°"),
        answer_text=rf"${num(value, 2)}^\circ$",
        hints=(
            "Sketch the triangle: which two sides are known, seen from the angle?",
            r"$\tan\alpha = \frac{\text{opposite}}{\text{adjacent}}$.",
        ),
        steps=(
            rf"The height is opposite, the distance adjacent: $\tan\alpha = \frac{{{side}}}{{{other}}}$.",
            rf"$\alpha = \arctan\frac{{{side}}}{{{other}}} \approx {num(value, 2)}^\circ$.",
        ),
        expected_time_s=90.0,
    )


_EXACT = {
    0: ("0", "1", "0"),
    30: (r"\frac{1}{2}", r"\frac{\sqrt{3}}{2}", r"\frac{\sqrt{3}}{3}"),
    45: (r"\frac{\sqrt{2}}{2}", r"\frac{\sqrt{2}}{2}", "1"),
    60: (r"\frac{\sqrt{3}}{2}", r"\frac{1}{2}", r"\sqrt{3}"),
    90: ("1", "0", None),
}


@generator("trigonometry.exact-values", subject=SUBJECT, topic="Trigonometry", title="Exact values")
def exact_values(rng: random.Random, band: str) -> Made:
    """First quadrant; then all four; then radians and turns."""
    while True:
        which = rng.randrange(3)
        base = rng.choice([30, 45, 60] if band != "easy" else [0, 30, 45, 60, 90])
        value = _EXACT[base][which]
        if value is not None:
            break
    quadrant = 0 if band == "easy" else rng.randrange(1, 4)
    angle = (base, 180 - base, 180 + base, 360 - base)[quadrant]
    negative = (quadrant in (2, 3), quadrant in (1, 2), quadrant in (1, 3))[which] and value != "0"
    name = (r"\sin", r"\cos", r"\tan")[which]
    right = ("-" if negative else "") + value
    if band == "hard":
        turns = rng.randint(1, 3) * rng.choice([-1, 1])
        radians = Fraction(angle, 180) + 2 * turns
        top = "" if abs(radians.numerator) == 1 else str(abs(radians.numerator))
        sign = "-" if radians < 0 else ""
        below = radians.denominator
        shown = (
            rf"\left({sign}\frac{{{top}\pi}}{{{below}}}\right)"
            if below > 1
            else (rf"\left({sign}{top}\pi\right)")
        )
        why = (
            rf"Whole turns change nothing: take ${2 * turns}\pi$ away, "
            rf"which leaves ${angle}^\circ$."
        )
    else:
        shown, why = rf" {angle}^\circ", rf"The angle ${angle}^\circ$ is as it stands."
    pool = [r"\frac{1}{2}", r"\frac{\sqrt{2}}{2}", r"\frac{\sqrt{3}}{2}", "0", "1",
            r"\frac{\sqrt{3}}{3}", r"\sqrt{3}"]  # fmt: skip
    flipped = value if negative else f"-{value}" if value != "0" else "-1"
    others = [p for p in pool if p != value]
    rng.shuffle(others)
    sign_of = "-" if negative else ""
    wrong = [flipped] + [p if p == "0" else sign_of + p for p in others[:2]]
    answer, letter = choice(rng, f"${right}$", [f"${w}$" for w in wrong])
    turned = ("", "second", "third", "fourth")[quadrant]
    return Made(
        prompt=f"What is the exact value of $${name}{shown}\\,?$$",
        answer=answer,
        answer_text=f"{letter}: ${right}$",
        hints=(
            "Think of the point on the unit circle: cosine is its first coordinate, sine its second.",
            rf"Compare with the angle ${base}^\circ$ in the first quadrant, then mind the sign.",
        ),
        steps=(
            why,
            rf"In the first quadrant, ${name}{base}^\circ = {value}$.",
            (
                f"In the {turned} quadrant the sign is {'minus' if negative else 'plus'}: "
                if quadrant
                else "No sign changes there: "
            )
            + f"the value is ${right}$, which is {letter}.",
        ),
        expected_time_s={"easy": 20.0, "medium": 40.0, "hard": 75.0}[band],
    )


@generator("calculus.derivative-at-a-point", subject=SUBJECT, topic="Calculus", title="Derivatives")
def derivative_at_a_point(rng: random.Random, band: str) -> Made:
    """A quadratic; a cubic; a product with a chain."""
    x = _nonzero(rng, -4, 5)
    if band == "hard":
        a, b, n = rng.randint(2, 4), _nonzero(rng, -5, 5), rng.randint(2, 3)
        x = rng.randint(-2, 2)
        inner = a * x + b
        value = inner**n + x * n * a * inner ** (n - 1)
        inside = poly([a, b])
        factor = rf"\left({inside}\right)^{{{n - 1}}}" if n > 2 else rf"\left({inside}\right)"
        return Made(
            prompt=(rf"Let $f(x) = x\left({inside}\right)^{{{n}}}$. What is $f'({x})$?"),
            answer=NumericAnswer(float(value), rel_tol=1e-6, abs_tol=1e-6),
            answer_text=f"$f'({x}) = {value}$",
            hints=(
                "It is a product: $(uv)' = u'v + uv'$.",
                rf"The second factor needs the chain rule: its inner derivative is ${a}$.",
            ),
            steps=(
                rf"$f'(x) = \left({inside}\right)^{{{n}}} + x \cdot {n} \cdot {a}\,{factor}$.",
                rf"At $x = {x}$ the bracket is ${inner}$.",
                rf"$f'({x}) = ({inner})^{{{n}}} + ({x}) \cdot {n * a} \cdot ({inner})^{{{n - 1}}}"
                rf" = {value}$.",
            ),
            expected_time_s=120.0,
        )
    degree = 2 if band == "easy" else 3
    c = [rng.randint(1, 5)] + [_nonzero(rng, -7, 7) for _ in range(degree)]
    slope = [c[k] * (degree - k) for k in range(degree)]
    value = sum(s * x ** (degree - 1 - k) for k, s in enumerate(slope))
    return Made(
        prompt=f"Let $f(x) = {poly(c)}$. What is $f'({x})$?",
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


@generator("calculus.definite-integrals", subject=SUBJECT, topic="Calculus", title="Integrals")
def definite_integrals(rng: random.Random, band: str) -> Made:
    """A linear function; a quadratic; an area between a parabola and a line."""
    if band == "hard":
        left = rng.randint(-4, 1)
        right = left + rng.randint(2, 6)
        a = rng.randint(1, 3)
        area = Fraction(a * (right - left) ** 3, 6)
        m, k = rng.randint(-3, 3), rng.randint(-4, 4)
        curve = poly([a, m - a * (left + right), k + a * left * right])
        line = poly([m, k])
        return Made(
            prompt=(
                f"What is the area enclosed by $y = {curve}$ and $y = {line}$? "
                "A fraction is welcome."
            ),
            answer=NumericAnswer(float(area), rel_tol=0.002),
            answer_text=f"${num(area)}$",
            hints=(
                "Where do the two curves meet? Set them equal.",
                f"They meet at $x = {left}$ and $x = {right}$; integrate upper minus lower.",
            ),
            steps=(
                f"The difference is ${poly([a, -a * (left + right), a * left * right])}"
                f" = {'' if a == 1 else a}(x{term(-left, '')})(x{term(-right, '')})$."
                if left and right
                else f"The difference is ${poly([a, -a * (left + right), a * left * right])}$.",
                f"It vanishes at $x = {left}$ and $x = {right}$ and is negative between them.",
                rf"The area is $\int_{{{left}}}^{{{right}}} "
                rf"-\left({poly([a, -a * (left + right), a * left * right])}\right)\,dx"
                rf" = {num(area)}$.",
            ),
            expected_time_s=180.0,
        )
    low = rng.randint(-2, 2)
    high = low + rng.randint(1, 4)
    if band == "easy":
        c = [2 * _nonzero(rng, -4, 5), _nonzero(rng, -7, 8)]
    else:
        c = [3 * _nonzero(rng, -3, 3), 2 * _nonzero(rng, -4, 4), _nonzero(rng, -6, 6)]
    degree = len(c) - 1
    up = [c[k] // (degree - k + 1) for k in range(len(c))] + [0]
    at = lambda x: sum(u * x ** (degree + 1 - k) for k, u in enumerate(up))  # noqa: E731
    value = at(high) - at(low)
    return Made(
        prompt=rf"Evaluate $$\int_{{{low}}}^{{{high}}} \left({poly(c)}\right)dx.$$",
        answer=NumericAnswer(float(value), rel_tol=1e-6, abs_tol=1e-6),
        answer_text=f"${value}$",
        hints=(
            "Find an antiderivative $F$ and take $F$ at the upper limit minus $F$ at the lower.",
            f"$F(x) = {poly(up)}$.",
        ),
        steps=(
            f"An antiderivative is $F(x) = {poly(up)}$.",
            f"$F({high}) = {at(high)}$ and $F({low}) = {at(low)}$.",
            f"The integral is ${at(high)} - ({at(low)}) = {value}$.",
        ),
        expected_time_s={"easy": 50.0, "medium": 80.0}[band],
    )


@generator(
    "statistics.mean-and-spread", subject=SUBJECT, topic="Statistics", title="Mean and spread"
)
def mean_and_spread(rng: random.Random, band: str) -> Made:
    """A mean; a missing value from a mean; a standard deviation."""
    if band == "easy":
        n = rng.randint(4, 6)
        mean = rng.randint(5, 30)
        data = [mean + rng.randint(-5, 5) for _ in range(n - 1)]
        data.append(mean * n - sum(data))
        rng.shuffle(data)
        shown = ", ".join(map(str, data))
        return Made(
            prompt=f"What is the mean of ${shown}$?",
            answer=NumericAnswer(float(mean), rel_tol=1e-6, abs_tol=1e-6),
            answer_text=f"${mean}$",
            hints=("Add them up, then divide.", f"There are {n} of them."),
            steps=(
                f"The sum is ${sum(data)}$, and there are ${n}$ values.",
                rf"$\bar x = \frac{{{sum(data)}}}{{{n}}} = {mean}$.",
            ),
            expected_time_s=35.0,
        )
    if band == "medium":
        n, mean = rng.randint(5, 8), rng.randint(10, 40)
        data = [mean + _nonzero(rng, -9, 9) for _ in range(n - 1)]
        missing = mean * n - sum(data)
        shown = ", ".join(map(str, data))
        return Made(
            prompt=(
                f"${n}$ values have the mean ${mean}$. "
                f"All but one are ${shown}$. What is the missing one?"
            ),
            answer=NumericAnswer(float(missing), rel_tol=1e-6, abs_tol=1e-6),
            answer_text=f"${missing}$",
            hints=("What must all of them add up to?", f"The known ones add up to ${sum(data)}$."),
            steps=(
                rf"All together: ${n} \cdot {mean} = {n * mean}$.",
                f"The known ones: ${sum(data)}$.",
                f"The missing one: ${n * mean} - {sum(data)} = {missing}$.",
            ),
            expected_time_s=70.0,
        )
    centre = rng.randint(10, 60)
    d, e = rng.sample(range(1, 12), 2)
    data = [centre - d, centre + d, centre - e, centre + e]
    rng.shuffle(data)
    variance = Fraction(2 * (d * d + e * e), 4)
    sd = math.sqrt(variance)
    shown = ", ".join(map(str, data))
    return Made(
        prompt=(
            f"These four values are a whole population: ${shown}$. "
            "What is its standard deviation? Give at least three figures."
        ),
        answer=NumericAnswer(sd, rel_tol=0.005),
        answer_text=rf"$\sqrt{{{num(variance)}}} \approx {num(sd, 3)}$",
        hints=(
            "Find the mean first, then the mean of the squared distances from it.",
            f"The mean is ${centre}$. Divide by the number of values, as it is a whole population.",
        ),
        steps=(
            f"The mean is ${centre}$.",
            f"The squared distances are ${', '.join(str((x - centre) ** 2) for x in data)}$.",
            f"Their mean, the variance, is ${num(variance)}$.",
            rf"$\sigma = \sqrt{{{num(variance)}}} \approx {num(sd, 3)}$.",
        ),
        expected_time_s=120.0,
    )


@generator("statistics.binomial", subject=SUBJECT, topic="Statistics", title="Binomial probability")
def binomial(rng: random.Random, band: str) -> Made:
    """All of a few; exactly k; at least one or two."""
    p = Fraction(rng.choice([1, 2, 3, 4, 6, 7, 8, 9]), 10)
    shown_p = num(float(p))
    thing = rng.choice(["seed sprouts", "throw hits", "part passes the test", "train is on time"])
    if band == "easy":
        n = rng.randint(2, 4)
        value = p**n
        question, steps = (
            f"that all ${n}$ do",
            (
                "The chances are independent, so they multiply.",
                rf"$P = {shown_p}^{{{n}}} = {num(float(value), 5)}$.",
            ),
        )
        hints = ("Independent chances multiply.", f"There are ${n}$ equal factors.")
    elif band == "medium":
        n = rng.randint(3, 6)
        k = rng.randint(1, n - 1)
        ways = math.comb(n, k)
        value = ways * p**k * (1 - p) ** (n - k)
        question, steps = (
            f"that exactly ${k}$ of ${n}$ do",
            (
                rf"There are $\binom{{{n}}}{{{k}}} = {ways}$ ways to choose which ones.",
                rf"Each has the chance ${shown_p}^{{{k}}} \cdot {num(float(1 - p))}^{{{n - k}}}$.",
                rf"$P = {ways} \cdot {shown_p}^{{{k}}} \cdot {num(float(1 - p))}^{{{n - k}}}"
                rf" \approx {num(float(value), 5)}$.",
            ),
        )
        hints = (
            r"$P(X = k) = \binom{n}{k} p^k (1-p)^{n-k}$.",
            rf"The number of ways is $\binom{{{n}}}{{{k}}}$.",
        )
    else:
        n = rng.randint(4, 8)
        q = 1 - p
        value = 1 - q**n - n * p * q ** (n - 1)
        question, steps = (
            f"that at least two of ${n}$ do",
            (
                "The opposite is no one or exactly one.",
                rf"No one: ${num(float(q))}^{{{n}}} \approx {num(float(q**n), 5)}$. "
                rf"One: ${n} \cdot {shown_p} \cdot {num(float(q))}^{{{n - 1}}}"
                rf" \approx {num(float(n * p * q ** (n - 1)), 5)}$.",
                rf"$P \approx 1 - {num(float(q**n), 5)} - {num(float(n * p * q ** (n - 1)), 5)}"
                rf" \approx {num(float(value), 5)}$.",
            ),
        )
        hints = (
            "The opposite event is easier.",
            "Take the chance of none and of exactly one from the whole.",
        )
    return Made(
        prompt=(
            f"Each {thing} with probability ${shown_p}$, independently. "
            f"What is the probability {question}? Give at least three figures."
        ),
        answer=NumericAnswer(float(value), rel_tol=0.006, abs_tol=1e-5),
        answer_text=f"${num(float(value), 5)}$",
        hints=hints,
        steps=steps,
        expected_time_s={"easy": 35.0, "medium": 80.0, "hard": 130.0}[band],
    )
