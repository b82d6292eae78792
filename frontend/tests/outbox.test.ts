import 'fake-indexeddb/auto';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError, Unreachable } from '../src/api';
import type { Receipt } from '../src/api';
import { memoryShelf, openShelf, Outbox } from '../src/outbox/outbox';
import type { Entry, NewEntry, OutboxOptions } from '../src/outbox/outbox';

const LEARNER = 'learner-1';

function entry(id: string, learnerId: string | null = LEARNER): NewEntry {
  return { id, learnerId, taskId: `task-of-${id}`, act: { kind: 'attempt', answer: '42' }, seconds: 12.5, label: id };
}

function receipt(id: string): Receipt {
  return {
    id,
    task_id: `task-of-${id}`,
    verdict: 'correct',
    is_correct: true,
    message: 'Correct.',
    understood: null,
    recorded: true,
    counts: true,
    answer_content: null,
    solution_content: null,
    response_time_s: 12.5,
    forecast_before: null,
    forecast_after: null,
    completed_at: null,
  };
}

const refusal = (status: number): ApiError => new ApiError(status, { detail: `refused with ${status}`, code: 'x' });

async function outboxWith(deliver: OutboxOptions['deliver'], options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  const outbox = new Outbox({ shelf: memoryShelf(), deliver, random: () => 0, ...options });
  await outbox.setLearner(LEARNER);
  await outbox.flush();
  return outbox;
}

let database = 0;
beforeEach(() => {
  database += 1;
});
const freshShelf = (): ReturnType<typeof openShelf> => openShelf(`test-${database}`);

