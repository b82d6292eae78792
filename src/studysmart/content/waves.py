"""Waves. The speed of sound in air, 343 m/s at 20 °C, is given in the prompts that use it."""

from __future__ import annotations

import random

from studysmart.content.bank import Made, generator
from studysmart.content.text import FOUR_FIGURES, THREE_FIGURES, num, sig
from studysmart.grading import NumericAnswer

SUBJECT, TOPIC = "Physics", "Waves"
SOUND = 343
_TAKE_SOUND = f"Sound travels at ${SOUND}$ m/s. {THREE_FIGURES}"
# Enough to tell a moving source from a moving listener.
_TAKE_SOUND_FINELY = f"Sound travels at ${SOUND}$ m/s. {FOUR_FIGURES}"


@generator("waves.speed", subject=SUBJECT, topic=TOPIC, title="Speed, frequency, wavelength")
def wave_speed(rng: random.Random, band: str) -> Made:
    """The speed; a wavelength in another unit; from counted crests and a measured distance."""
    if band == "easy":
        f, length = rng.randint(2, 60), rng.randint(2, 90) / 10
        value = f * length
        return Made(
            prompt=(
                f"A wave has the frequency ${f}$ Hz and the wavelength ${num(length)}$ m. "
                "How fast does it travel?"
            ),
            answer=NumericAnswer(value, rel_tol=0.002, unit="m/s"),
            answer_text=f"$v = {num(value)}$ m/s",
            hints=("In each period it moves on by one wavelength.", r"$v = f\lambda$."),
            steps=(
                r"$v = f\lambda$.",
                rf"${f} \cdot {num(length)}$ gives $v = {num(value)}$ m/s.",
            ),
            expected_time_s=30.0,
        )
    if band == "medium":
        f = rng.randint(80, 6000)
        value = 100 * SOUND / f
        return Made(
            prompt=(
                f"A tone in air has the frequency ${f}$ Hz. How long is its wave, in cm? "
                f"{_TAKE_SOUND}"
            ),
            answer=NumericAnswer(value, rel_tol=0.01, unit="cm"),
            answer_text=rf"$\lambda \approx {sig(value)}$ cm",
            hints=(r"Solve $v = f\lambda$ for the wavelength.", "Mind the unit: 1 m is 100 cm."),
            steps=(
                rf"$\frac{{v}}{{f}} = \frac{{{SOUND}}}{{{f}}} \approx {sig(value / 100, 5)}$ m.",
                rf"In cm: $\lambda \approx {sig(value)}$ cm.",
            ),
            expected_time_s=60.0,
        )
    crests, time, distance = rng.randint(4, 10), rng.randint(6, 30), rng.randint(10, 60)
    apart = rng.randint(3, 6)
    rate, spacing = (crests - 1) / time, distance / apart
    return Made(
        prompt=(
            f"At a pier the ${crests}$th wave crest passes ${time}$ s after the first. "
            f"Across the water, ${distance}$ m hold exactly ${apart}$ wavelengths. "
            f"How fast do the waves travel? {THREE_FIGURES}"
        ),
        answer=NumericAnswer(rate * spacing, rel_tol=0.01, unit="m/s"),
        answer_text=rf"$v \approx {sig(rate * spacing)}$ m/s",
        hints=(
            f"From the first to the ${crests}$th crest: how many periods are that?",
            r"Find $f$ and $\lambda$ one by one, then $v = f\lambda$.",
        ),
        steps=(
            rf"${crests - 1}$ periods in ${time}$ s: $f = \frac{{{crests - 1}}}{{{time}}}"
            rf" \approx {sig(rate, 5)}$ Hz.",
            rf"$\lambda = \frac{{{distance}}}{{{apart}}} \approx {sig(spacing, 5)}$ m.",
            rf"$f\lambda$ gives $v \approx {sig(rate * spacing)}$ m/s.",
        ),
        expected_time_s=110.0,
    )


