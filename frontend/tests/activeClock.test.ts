import { describe, expect, it } from 'vitest';

import { ActiveClock, IDLE_AFTER_MS } from '../src/practice/activeClock';

const AWAY = { visible: false, focused: true };
const UNFOCUSED = { visible: true, focused: false };
const HERE = { visible: true, focused: true };

function started(at = 0): ActiveClock {
  const clock = new ActiveClock(at);
  clock.start(at);
  return clock;
}

describe('active clock', () => {
  it('counts from start to stop', () => {
    const clock = started(1_000);
    clock.stop(5_000);
    expect(clock.elapsed(90_000)).toBe(4_000);
  });

  it.each([
    ['hidden', AWAY],
    ['not focused', UNFOCUSED],
  ])('stands still while the page is %s', (_, state) => {
    const clock = started();
    clock.presence(10_000, state);
    clock.presence(40_000, HERE);
    expect(clock.elapsed(45_000)).toBe(15_000);
  });

  it('stops a minute after the last input and goes on with the next', () => {
    const clock = started();
    expect(clock.elapsed(10 * IDLE_AFTER_MS)).toBe(IDLE_AFTER_MS);
    clock.input(20 * IDLE_AFTER_MS);
    expect(clock.elapsed(20 * IDLE_AFTER_MS + 3_000)).toBe(IDLE_AFTER_MS + 3_000);
  });

  it('adds at most a minute for a laptop that slept for an hour', () => {
    const clock = started();
    clock.input(3_600_000);
    expect(clock.elapsed(3_600_000)).toBe(IDLE_AFTER_MS);
  });

  it('adds nothing when its clock jumps back', () => {
    const clock = started(10_000);
    clock.input(2_000);
    expect(clock.elapsed(5_000)).toBe(0);
  });

  it('goes on after a reload from what was saved', () => {
    const clock = new ActiveClock(0, 30_000);
    expect(clock.elapsed(10_000)).toBe(30_000);
    clock.start(10_000);
    expect(clock.elapsed(12_000)).toBe(32_000);
  });

  it('gives the same total however often it is asked', () => {
    const often = started();
    for (let now = 0; now <= 200_000; now += 250) often.elapsed(now);
    expect(often.elapsed(200_000)).toBe(started().elapsed(200_000));
  });
});
