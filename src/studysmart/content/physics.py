"""Mechanics and waves; g = 9.81 m/s^2 and the speed of sound 343 m/s are given in the prompts that use them."""

from __future__ import annotations

import math
import random

from studysmart.content.bank import Made, choice, generator
from studysmart.content.text import num
from studysmart.grading import NumericAnswer

SUBJECT = "Physics"
G = 9.81
SOUND = 343.0


@generator(
    "mechanics.constant-acceleration",
    subject=SUBJECT,
    topic="Mechanics",
    title="Constant acceleration",
)
def constant_acceleration(rng: random.Random, band: str) -> Made:
    """A speed; a distance from two speeds and a time; a braking distance with a reaction time."""
    if band == "easy":
        v0, a, t = rng.randint(0, 20), rng.randint(1, 6), rng.randint(2, 15)
        v = v0 + a * t
        start = f"moves at ${v0}$ m/s" if v0 else "starts from rest"
        return Made(
            prompt=(
                f"A car {start} and accelerates at ${a}$ m/s² for ${t}$ s. "
                "How fast is it then, in m/s?"
            ),
            answer=NumericAnswer(float(v), rel_tol=0.001, unit="m/s"),
            answer_text=f"${v}$ m/s",
            hints=("How much speed is gained in each second?", "$v = v_0 + a t$."),
            steps=(
                "The speed grows evenly: $v = v_0 + a t$.",
                rf"$v = {v0} + {a} \cdot {t} = {v}$ m/s.",
            ),
            expected_time_s=35.0,
        )
    if band == "medium":
        v0, t = rng.randint(2, 25), rng.randint(3, 20)
        v = v0 + rng.choice([k for k in range(-v0, 25) if k != 0])
        distance = (v0 + v) * t / 2
        verb = "speeds up" if v > v0 else "slows down"
        return Made(
            prompt=(
                f"A train {verb} evenly from ${v0}$ m/s to ${v}$ m/s in ${t}$ s. "
                "How far does it travel meanwhile, in m?"
            ),
            answer=NumericAnswer(distance, rel_tol=0.005, unit="m"),
            answer_text=f"${num(distance)}$ m",
            hints=(
                "What is the average speed while it changes evenly?",
                r"$s = \frac{v_0 + v}{2}\, t$.",
            ),
            steps=(
                rf"The average speed is $\frac{{{v0} + {v}}}{{2}} = {num((v0 + v) / 2)}$ m/s.",
                rf"$s = {num((v0 + v) / 2)} \cdot {t} = {num(distance)}$ m.",
            ),
            expected_time_s=60.0,
        )
    kmh, a = rng.choice(range(36, 145, 9)), rng.choice([4, 5, 6, 7, 8])
    reaction = rng.choice([0.6, 0.8, 1.0, 1.2, 1.5])
    v = kmh / 3.6
    first, second = v * reaction, v * v / (2 * a)
    return Made(
        prompt=(
            f"A driver at ${kmh}$ km/h sees an obstacle, reacts after ${num(reaction)}$ s and then "
            f"brakes at ${a}$ m/s². How far does the car travel until it stands, in m? "
            "Give at least three figures."
        ),
        answer=NumericAnswer(first + second, rel_tol=0.01, unit="m"),
        answer_text=f"${num(first + second, 1)}$ m",
        hints=(
            "There are two stretches: one at constant speed, one while braking.",
            r"Braking distance: $s = \frac{v^2}{2a}$, with the speed in m/s.",
        ),
        steps=(
            rf"$v = \frac{{{kmh}}}{{3.6}} = {num(v, 2)}$ m/s.",
            rf"While reacting: ${num(v, 2)} \cdot {num(reaction)} = {num(first, 2)}$ m.",
            rf"While braking: $\frac{{{num(v, 2)}^2}}{{2 \cdot {a}}} = {num(second, 2)}$ m.",
            rf"Together: ${num(first, 2)} + {num(second, 2)} \approx {num(first + second, 1)}$ m.",
        ),
        expected_time_s=140.0,
    )


