import { describe, expect, it } from 'vitest';

import { armChoices, armOf, band, deedsFor, judged, pathOf, polyline, wordsOf } from '../src/training/operations';
import type { Deed, Version } from '../src/training/operations';

const version = (more: Partial<Version> = {}): Version => ({
  version: 7,
  status: 'retired',
  source: 'trained',
  kind: 'lnirt',
  samples: 50,
  published_at: '2026-11-24T00:00:00Z',
  has_data: true,
  metrics: { prior: { log_loss: 0.7 }, lnirt: { log_loss: 0.6 }, serving: 'lnirt' },
  pinned: false,
  fault: null,
  ...more,
});

describe('what an operator does', () => {
  it.each<[Deed, string]>([
    [{ what: 'run' }, '/training/run'],
    [{ what: 'pause' }, '/training/pause'],
    [{ what: 'pin', version: 7 }, '/models/7/pin'],
    [{ what: 'rollback' }, '/models/rollback'],
    [{ what: 'start-experiment', name: 'a/b', arms: [] }, '/experiments'],
    [{ what: 'stop-experiment', name: 'a/b?' }, '/experiments/a%2Fb%3F/stop'],
  ])('%o is asked of %s', (deed, path) => {
    expect(pathOf(deed)).toBe(path);
  });

  it('says before what it will do, and afterwards that it was done', () => {
    const words = wordsOf({ what: 'promote', version: 7 });
    expect(words.title).toContain('version 7');
    expect(words.done).toContain('Version 7');
  });

  it('offers what a version allows', () => {
    const offered = (one: Version): string[] => deedsFor(one).map(({ what }) => what);
    expect(offered(version())).toEqual(['promote', 'pin']);
    expect(offered(version({ status: 'live' }))).toEqual(['pin']);
    expect(offered(version({ pinned: true }))).toEqual(['unpin']);
    expect(offered(version({ has_data: false }))).toEqual([]);
    expect(offered(version({ fault: 'damaged' }))).toEqual([]);
  });
});

describe('figures of a version', () => {
  it('are those of the kind that serves', () => {
    expect(judged(version(), 'log_loss')).toBe(0.6);
    expect(judged(version(), 'auc')).toBeNull();
    expect(judged(version({ kind: 'sequence' }), 'log_loss')).toBeNull();
  });
});

describe('arms of an experiment', () => {
  it('are the kinds of the live version, then the versions that may serve', () => {
    const versions = [version({ version: 8, status: 'live' }), version(), version({ version: 6, fault: 'damaged' })];
    expect(armChoices(versions)).toEqual(['prior', 'lnirt', 'lnirt@8', 'lnirt@7']);
    expect(armChoices([])).toEqual([]);
  });

  it('name a kind, and a version where one is meant', () => {
    expect(armOf('lnirt')).toEqual({ name: 'lnirt', kind: 'lnirt', version: null });
    expect(armOf('lnirt@7')).toEqual({ name: 'lnirt@7', kind: 'lnirt', version: 7 });
  });
});

describe('drawings', () => {
  it('put the highest loss on top and the last epoch at the right', () => {
    expect(polyline([[0, 2], [1, 1], [2, 0]], 100, 10)).toBe('0.0,0.0 50.0,5.0 100.0,10.0'); // prettier-ignore
    expect(polyline([], 100, 10)).toBe('');
    expect(polyline([[3, 1]], 100, 10)).toBe('0.0,10.0');
  });

  it('keep zero inside the box of an interval', () => {
    const found = band([[50, -0.1, -0.4, 0.2], [100, -0.1, -0.2, -0.05]], 100, 20); // prettier-ignore
    expect(found?.zero).toBe(0);
    expect(found?.line).toBe('50.0,10.0 100.0,10.0');
    expect(band([[50, 0, -1, 1]], 100, 20)).toBeNull();
  });
});