@generator("waves.standing-waves", subject=SUBJECT, topic=TOPIC, title="Standing waves")
def standing_waves(rng: random.Random, band: str) -> Made:
    """A string's fundamental; a harmonic; a pipe closed at one end."""
    if band == "hard":
        length, n = rng.randint(10, 900), rng.choice([1, 3, 5, 7])
        f = n * SOUND / (4 * length / 100)
        name = {
            1: "fundamental",
            3: "next resonance above the fundamental",
            5: "second resonance above the fundamental",
            7: "third resonance above the fundamental",
        }[n]
        return Made(
            prompt=(
                f"A pipe of ${length}$ cm is closed at one end. "
                f"What is the frequency of its {name}? {_TAKE_SOUND}"
            ),
            answer=NumericAnswer(f, rel_tol=0.01, unit="Hz"),
            answer_text=rf"$f \approx {sig(f)}$ Hz",
            hints=(
                "A node at the closed end, an antinode at the open one: which part of a wave fits?",
                r"Only odd multiples occur: $f_n = \frac{n v}{4L}$ with $n = 1, 3, 5, \dots$",
            ),
            steps=(
                "A quarter of a wave, or an odd multiple of it, fits into the pipe: "
                f"here $n = {n}$.",
                rf"$\frac{{n v}}{{4 L}} = "
                rf"\frac{{{n} \cdot {SOUND}}}{{4 \cdot {num(length / 100)}}}$ gives "
                rf"$f \approx {sig(f)}$ Hz.",
            ),
            expected_time_s=110.0,
        )
    length, v = rng.randint(30, 150), rng.randint(60, 400)
    n = 1 if band == "easy" else rng.randint(2, 6)
    f = n * v / (2 * length / 100)
    name = {1: "fundamental", 2: "2nd harmonic", 3: "3rd harmonic"}.get(n, f"{n}th harmonic")
    fits = "half a wave fits" if n == 1 else f"${n}$ half waves fit"
    return Made(
        prompt=(
            f"A string of ${length}$ cm is fixed at both ends; waves run along it at ${v}$ m/s. "
            f"What is the frequency of its {name}? {THREE_FIGURES}"
        ),
        answer=NumericAnswer(f, rel_tol=0.01, unit="Hz"),
        answer_text=rf"$f \approx {sig(f)}$ Hz",
        hints=(
            "Both ends are nodes: how many half waves fit on the string?",
            r"$f_n = \frac{n v}{2L}$, with the length in metres; the fundamental is $n = 1$.",
        ),
        steps=(
            rf"On the string {fits}, so $\lambda \approx {sig(2 * length / 100 / n, 5)}$ m.",
            rf"$\frac{{v}}{{\lambda}}$ gives $f \approx {sig(f)}$ Hz.",
        ),
        expected_time_s={"easy": 60.0, "medium": 75.0}[band],
    )


@generator("waves.doppler", subject=SUBJECT, topic=TOPIC, title="Doppler effect")
def doppler(rng: random.Random, band: str) -> Made:
    """A source that comes; one that goes, in km/h; an echo from something that moves."""
    f = rng.randint(200, 2000)
    if band == "easy":
        v = rng.randint(10, 50)
        value = f * SOUND / (SOUND - v)
        return Made(
            prompt=(
                f"A siren of ${f}$ Hz comes straight towards a listener at ${v}$ m/s. "
                f"Which frequency is heard? {_TAKE_SOUND_FINELY}"
            ),
            answer=NumericAnswer(value, rel_tol=6e-4, unit="Hz"),
            answer_text=rf"$f' \approx {sig(value, 5)}$ Hz",
            hints=(
                "In front of the source the waves are squeezed: is the tone higher or lower?",
                r"$f' = f\,\frac{c}{c - v}$ for a source that comes closer at $v$.",
            ),
            steps=(
                r"A source that comes closer: $f' = f\,\frac{c}{c - v}$.",
                rf"${f} \cdot \frac{{{SOUND}}}{{{SOUND} - {v}}}$ gives "
                rf"$f' \approx {sig(value, 5)}$ Hz.",
            ),
            expected_time_s=70.0,
        )
    if band == "medium":
        kmh = rng.randint(40, 250)
        speed = kmh / 3.6
        value = f * SOUND / (SOUND + speed)
        return Made(
            prompt=(
                f"A train whistles at ${f}$ Hz while it drives away from a listener at "
                f"${kmh}$ km/h. Which frequency is heard? {_TAKE_SOUND_FINELY}"
            ),
            answer=NumericAnswer(value, rel_tol=6e-4, unit="Hz"),
            answer_text=rf"$f' \approx {sig(value, 5)}$ Hz",
            hints=(
                "Behind the source the waves are stretched; the speed is needed in m/s.",
                r"$f' = f\,\frac{c}{c + v}$ for a source that moves away at $v$.",
            ),
            steps=(
                rf"$v = \frac{{{kmh}}}{{3.6}} \approx {sig(speed, 6)}$ m/s.",
                rf"${f} \cdot \frac{{{SOUND}}}{{{SOUND} + {sig(speed, 6)}}}$ gives "
                rf"$f' \approx {sig(value, 5)}$ Hz.",
            ),
            expected_time_s=90.0,
        )
    v = rng.randint(10, 60)
    comes = rng.choice([True, False])
    middle = f * (SOUND + v if comes else SOUND - v) / SOUND
    value = middle * SOUND / (SOUND - v if comes else SOUND + v)
    way, up, down = ("towards", "+", "-") if comes else ("away from", "-", "+")
    return Made(
        prompt=(
            f"A loudspeaker at rest sends ${f}$ Hz at a lorry that drives {way} it at ${v}$ m/s. "
            f"Which frequency does the echo have at the loudspeaker? {_TAKE_SOUND_FINELY}"
        ),
        answer=NumericAnswer(value, rel_tol=6e-4, unit="Hz"),
        answer_text=rf"$f' \approx {sig(value, 5)}$ Hz",
        hints=(
            "The shift happens twice: the lorry is a moving listener first, then a moving source.",
            rf"$f' = f\,\frac{{c {up} v}}{{c {down} v}}$.",
        ),
        steps=(
            rf"The lorry receives ${f} \cdot \frac{{{SOUND} {up} {v}}}{{{SOUND}}} \approx "
            rf"{sig(middle, 6)}$ Hz.",
            rf"It sends that back while it moves: ${sig(middle, 6)} \cdot "
            rf"\frac{{{SOUND}}}{{{SOUND} {down} {v}}}$ gives $f' \approx {sig(value, 5)}$ Hz.",
        ),
        expected_time_s=140.0,
    )
