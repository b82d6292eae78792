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

export interface Arm {
  name: string;
  kind: string;
  version: number | null;
}

export interface Experiment {
  name: string;
  arms: Arm[];
  metric: 'joint' | 'log_loss' | 'time_loss';
  plan: { alpha: number; at_least: number; at_most: number; days: number; margin: number };
  started_at: string;
  stopped_at: string | null;
  sentence: string | null;
}

export interface ExperimentInFull extends Experiment {
  sentence: string;
  answers: number;
  learners: number;
  arms_found: { name: string; learners: number; answers: number; scores: Partial<Record<'log_loss' | 'ece' | 'log_time_rmse', number>> }[];
  /** Per arm, as answers came: answers, mean, low, high. */
  paths: Record<string, [number, number, number, number][]>;
  stopped_by: string | null;
  waiting: string | null;
}

export type Deed =
  | { what: 'start-experiment'; name: string; arms: Arm[] }
  | { what: 'stop-experiment'; name: string }
  | { what: 'run' | 'cancel' | 'pause' | 'resume' }
  | { what: 'promote' | 'pin'; version: number }
  | { what: 'rollback' | 'unpin' };

export const operations = {
  runs: () => call<Run[]>('GET', '/training/runs?limit=30'),
  versions: () => call<Version[]>('GET', '/models'),
  compare: (a: number, b: number) => call<Comparison>('GET', `/models/compare?a=${a}&b=${b}`),
  quality: () => call<Quality>('GET', '/quality?days=30'),
  audit: () => call<Act[]>('GET', '/audit?limit=30'),
  experiments: () => call<Experiment[]>('GET', '/experiments'),
  experiment: (name: string) => call<ExperimentInFull>('GET', `/experiments/${encodeURIComponent(name)}`),
  act: (deed: Deed, reason: string) =>
    call<unknown>('POST', pathOf(deed), deed.what === 'start-experiment' ? { name: deed.name, arms: deed.arms, reason } : { reason }),
};

export function pathOf(deed: Deed): string {
  switch (deed.what) {
    case 'promote':
    case 'pin':
      return `/models/${deed.version}/${deed.what}`;
    case 'rollback':
    case 'unpin':
      return `/models/${deed.what}`;
    case 'start-experiment':
      return '/experiments';
    case 'stop-experiment':
      return `/experiments/${encodeURIComponent(deed.name)}/stop`;
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
    case 'start-experiment':
      return {
        button: 'Start',
        title: `Start “${deed.name}”?`,
        effect: `Each learner gets the forecasts of one of them: ${deed.arms.map((arm) => arm.name).join(', ')}. Every answer judges all. It ends by its own rule.`,
        done: `“${deed.name}” is under way.`,
      };
    case 'stop-experiment':
      return {
        button: 'Stop',
        title: `Stop “${deed.name}”?`,
        effect: 'What was found so far is its result. Everybody gets the forecasts of the live model again.',
        done: `“${deed.name}” has ended.`,
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

/** What an experiment can try: the kinds of the live version, then every version that may serve. */
export function armChoices(versions: Version[]): string[] {
  const live = versions.find(({ status }) => status === 'live');
  const kinds = ['prior', 'lnirt', 'sequence', 'attention'].filter((kind) => live !== undefined && kind in live.metrics);
  const sound = versions.filter(({ has_data, fault }) => has_data && fault === null);
  return [...kinds, ...sound.map(({ kind, version }) => `${kind}@${version}`)];
}

/** `kind` or `kind@version`, as an arm. */
export function armOf(choice: string): Arm {
  const [kind = '', version] = choice.split('@');
  return { name: choice, kind, version: version === undefined ? null : Number(version) };
}

export interface Band {
  area: string;
  line: string;
  zero: number;
}

/** An interval as it grew, in a box of `width` × `height`; null before it has two looks. */
export function band(path: [number, number, number, number][], width: number, height: number): Band | null {
  const last = path[path.length - 1];
  if (last === undefined || path.length < 2) return null;
  // The first looks are wide: the box shows the later half whole, and clips what came before.
  const later = path.slice(Math.floor(path.length / 2));
  const top = Math.max(0, ...later.map(([, , , high]) => high));
  const bottom = Math.min(0, ...later.map(([, , low]) => low));
  const span = top - bottom || 1;
  const x = (answers: number): string => ((answers / last[0]) * width).toFixed(1);
  const y = (value: number): number => Math.min(height, Math.max(0, ((top - value) / span) * height));
  const upper = path.map(([n, , , high]) => `${x(n)},${y(high).toFixed(1)}`);
  const lower = path.map(([n, , low]) => `${x(n)},${y(low).toFixed(1)}`).reverse();
  return {
    area: [...upper, ...lower].join(' '),
    line: path.map(([n, mean]) => `${x(n)},${y(mean).toFixed(1)}`).join(' '),
    zero: y(0),
  };
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