@generator("mechanics.energy", subject=SUBJECT, topic="Mechanics", title="Work and energy")
def energy(rng: random.Random, band: str) -> Made:
    """Kinetic energy; speed after a fall; a slide with friction."""
    if band == "easy":
        m, v = rng.choice([2, 4, 6, 8, 10, 12, 20, 50, 80]), rng.randint(2, 20)
        value = m * v * v / 2
        return Made(
            prompt=f"What is the kinetic energy of ${m}$ kg moving at ${v}$ m/s, in J?",
            answer=NumericAnswer(value, rel_tol=0.001, unit="J"),
            answer_text=f"${num(value)}$ J",
            hints=("Which quantities does kinetic energy depend on?", r"$E = \tfrac12 m v^2$."),
            steps=(
                r"$E = \tfrac12 m v^2$.",
                rf"$E = \tfrac12 \cdot {m} \cdot {v}^2 = {num(value)}$ J.",
            ),
            expected_time_s=40.0,
        )
    h = rng.randint(2, 60)
    if band == "medium":
        v0 = rng.choice([0, 0, rng.randint(1, 15)])
        v = math.sqrt(v0 * v0 + 2 * G * h)
        start = f"thrown down at ${v0}$ m/s" if v0 else "dropped"
        return Made(
            prompt=(
                f"A stone is {start} from a height of ${h}$ m. How fast is it when it reaches the "
                f"ground, in m/s? Take $g = {G}$ m/s², no air resistance; at least three figures."
            ),
            answer=NumericAnswer(v, rel_tol=0.01, unit="m/s"),
            answer_text=f"${num(v, 2)}$ m/s",
            hints=(
                "The energy of height turns into energy of motion.",
                r"$\tfrac12 v^2 = \tfrac12 v_0^2 + g h$: the mass drops out.",
            ),
            steps=(
                r"$\tfrac12 m v^2 = \tfrac12 m v_0^2 + m g h$; the mass drops out.",
                rf"$v = \sqrt{{{v0}^2 + 2 \cdot {G} \cdot {h}}} \approx {num(v, 2)}$ m/s.",
            ),
            expected_time_s=75.0,
        )
    angle, mu = rng.choice([20, 25, 30, 35, 40, 45]), rng.choice([0.05, 0.1, 0.15, 0.2, 0.25])
    length = rng.randint(3, 40)
    a = G * (math.sin(math.radians(angle)) - mu * math.cos(math.radians(angle)))
    v = math.sqrt(2 * a * length)
    return Made(
        prompt=(
            rf"A sledge starts from rest and slides ${length}$ m down a slope of ${angle}^\circ$ "
            f"with a friction coefficient of ${num(mu)}$. How fast is it then, in m/s? "
            f"Take $g = {G}$ m/s²; at least three figures."
        ),
        answer=NumericAnswer(v, rel_tol=0.01, unit="m/s"),
        answer_text=f"${num(v, 2)}$ m/s",
        hints=(
            "Weight pulls along the slope; friction holds against it. What is left?",
            r"$a = g(\sin\alpha - \mu\cos\alpha)$, then $v = \sqrt{2as}$.",
        ),
        steps=(
            rf"Along the slope: $a = {G}\,(\sin{angle}^\circ - {num(mu)}\cos{angle}^\circ)"
            rf" \approx {num(a, 3)}$ m/s².",
            rf"$v = \sqrt{{2 a s}} = \sqrt{{2 \cdot {num(a, 3)} \cdot {length}}}"
            rf" \approx {num(v, 2)}$ m/s.",
        ),
        expected_time_s=150.0,
    )


