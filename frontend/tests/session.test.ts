import { beforeEach, describe, expect, it, vi } from 'vitest';

import { api, ApiError, Unreachable } from '../src/api';
import type { Receipt, Task, TaskRequest } from '../src/api';
import { deliver } from '../src/outbox/deliver';
import { memoryShelf, Outbox } from '../src/outbox/outbox';
import { PracticeSession } from '../src/practice/session';

const LEARNER = 'learner-1';

function task(id: string, change: Partial<Task> = {}): Task {
  return {
    id,
    subject: 'Mathematics',
    topic: 'Algebra',
    skill: null,
    difficulty: 'easy',
    grading: 'numeric',
    task_content: `Task ${id}`,
    options: null,
    unit: null,
    hints: ['first', 'second'],
    created_at: '2026-01-01T00:00:00Z',
    status: 'open',
    forecast: {
      p_correct: 0.5,
      time_median_s: 60,
      time_low_s: 30,
      time_high_s: 90,
      model: 'prior',
      model_version: null,
      reason: '',
      answers: 0,
      samples: 0,
    },
    predicted_correct: 0.5,
    predicted_time_seconds: 60,
    model_version: null,
    is_correct: null,
    actual_time_seconds: null,
    completed_at: null,
    answer: null,
    solution_content: null,
    answer_content: null,
    notice: null,
    ...change,
  };
}

function receipt(change: Partial<Receipt> = {}): Receipt {
  return {
    id: 'x',
    task_id: 'x',
    verdict: 'correct',
    is_correct: true,
    message: 'Correct.',
    understood: null,
    recorded: true,
    counts: true,
    answer_content: '4',
    solution_content: 'because',
    response_time_s: 3,
    forecast_before: null,
    forecast_after: null,
    completed_at: null,
    ...change,
  };
}

/** A browser that can be reloaded: what lies in storage and in the outbox stays. */
function browser() {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  const shelf = memoryShelf();
  let now = 0;
  const onCounted = vi.fn();
  return {
    shelf,
    onCounted,
    wait: (ms: number) => {
      now += ms;
    },
    async load(): Promise<PracticeSession> {
      const outbox = new Outbox({ shelf, deliver, random: () => 0 });
      const session = new PracticeSession({ outbox, storage, now: () => now, onCounted });
      await outbox.setLearner(LEARNER);
      void session.open(LEARNER);
      await session.ready();
      return session;
    },
  };
}

async function phase(session: PracticeSession, wanted: string): Promise<void> {
  await vi.waitFor(() => expect(session.view.get().phase).toBe(wanted));
}

let made: TaskRequest[];

beforeEach(() => {
  made = [];
  vi.spyOn(api, 'createTask').mockImplementation((request) => {
    made.push(request);
    return Promise.resolve(task(`t${made.length}`));
  });
  vi.spyOn(api, 'discardTask').mockResolvedValue(undefined);
  vi.spyOn(api, 'attempt').mockResolvedValue(receipt());
});

