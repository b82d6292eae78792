import { describe, expect, it } from 'vitest';

import { chance, clock, duration, percent, share, timeRange } from '../src/lib/format';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('numbers in words', () => {
  it.each([
    [0.02, 'fewer than 1 in 10'],
    [0.31, 'about 3 in 10'],
    [0.5, 'about 1 in 2'],
    [0.68, 'about 7 in 10'],
    [0.99, 'more than 9 in 10'],
  ])('says a chance of %d as %s', (p, words) => {
    expect(chance(p)).toBe(words);
  });

  it('never shows a forecast as certain', () => {
    expect(plain(percent(0.999))).toBe('99 %');
    expect(plain(percent(0.001))).toBe('1 %');
  });

  it('shows counted shares as they are', () => {
    expect(plain(share(4, 4))).toBe('100 %');
    expect(share(0, 0)).toBe('–');
  });

  it.each([
    [38, 92, '40–90 s'],
    [3.2, 8.9, '3–9 s'],
    [16, 216, '15 s to 4 min'],
    [130, 290, '2–5 min'],
    [7, 7.2, '7 s'],
  ])('rounds the interval %d to %d s to %s', (low, high, words) => {
    expect(plain(timeRange(low, high))).toBe(words);
  });

  it('says durations in the unit that fits', () => {
    expect(plain(duration(3.14))).toBe('3.1 s');
    expect(plain(duration(45.4))).toBe('45 s');
    expect(plain(duration(150))).toBe('2.5 min');
    expect(clock(92.9)).toBe('1:32');
  });
});
