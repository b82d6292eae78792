/**
 * Bodies of the HTTP API, as the server's OpenAPI document describes them.
 *
 * Seconds end in `_s`, times are ISO 8601 in UTC, `p_` are probabilities in 0..1. Components import
 * these names from `api/index.ts`, so that generated types can take this file's place.
 */

export interface Welcome {
  message: string;
  version: string;
  docs: string;
}

export interface Problem {
  detail: string;
  code: string;
  request_id: string;
  errors: Record<string, unknown>[];
}

export interface Registration {
  email: string;
  password: string;
  name: string;
}

export interface Credentials {
  email: string;
  password: string;
}

export interface Me {
  learner_id: string;
  name: string;
  email: string | null;
  role: 'learner' | 'operator';
  /** True while the system has no account and acts for one person. */
  local: boolean;
}

export interface Forecast {
  p_correct: number;
  time_median_s: number;
  time_low_s: number;
  time_high_s: number;
  model: 'attention' | 'sequence' | 'lnirt' | 'prior' | 'constant';
  model_version: number | null;
  reason: string;
  /** Answers of this learner that the forecast rests on. */
  answers: number;
  /** Answers of all learners that the model was fitted on. */
  samples: number;
}

export interface TaskRequest {
  subject?: string | null;
  topic?: string | null;
  difficulty?: string | null;
  seed?: number | null;
  task_content?: string | null;
  solution_content?: string | null;
  answer_content?: string | null;
}

export interface Receipt {
  id: string;
  task_id: string;
  verdict: 'correct' | 'incorrect' | 'invalid';
  is_correct: boolean | null;
  message: string;
  /** How the answer was read, LaTeX. */
  understood: string | null;
  /** False for an unreadable answer: nothing was counted. */
  recorded: boolean;
  counts: boolean;
  answer_content: string | null;
  solution_content: string | null;
  response_time_s: number | null;
  forecast_before: Forecast | null;
  forecast_after: Forecast | null;
  completed_at: string | null;
}

export interface Task {
  id: string;
  subject: string;
  topic: string;
  skill: string | null;
  difficulty: string;
  grading: 'numeric' | 'choice' | 'self';
  /** Markdown with LaTeX between $ signs. */
  task_content: string;
  options: string[] | null;
  unit: string | null;
  hints: string[];
  created_at: string;
  status: 'open' | 'revealed' | 'completed';
  forecast: Forecast;
  predicted_correct: number;
  predicted_time_seconds: number;
  model_version: number | null;
  is_correct: boolean | null;
  actual_time_seconds: number | null;
  completed_at: string | null;
  answer: string | null;
  solution_content: string | null;
  answer_content: string | null;
  notice: string | null;
}

export interface AttemptRequest {
  id: string;
  answer: string;
  response_time_s: number;
}

export interface SelfMark {
  is_correct: boolean;
  actual_time_seconds: number;
}

export interface LiveModel {
  version: number;
  kind: string;
  published_at: string;
  samples: number;
  metrics: Record<string, unknown>;
  vocabulary: Record<string, number>;
}

export interface Running {
  run: number;
  started_at: string;
  phase: string;
  fraction: number;
  trigger: 'due' | 'asked' | 'tune';
  epoch: number | null;
  loss: number | null;
  curve: [number, number][];
  seconds_left: number | null;
}

export interface TrainingResult {
  run: number;
  outcome: 'live' | 'kept_out' | 'failed' | 'cancelled' | 'tried';
  reason: string;
  version: number | null;
  samples: number;
  started_at: string;
  ended_at: string;
  seconds: number;
  metrics: Record<string, unknown>;
}

export interface Training {
  completed_since_training: number;
  threshold: number;
  total_completed: number;
  last_trained_at: string | null;
  samples_last_training: number;
  running: Running | null;
  worker_alive: boolean;
  paused: boolean;
  pinned_version: number | null;
  live_model: LiveModel | null;
  last_result: TrainingResult | null;
}

export interface TrainingRequested {
  requested: boolean;
}

export interface Topic {
  subject: string;
  topic: string;
  skills: string[];
  difficulties: string[];
}

export interface Topics {
  topics: Topic[];
}

export interface TopicInsight {
  subject: string;
  topic: string;
  answers: number;
  correct: number;
  timed: number;
  median_time_s: number | null;
  p_correct_now: number | null;
  last_answered_at: string | null;
}

export interface ReliabilityBin {
  low: number;
  high: number;
  n: number;
  forecast: number;
  observed: number;
}

export interface DayCount {
  /** One UTC day, YYYY-MM-DD. */
  day: string;
  answers: number;
  correct: number;
}

export interface Insights {
  answers: number;
  correct: number;
  forecasts_scored: number;
  log_loss: number | null;
  expected_correct: number | null;
  time_coverage_80: number | null;
  times_scored: number;
  topics: TopicInsight[];
  reliability: ReliabilityBin[];
  days: DayCount[];
}

export interface Preferences {
  theme: 'auto' | 'light' | 'dark';
  show_forecast: boolean;
  show_timer: boolean;
}