@generator("mechanics.forces", subject=SUBJECT, topic="Mechanics", title="Newton's laws")
def forces(rng: random.Random, band: str) -> Made:
    """What follows from a net force: a choice, with the usual mistakes as the other options."""
    m = rng.choice([2, 4, 5, 8, 10, 20])
    a = rng.randint(1, 9)
    friction = 0 if band == "easy" else rng.randint(1, 12) * (1 if band == "medium" else m)
    pull = m * a + friction
    right = f"${a}$ m/s²"
    if band == "easy":
        prompt = f"A net force of ${pull}$ N acts on ${m}$ kg. What is the acceleration?"
        wrong = [f"${pull * m}$ m/s²", f"${num(m / pull, 3)}$ m/s²", f"${pull}$ m/s²"]
        steps = ["Newton's second law: $F = m a$."]
    else:
        prompt = (
            f"A crate of ${m}$ kg is pulled along the floor with ${pull}$ N; friction holds back "
            f"with ${friction}$ N. What is its acceleration?"
        )
        wrong = [
            f"${num(pull / m, 2)}$ m/s²",
            f"${num((pull + friction) / m, 2)}$ m/s²",
            f"${num(a + G, 2)}$ m/s²",
        ]
        steps = [f"The net force is ${pull} - {friction} = {pull - friction}$ N."]
    answer, letter = choice(rng, right, wrong)
    return Made(
        prompt=prompt,
        answer=answer,
        answer_text=f"{letter}: {right}",
        hints=(
            "Only the net force accelerates.",
            r"$a = \frac{F_\text{net}}{m}$.",
        ),
        steps=(
            *steps,
            rf"$a = \frac{{{m * a}}}{{{m}}} = {a}$ m/s², which is {letter}.",
        ),
        expected_time_s={"easy": 30.0, "medium": 45.0, "hard": 55.0}[band],
    )


@generator("waves.speed", subject=SUBJECT, topic="Waves", title="Speed, frequency, wavelength")
def wave_speed(rng: random.Random, band: str) -> Made:
    """v = f lambda; solved for the wavelength with units; from a period and a distance."""
    if band == "easy":
        f, tenths = rng.randint(2, 60), rng.randint(2, 60)
        value = f * tenths / 10
        return Made(
            prompt=(
                f"A wave has the frequency ${f}$ Hz and the wavelength ${num(tenths / 10)}$ m. "
                "How fast does it travel, in m/s?"
            ),
            answer=NumericAnswer(value, rel_tol=0.002, unit="m/s"),
            answer_text=f"${num(value)}$ m/s",
            hints=("In each period it moves on by one wavelength.", r"$v = f\lambda$."),
            steps=(
                r"$v = f\lambda$.",
                rf"$v = {f} \cdot {num(tenths / 10)} = {num(value)}$ m/s.",
            ),
            expected_time_s=30.0,
        )
    if band == "medium":
        f = rng.randint(80, 4000)
        value = 100 * SOUND / f
        return Made(
            prompt=(
                f"A tone in air has the frequency ${f}$ Hz. Sound travels at ${num(SOUND)}$ m/s. "
                "How long is its wave, in cm? Give at least three figures."
            ),
            answer=NumericAnswer(value, rel_tol=0.01, unit="cm"),
            answer_text=f"${num(value, 2)}$ cm",
            hints=(r"Solve $v = f\lambda$ for the wavelength.", "Mind the unit: 1 m is 100 cm."),
            steps=(
                rf"$\lambda = \frac{{v}}{{f}} = \frac{{{num(SOUND)}}}{{{f}}}"
                rf" \approx {num(value / 100, 5)}$ m.",
                rf"In cm: $\lambda \approx {num(value, 2)}$ cm.",
            ),
            expected_time_s=60.0,
        )
    crests, time, distance = rng.randint(4, 12), rng.randint(6, 30), rng.randint(10, 60)
    apart = rng.randint(3, 6)
    value = (crests - 1) / time * distance / apart
    return Made(
        prompt=(
            f"At a pier, the ${crests}$th wave crest passes ${time}$ s after the first. "
            f"Across the water, ${distance}$ m hold exactly ${apart}$ wavelengths. "
            "How fast do the waves travel, in m/s? Give at least three figures."
        ),
        answer=NumericAnswer(value, rel_tol=0.01, unit="m/s"),
        answer_text=f"${num(value, 3)}$ m/s",
        hints=(
            f"From the first to the ${crests}$th crest: how many periods are that?",
            r"Find $f$ and $\lambda$ one by one, then $v = f\lambda$.",
        ),
        steps=(
            rf"${crests - 1}$ periods in ${time}$ s: $f = \frac{{{crests - 1}}}{{{time}}}"
            rf" \approx {num((crests - 1) / time)}$ Hz.",
            rf"$\lambda = \frac{{{distance}}}{{{apart}}} \approx {num(distance / apart)}$ m.",
            rf"$v = f\lambda \approx {num(value, 3)}$ m/s.",
        ),
        expected_time_s=110.0,
    )


