import { Watchable } from '../lib/store';
import type {
  AttemptRequest,
  Credentials,
  Insights,
  Me,
  Preferences,
  Problem,
  Receipt,
  Registration,
  SelfMark,
  Task,
  TaskRequest,
  Topics,
  Training,
  TrainingRequested,
  Welcome,
} from './types';

/** The server answered with an error. `retryAfterS` is what it asked us to wait, when it did. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly retryAfterS: number | null;

  constructor(status: number, problem: Partial<Problem>, retryAfterS: number | null = null) {
    super(problem.detail ?? `The server answered ${status}.`);
    this.name = 'ApiError';
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.requestId = problem.request_id ?? null;
    this.retryAfterS = retryAfterS;
  }
}

/** No answer came: offline, the server is restarting, or it took longer than `TIMEOUT_MS`. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super('The server cannot be reached right now.', { cause });
    this.name = 'Unreachable';
  }
}

/** True from the first 401 until somebody signs in. */
export const signedOut = new Watchable(false);

const TIMEOUT_MS = 15_000;

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export async function call<T>(method: Method, path: string, body?: unknown): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: 'same-origin',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    throw new Unreachable(error);
  }
  let parsed: unknown;
  try {
    parsed = text === '' ? undefined : JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (!response.ok) {
    // A wrong password is also a 401, but the person is looking at the sign-in form already.
    if (response.status === 401 && path !== '/auth/login') signedOut.set(true);
    const wait = Number(response.headers.get('Retry-After'));
    const problem = typeof parsed === 'object' && parsed !== null ? parsed : {};
    throw new ApiError(response.status, problem, Number.isFinite(wait) && wait > 0 ? wait : null);
  }
  return parsed as T;
}

function query(values: Record<string, string | number | null | undefined>): string {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  if (entries.length === 0) return '';
  return `?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)])).toString()}`;
}

export const api = {
  welcome: () => call<Welcome>('GET', ''),
  me: () => call<Me>('GET', '/auth/me'),
  login: (body: Credentials) => call<Me>('POST', '/auth/login', body),
  register: (body: Registration) => call<Me>('POST', '/auth/register', body),
  logout: () => call<undefined>('POST', '/auth/logout'),
  topics: () => call<Topics>('GET', '/topics'),
  createTask: (body: TaskRequest) => call<Task>('POST', '/practice-tasks', body),
  task: (id: string) => call<Task>('GET', `/practice-tasks/${encodeURIComponent(id)}`),
  tasks: (filter: { subject?: string; topic?: string; limit?: number }) =>
    call<Task[]>('GET', `/practice-tasks${query(filter)}`),
  discardTask: (id: string) => call<undefined>('DELETE', `/practice-tasks/${encodeURIComponent(id)}`),
  attempt: (taskId: string, body: AttemptRequest) =>
    call<Receipt>('POST', `/practice-tasks/${encodeURIComponent(taskId)}/attempts`, body),
  reveal: (taskId: string) => call<Task>('POST', `/practice-tasks/${encodeURIComponent(taskId)}/reveal`, {}),
  selfMark: (taskId: string, body: SelfMark) =>
    call<Receipt>('PATCH', `/practice-tasks/${encodeURIComponent(taskId)}`, body),
  training: () => call<Training>('GET', '/training'),
  runTraining: (reason: string) => call<TrainingRequested>('POST', '/training/run', { reason }),
  insights: () => call<Insights>('GET', '/insights'),
  preferences: () => call<Preferences>('GET', '/preferences'),
  savePreferences: (body: Preferences) => call<Preferences>('PUT', '/preferences', body),
};
