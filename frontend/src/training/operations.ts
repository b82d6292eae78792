/** What operators read and do: the calls of the training page, and the names of their bodies. */
import { call } from '../api/client';

export interface Run {
  run: number;
  trigger: 'due' | 'asked' | 'tune';
  owner: string;
  started_at: string;
  ended_at: string | null;
  seconds: number | null;
  outcome: 'live' | 'kept_out' | 'failed' | 'cancelled' | 'tried' | null;
  reason: string;
  samples: number;
  version: number | null;
  metrics: Record<string, unknown>;
  curve: [number, number][];
}

export interface Version {
  version: number;
  status: 'live' | 'retired' | 'challenger';
  source: 'trained' | 'imported';
  kind: string;
  samples: number;
  published_at: string;
  has_data: boolean;
  metrics: Record<string, unknown>;
  pinned: boolean;
  fault: string | null;
}

export interface Difference {
  mean: number | null;
  low: number | null;
  high: number | null;
}

export interface Comparison {
  a: { version: number; scores: Record<string, number>; fitted_on: number };
  b: { version: number; scores: Record<string, number>; fitted_on: number };
  prior: { scores: Record<string, number> };
  answers: number;
  learners: number;
  unseen: number;
  differences: Record<'log_loss' | 'time_loss' | 'joint', Difference>;
  clustered: boolean;
  sentence: string;
}

export interface Scores {
  n: number;
  times: number;
  log_loss: number | null;
  log_loss_low: number | null;
  log_loss_high: number | null;
  ece: number | null;
  ece_by_chance: number | null;
  log_time_rmse: number | null;
  coverage_80: number | null;
}

export interface Group extends Scores {
  name: string;
}

export interface Quality {
  days: number;
  since: string | null;
  overall: Scores;
  reliability: { low: number; high: number; n: number; p: number | null; correct: number | null }[];
  by_version: Group[];
  by_known: Group[];
  by_topic: Group[];
  by_day: Group[];
  fallbacks: Record<string, number>;
  warnings: string[];
}

export interface Act {
  at: string;
  actor: string;
  action: string;
  subject: string;
  reason: string;
}

export type Deed =
  | { what: 'run' | 'cancel' | 'pause' | 'resume' }
  | { what: 'promote' | 'pin'; version: number }
  | { what: 'rollback' | 'unpin' };

export const operations = {
  runs: () => call<Run[]>('GET', '/training/runs?limit=30'),
  versions: () => call<Version[]>('GET', '/models'),
  compare: (a: number, b: number) => call<Comparison>('GET', `/models/compare?a=${a}&b=${b}`),
  quality: () => call<Quality>('GET', '/quality?days=30'),
  audit: () => call<Act[]>('GET', '/audit?limit=30'),
  act: (deed: Deed, reason: string) => call<unknown>('POST', pathOf(deed), { reason }),
};

export function pathOf(deed: Deed): string {
  switch (deed.what) {
    case 'promote':
    case 'pin':
      return `/models/${deed.version}/${deed.what}`;
    case 'rollback':
    case 'unpin':
      return `/models/${deed.what}`;
    default:
      return `/training/${deed.what}`;
  }
}

/** What the button says, what the dialog explains, and what is said when it is done. */
export function wordsOf(deed: Deed): { button: string; title: string; effect: string; done: string } {
  switch (deed.what) {
    case 'run':
      return {
        button: 'Train now',
        title: 'Train now?',
        effect: 'A training starts within a second or two, whatever the counter says. Practice goes on meanwhile.',
        done: 'A training is on its way.',
      };
    case 'cancel':
      return {
        button: 'Cancel this run',
        title: 'Cancel this run?',
        effect: 'What it computed so far is thrown away. The model that serves stays; no answer is lost.',
        done: 'The run is being cancelled.',
      };
    case 'pause':
      return {
        button: 'Pause',
        title: 'Pause training?',
        effect: 'No training begins by itself until you resume. Answers and forecasts go on.',
        done: 'Training is paused.',
      };
    case 'resume':
      return {
        button: 'Resume',
        title: 'Resume training?',
        effect: 'What came meanwhile is due at once.',
        done: 'Training goes on by itself.',
      };
    case 'promote':
      return {
        button: 'Promote',
        title: `Let version ${deed.version} serve?`,
        effect: 'It answers from the next forecast on; the version that serves now is kept.',
        done: `Version ${deed.version} serves now.`,
      };
    case 'pin':
      return {
        button: 'Pin',
        title: `Pin version ${deed.version}?`,
        effect: 'It serves until you unpin it. Training goes on, and its models wait as challengers.',
        done: `Version ${deed.version} is pinned.`,
      };
    case 'unpin':
      return {
        button: 'Unpin',
        title: 'Unpin?',
        effect: 'The next training that is no worse goes live again.',
        done: 'No version is pinned.',
      };
    case 'rollback':
      return {
        button: 'Roll back',
        title: 'Roll back?',
        effect: 'The last sound version that was live before serves again.',
        done: 'Rolled back.',
      };
  }
}

/** What may be done with a version as it stands. */
export function deedsFor(version: Version): Deed[] {
  if (version.pinned) return [{ what: 'unpin' }];
  if (!version.has_data || version.fault !== null) return [];
  return version.status === 'live'
    ? [{ what: 'pin', version: version.version }]
    : [
        { what: 'promote', version: version.version },
        { what: 'pin', version: version.version },
      ];
}

/** A score of the model that answers first, as it was judged before it went live. */
export function judged(version: Version, score: string): number | null {
  const own = version.metrics[version.kind];
  if (typeof own !== 'object' || own === null) return null;
  const value = (own as Record<string, unknown>)[score];
  return typeof value === 'number' ? value : null;
}

/** Points of a curve in a box of `width` × `height`, the highest value on top. */
export function polyline(curve: [number, number][], width: number, height: number): string {
  if (curve.length === 0) return '';
  const losses = curve.map(([, loss]) => loss);
  const low = Math.min(...losses);
  const span = Math.max(...losses) - low || 1;
  const first = curve[0]?.[0] ?? 0;
  const epochs = (curve[curve.length - 1]?.[0] ?? 0) - first || 1;
  return curve
    .map(([epoch, loss]) => {
      const x = ((epoch - first) / epochs) * width;
      const y = height - ((loss - low) / span) * height;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}