@generator("waves.standing-waves", subject=SUBJECT, topic="Waves", title="Standing waves")
def standing_waves(rng: random.Random, band: str) -> Made:
    """A string's fundamental; an overtone; a pipe closed at one end."""
    if band == "hard":
        length, n = rng.randint(20, 200), rng.choice([1, 3, 5, 7])
        f = n * SOUND / (4 * length / 100)
        name = {1: "fundamental", 3: "next resonance above the fundamental",
                5: "second resonance above the fundamental",
                7: "third resonance above the fundamental"}[n]  # fmt: skip
        return Made(
            prompt=(
                f"A pipe of ${length}$ cm is closed at one end. Sound travels at ${num(SOUND)}$ m/s."
                f" What is the frequency of its {name}, in Hz? Give at least three figures."
            ),
            answer=NumericAnswer(f, rel_tol=0.01, unit="Hz"),
            answer_text=f"${num(f, 1)}$ Hz",
            hints=(
                "A node at the closed end, an antinode at the open one: which part of a wave fits?",
                r"Only odd multiples occur: $f_n = \frac{n v}{4L}$ with $n = 1, 3, 5, \dots$",
            ),
            steps=(
                rf"$f_n = \frac{{n v}}{{4 L}}$ with odd $n$; here $n = {n}$.",
                rf"$f = \frac{{{n} \cdot {num(SOUND)}}}{{4 \cdot {num(length / 100)}}}"
                rf" \approx {num(f, 1)}$ Hz.",
            ),
            expected_time_s=110.0,
        )
    length, v = rng.randint(30, 150), rng.randint(60, 400)
    n = 1 if band == "easy" else rng.randint(2, 6)
    f = n * v / (2 * length / 100)
    name = (
        "fundamental"
        if n == 1
        else f"{n}th harmonic"
        if n > 3
        else f"{'2nd' if n == 2 else '3rd'} harmonic"
    )
    return Made(
        prompt=(
            f"A string of ${length}$ cm is fixed at both ends; waves run along it at ${v}$ m/s. "
            f"What is the frequency of its {name}, in Hz? Give at least three figures."
        ),
        answer=NumericAnswer(f, rel_tol=0.01, unit="Hz"),
        answer_text=f"${num(f, 1)}$ Hz",
        hints=(
            "Both ends are nodes: how many half waves fit on the string?",
            r"$f_n = \frac{n v}{2L}$, with the length in metres.",
        ),
        steps=(
            rf"${n}$ half wave{'s fit' if n > 1 else ' fits'}: "
            rf"$\lambda = \frac{{2L}}{{{n}}} \approx {num(2 * length / 100 / n)}$ m.",
            rf"$f = \frac{{v}}{{\lambda}} \approx {num(f, 1)}$ Hz.",
        ),
        expected_time_s={"easy": 60.0, "medium": 75.0}[band],
    )