describe('outbox', () => {
  it('has an answer on disk before it is sent', async () => {
    const shelf = await freshShelf();
    const onDisk: string[][] = [];
    const outbox = await outboxWith(
      async ({ id }) => {
        onDisk.push((await shelf.all()).map((kept) => kept.id));
        return receipt(id);
      },
      { shelf },
    );
    await outbox.add(entry('a'));
    await outbox.flush();
    expect(onDisk).toEqual([['a']]);
  });

  it('forgets an answer only after the server has acknowledged it', async () => {
    const shelf = await freshShelf();
    const outbox = await outboxWith(({ id }) => Promise.resolve(receipt(id)), { shelf });
    const settled = outbox.settled('a');
    await outbox.add(entry('a'));
    expect(await settled).toEqual({ kind: 'receipt', receipt: receipt('a') });
    expect(await shelf.all()).toEqual([]);
    await vi.waitFor(() => expect(outbox.view.get()).toMatchObject({ waiting: 0, state: 'saved' }));
  });

  it('sends after a crash what was written before it', async () => {
    const before = await outboxWith(() => Promise.reject(new Unreachable('cut')), { shelf: await freshShelf() });
    await before.add(entry('a'));
    await before.flush();
    const sent: string[] = [];
    await outboxWith(
      ({ id }) => {
        sent.push(id);
        return Promise.resolve(receipt(id));
      },
      { shelf: await freshShelf() },
    );
    expect(sent).toEqual(['a']);
  });

  it('sends the same id and body again after a lost acknowledgement', async () => {
    vi.useFakeTimers();
    const sent: Entry[] = [];
    const outbox = await outboxWith((kept) => {
      sent.push(kept);
      return sent.length === 1 ? Promise.reject(new Unreachable('reset')) : Promise.resolve(receipt(kept.id));
    });
    await outbox.add(entry('a'));
    await outbox.flush();
    expect(outbox.view.get()).toMatchObject({ waiting: 1, state: 'offline' });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
    expect(outbox.view.get()).toMatchObject({ waiting: 0, state: 'saved' });
    vi.useRealTimers();
  });

  it('keeps the order in which the learner answered', async () => {
    let online = false;
    const sent: string[] = [];
    const outbox = await outboxWith(
      ({ id }) => {
        if (!online) return Promise.reject(new Unreachable('offline'));
        sent.push(id);
        return Promise.resolve(receipt(id));
      },
      { now: () => 1_000 },
    );
    for (const id of ['c', 'a', 'b']) await outbox.add(entry(id));
    online = true;
    await outbox.flush();
    await vi.waitFor(() => expect(sent).toEqual(['c', 'a', 'b']));
  });

  it.each([400, 404, 409, 422])('moves an answer refused with %i to the shelf and goes on', async (status) => {
    const outbox = await outboxWith(({ id }) =>
      id === 'bad' ? Promise.reject(refusal(status)) : Promise.resolve(receipt(id)),
    );
    const settled = outbox.settled('bad');
    await outbox.add(entry('bad'));
    await outbox.add(entry('good'));
    expect(await settled).toEqual({ kind: 'refused', problem: `refused with ${status}` });
    await vi.waitFor(() => expect(outbox.view.get().waiting).toBe(0));
    expect(outbox.view.get().shelved.map((kept) => kept.id)).toEqual(['bad']);
  });

  it.each([408, 429, 500, 503])('keeps an answer that met %i, to send it again', async (status) => {
    const outbox = await outboxWith(() => Promise.reject(refusal(status)));
    await outbox.add(entry('a'));
    await outbox.flush();
    expect(outbox.view.get()).toMatchObject({ waiting: 1, state: 'offline', shelved: [] });
  });

  it('waits as long as the server asked', async () => {
    vi.useFakeTimers();
    let calls = 0;
    const outbox = await outboxWith(() => {
      calls += 1;
      return Promise.reject(new ApiError(503, {}, 20));
    });
    await outbox.add(entry('a'));
    await vi.advanceTimersByTimeAsync(0);
    const before = calls;
    await vi.advanceTimersByTimeAsync(19_000);
    expect(calls).toBe(before);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(calls).toBe(before + 1);
    vi.useRealTimers();
  });

  it('keeps everything and asks for a sign-in after a 401', async () => {
    let signedIn = false;
    const outbox = await outboxWith(({ id }) => (signedIn ? Promise.resolve(receipt(id)) : Promise.reject(refusal(401))));
    await outbox.add(entry('a'));
    await outbox.flush();
    expect(outbox.view.get()).toMatchObject({ waiting: 1, state: 'signed-out', shelved: [] });
    signedIn = true;
    await outbox.setLearner(LEARNER);
    await vi.waitFor(() => expect(outbox.view.get()).toMatchObject({ waiting: 0, state: 'saved' }));
  });

  it('never sends one learner’s answer as another', async () => {
    const sent: string[] = [];
    const outbox = await outboxWith(({ id }) => {
      sent.push(id);
      return Promise.resolve(receipt(id));
    });
    await outbox.add(entry('theirs', 'learner-2'));
    await outbox.flush();
    expect(sent).toEqual([]);
    expect(outbox.view.get().foreign).toBe(1);
    await outbox.setLearner('learner-2');
    await vi.waitFor(() => expect(sent).toEqual(['theirs']));
  });

  it('runs one sender, however often it is asked to', async () => {
    let inside = 0;
    let most = 0;
    const outbox = await outboxWith(async ({ id }) => {
      inside += 1;
      most = Math.max(most, inside);
      await Promise.resolve();
      inside -= 1;
      return receipt(id);
    });
    await Promise.all([entry('a'), entry('b'), entry('c')].map((kept) => outbox.add(kept)));
    await Promise.all([outbox.flush(), outbox.flush(), outbox.flush()]);
    await vi.waitFor(() => expect(outbox.view.get().waiting).toBe(0));
    expect(most).toBe(1);
  });

  it('throws a shelved answer away only when told to', async () => {
    const outbox = await outboxWith(() => Promise.reject(refusal(409)));
    await outbox.add(entry('a'));
    await vi.waitFor(() => expect(outbox.view.get().shelved).toHaveLength(1));
    await outbox.flush();
    expect(outbox.view.get().shelved).toHaveLength(1);
    await outbox.discard('a');
    expect(outbox.view.get().shelved).toEqual([]);
  });
});