describe('practice loop', () => {
  it('fetches the next task as soon as this one is shown, and shows it without waiting', async () => {
    const session = await browser().load();
    session.begin();
    await phase(session, 'open');
    await vi.waitFor(() => expect(session.view.get().nextReady).toBe(true));
    await session.check('4');
    const first = session.view.get().task?.id;
    session.next();
    expect(session.view.get().phase).toBe('open');
    expect(session.view.get().task?.id).not.toBe(first);
  });

  it('replaces the task fetched ahead once the answer has moved the forecast, and hands the old one back', async () => {
    const session = await browser().load();
    session.begin();
    await vi.waitFor(() => expect(session.view.get().nextReady).toBe(true));
    await session.check('4');
    await vi.waitFor(() => expect(api.discardTask).toHaveBeenCalledWith('t2'));
    session.next();
    expect(session.view.get().task?.id).toBe('t3');
  });

  it('sends active time with the answer', async () => {
    const here = browser();
    const session = await here.load();
    session.begin();
    await phase(session, 'open');
    here.wait(12_340);
    await session.check('4');
    expect(vi.mocked(api.attempt).mock.calls[0]?.[1]).toMatchObject({ answer: '4', response_time_s: 12.34 });
  });

  it('keeps the text and counts nothing when an answer cannot be read, and uses a new id for the next try', async () => {
    vi.mocked(api.attempt).mockResolvedValueOnce(
      receipt({ verdict: 'invalid', is_correct: null, recorded: false, message: 'A bracket is missing.' }),
    );
    const here = browser();
    const session = await here.load();
    session.begin();
    await phase(session, 'open');
    session.type('(3');
    await session.check();
    expect(session.view.get()).toMatchObject({ phase: 'open', draft: '(3', message: 'A bracket is missing.' });
    expect(here.onCounted).not.toHaveBeenCalled();
    await session.check('3');
    const ids = vi.mocked(api.attempt).mock.calls.map(([, body]) => body.id);
    expect(new Set(ids).size).toBe(2);
  });

  it('goes on with the task fetched ahead while the server is out of reach', async () => {
    vi.mocked(api.attempt).mockRejectedValue(new Unreachable('cable'));
    const here = browser();
    const session = await here.load();
    session.begin();
    await vi.waitFor(() => expect(session.view.get().nextReady).toBe(true));
    void session.check('4');
    await phase(session, 'kept');
    session.next();
    expect(session.view.get()).toMatchObject({ phase: 'open', task: { id: 't2' } });
    expect(await here.shelf.all()).toHaveLength(1);
  });

  it('brings back the same task, text, hints and time after a reload', async () => {
    const here = browser();
    const before = await here.load();
    before.begin();
    await phase(before, 'open');
    before.type('half an ans');
    before.hint();
    here.wait(5_000);
    before.leave();
    vi.spyOn(api, 'task').mockResolvedValue(task('t1'));
    const after = await here.load();
    expect(after.view.get()).toMatchObject({ phase: 'open', task: { id: 't1' }, draft: 'half an ans', hintsShown: 1 });
    expect(after.seconds()).toBe(5);
  });

  it('shows the verdict after a reload in the middle of sending', async () => {
    const here = browser();
    const before = await here.load();
    before.begin();
    await phase(before, 'open');
    vi.mocked(api.attempt).mockRejectedValueOnce(new Unreachable('tab closed'));
    void before.check('4');
    await phase(before, 'kept');
    const after = await here.load();
    await phase(after, 'judged');
    expect(after.view.get().receipt?.is_correct).toBe(true);
    expect(await here.shelf.all()).toEqual([]);
  });

  it('reveals before it marks when the learner does not know', async () => {
    const calls: string[] = [];
    vi.spyOn(api, 'reveal').mockImplementation((id) => {
      calls.push('reveal');
      return Promise.resolve(task(id, { status: 'revealed' }));
    });
    vi.spyOn(api, 'selfMark').mockImplementation((_, mark) => {
      calls.push(`mark ${mark.is_correct}`);
      return Promise.resolve(receipt({ verdict: 'incorrect', is_correct: false }));
    });
    const session = await browser().load();
    session.begin();
    await phase(session, 'open');
    await session.dontKnow();
    expect(calls).toEqual(['reveal', 'mark false']);
    expect(session.view.get()).toMatchObject({ phase: 'judged', gaveUp: true });
  });

  it('takes a mark for saved when a retry finds it already there', async () => {
    vi.spyOn(api, 'selfMark').mockRejectedValue(new ApiError(409, { detail: 'already completed' }));
    vi.spyOn(api, 'task').mockResolvedValue(task('t1', { status: 'completed', is_correct: true }));
    const here = browser();
    const session = await here.load();
    session.begin();
    await phase(session, 'open');
    await session.mark(true);
    expect(session.view.get()).toMatchObject({ phase: 'judged', receipt: { is_correct: true } });
    expect(await here.shelf.all()).toEqual([]);
  });

  it('shows what another tab answered, and keeps this tab’s answer on the shelf', async () => {
    vi.mocked(api.attempt).mockRejectedValue(new ApiError(409, { detail: 'already answered' }));
    vi.spyOn(api, 'task').mockResolvedValue(task('t1', { status: 'completed', is_correct: false }));
    const here = browser();
    const session = await here.load();
    session.begin();
    await phase(session, 'open');
    await session.check('5');
    expect(session.view.get()).toMatchObject({ phase: 'judged', task: { is_correct: false } });
    expect((await here.shelf.all()).map((entry) => entry.problem)).toEqual(['already answered']);
  });

  it('asks for what was chosen, and hands back tasks nobody will answer', async () => {
    const session = await browser().load();
    session.begin();
    await vi.waitFor(() => expect(session.view.get().nextReady).toBe(true));
    session.choose({ subject: 'Physics', topic: 'Waves', difficulty: 'hard' });
    await phase(session, 'open');
    expect(made.at(2)).toEqual({ subject: 'Physics', topic: 'Waves', difficulty: 'hard' });
    await vi.waitFor(() => expect(vi.mocked(api.discardTask).mock.calls.flat().sort()).toEqual(['t1', 't2']));
  });

  it('gives another learner nothing of what this one left', async () => {
    const here = browser();
    const session = await here.load();
    session.begin();
    await phase(session, 'open');
    session.type('private');
    session.save();
    await session.open('learner-2');
    expect(session.view.get()).toMatchObject({ phase: 'idle', task: null, draft: '' });
  });

  it('says so when no task can be had, and recovers', async () => {
    vi.mocked(api.createTask).mockRejectedValueOnce(new Unreachable('down'));
    const session = await browser().load();
    session.begin();
    await phase(session, 'failed');
    session.begin();
    await phase(session, 'open');
  });
});
