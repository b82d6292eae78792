import { openDB } from 'idb';

import { ApiError, Unreachable } from '../api';
import type { Receipt } from '../api';
import { Watchable } from '../lib/store';

/**
 * What a learner did, waiting to reach the server.
 *
 * `id` is the attempt's id on the wire, made before anything is sent, so that a retry is harmless.
 * `seconds` is active time. `problem` is set once the server refused it: it then lies on the shelf,
 * visible, until the learner throws it away.
 */
export interface Entry {
  id: string;
  order: number;
  learnerId: string | null;
  taskId: string;
  act: { kind: 'attempt'; answer: string } | { kind: 'mark'; isCorrect: boolean } | { kind: 'dont-know' };
  seconds: number;
  /** What the learner would recognise it by: topic and answer. */
  label: string;
  createdAt: string;
  problem: string | null;
}

export type NewEntry = Omit<Entry, 'order' | 'createdAt' | 'problem'>;

export type Settled = { kind: 'receipt'; receipt: Receipt } | { kind: 'refused'; problem: string };

/** Where entries lie until the server has them. Each call returns once the change is on disk. */
export interface Shelf {
  all: () => Promise<Entry[]>;
  put: (entry: Entry) => Promise<void>;
  remove: (id: string) => Promise<void>;
  readonly durable: boolean;
}

/** The browser's own database; entries survive a reload, a crash and a closed tab. */
export async function openShelf(name = 'studysmart'): Promise<Shelf> {
  const db = await openDB<{ outbox: { key: string; value: Entry } }>(name, 1, {
    upgrade: (database) => void database.createObjectStore('outbox', { keyPath: 'id' }),
  });
  const write = async (change: (store: { put: (e: Entry) => unknown; delete: (id: string) => unknown }) => unknown) => {
    const tx = db.transaction('outbox', 'readwrite', { durability: 'strict' });
    await change(tx.store);
    await tx.done;
  };
  return {
    durable: true,
    all: () => db.getAll('outbox'),
    put: (entry) => write((store) => store.put(entry)),
    remove: (id) => write((store) => store.delete(id)),
  };
}

/** For browsers that refuse storage: entries live as long as the page, and the page says so. */
export function memoryShelf(): Shelf {
  const entries = new Map<string, Entry>();
  return {
    durable: false,
    all: () => Promise.resolve([...entries.values()]),
    put: (entry) => Promise.resolve(void entries.set(entry.id, entry)),
    remove: (id) => Promise.resolve(void entries.delete(id)),
  };
}

export interface SyncView {
  /** Entries that will still be sent. */
  waiting: number;
  state: 'saved' | 'saving' | 'offline' | 'signed-out';
  /** Refused by the server; they need the learner. */
  shelved: Entry[];
  /** Belong to another account of this browser; sent when that person signs in. */
  foreign: number;
  durable: boolean;
}

export interface OutboxOptions {
  shelf: Shelf;
  /** Delivers one entry; throws `ApiError` or `Unreachable`. */
  deliver: (entry: Entry) => Promise<Receipt>;
  /** Runs `work` while no other tab of this browser does. */
  exclusively?: (work: () => Promise<void>) => Promise<void>;
  now?: () => number;
  random?: () => number;
  /** Tells other tabs what became of an entry, and hears from them. */
  channel?: BroadcastChannel | null;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** Statuses that say "again later", not "never". */
const TRANSIENT = new Set([408, 425, 429]);

type Note = { kind: 'settled'; id: string; settled: Settled } | { kind: 'changed' };

/**
 * Keeps every answer until the server has acknowledged it.
 *
 * `add` returns once the entry is on disk. One tab at a time sends, oldest first. An entry leaves
 * only after a 2xx, or moves to the shelf after a refusal that a retry would not change.
 */
export class Outbox {
  readonly view: Watchable<SyncView>;
  readonly #options: OutboxOptions;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #waitingFor = new Map<string, ((settled: Settled) => void)[]>();
  #learnerId: string | null = null;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #draining: Promise<void> | null = null;
  #again = false;
  #lastOrder = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now());
    this.#random = options.random ?? Math.random;
    this.view = new Watchable<SyncView>({
      waiting: 0,
      state: 'saved',
      shelved: [],
      foreign: 0,
      durable: options.shelf.durable,
    });
    options.channel?.addEventListener('message', (event: MessageEvent<Note>) => {
      if (event.data.kind === 'settled') this.#resolve(event.data.id, event.data.settled);
      void this.#refresh();
    });
  }

  /** Whose entries may be sent now. Null while nobody is signed in. */
  async setLearner(learnerId: string | null): Promise<void> {
    this.#learnerId = learnerId;
    this.#failures = 0;
    await this.#refresh('saved');
    void this.flush();
  }

  /** Writes the entry to disk, then starts sending. */
  async add(entry: NewEntry): Promise<void> {
    // Two acts in one millisecond must keep their order.
    this.#lastOrder = Math.max(this.#now(), this.#lastOrder + 1);
    const kept: Entry = {
      ...entry,
      order: this.#lastOrder,
      createdAt: new Date(this.#now()).toISOString(),
      problem: null,
    };
    await this.#options.shelf.put(kept);
    await this.#refresh();
    void this.flush();
  }

  /** Resolves when the server has answered for this entry, in this tab or in another. */
  settled(id: string): Promise<Settled> {
    return new Promise((resolve) => {
      this.#waitingFor.set(id, [...(this.#waitingFor.get(id) ?? []), resolve]);
    });
  }

  async has(id: string): Promise<boolean> {
    return (await this.#options.shelf.all()).some((entry) => entry.id === id && entry.problem === null);
  }

  /** Throws a shelved entry away; only ever called by the learner. */
  async discard(id: string): Promise<void> {
    await this.#options.shelf.remove(id);
    await this.#refresh();
    this.#tell({ kind: 'changed' });
  }

  /** Sends all that waits, now. Safe to call at any time, any number of times. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#draining) {
      this.#again = true;
      return this.#draining;
    }
    const exclusively = this.#options.exclusively ?? ((work) => work());
    this.#draining = exclusively(() => this.#drain()).finally(() => {
      this.#draining = null;
      if (this.#again) {
        this.#again = false;
        void this.flush();
      }
    });
    return this.#draining;
  }

  async #mine(): Promise<Entry[]> {
    const entries = await this.#options.shelf.all();
    return entries
      .filter((entry) => entry.problem === null && this.#isMine(entry))
      .sort((one, other) => one.order - other.order);
  }

  #isMine(entry: Entry): boolean {
    return entry.learnerId === null || entry.learnerId === this.#learnerId;
  }

  async #drain(): Promise<void> {
    if (this.#learnerId === null) return;
    for (;;) {
      const [entry] = await this.#mine();
      if (entry === undefined) {
        await this.#refresh('saved');
        return;
      }
      try {
        const receipt = await this.#options.deliver(entry);
        await this.#options.shelf.remove(entry.id);
        this.#failures = 0;
        this.#settle(entry.id, { kind: 'receipt', receipt });
        await this.#refresh('saved');
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) {
          await this.#refresh('signed-out');
          return;
        }
        if (error instanceof ApiError && error.status < 500 && !TRANSIENT.has(error.status)) {
          await this.#options.shelf.put({ ...entry, problem: error.message });
          this.#settle(entry.id, { kind: 'refused', problem: error.message });
          await this.#refresh();
          continue;
        }
        await this.#refresh('offline');
        this.#later(error instanceof ApiError ? error.retryAfterS : null);
        if (!(error instanceof ApiError) && !(error instanceof Unreachable)) throw error;
        return;
      }
    }
  }

  /** Waits 1, 2, 4 … 30 s with half of it random, so that a class does not come back as one. */
  #later(retryAfterS: number | null): void {
    const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    this.#failures += 1;
    const wait = Math.max(backoff * (0.5 + this.#random() / 2), (retryAfterS ?? 0) * 1_000);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), wait);
  }

  #settle(id: string, settled: Settled): void {
    this.#resolve(id, settled);
    this.#tell({ kind: 'settled', id, settled });
  }

  #resolve(id: string, settled: Settled): void {
    for (const resolve of this.#waitingFor.get(id) ?? []) resolve(settled);
    this.#waitingFor.delete(id);
  }

  #tell(note: Note): void {
    this.#options.channel?.postMessage(note);
  }

  async #refresh(state?: SyncView['state']): Promise<void> {
    const entries = await this.#options.shelf.all();
    const unsent = entries.filter((entry) => entry.problem === null);
    const waiting = unsent.filter((entry) => this.#isMine(entry)).length;
    const before = this.view.get();
    const next = state ?? before.state;
    this.view.set({
      ...before,
      waiting,
      // Nothing of mine waits: all of it is saved. Trouble stays in sight until something got through.
      state: waiting === 0 ? 'saved' : next === 'saved' ? 'saving' : next,
      shelved: entries.filter((entry) => entry.problem !== null && this.#isMine(entry)),
      foreign: this.#learnerId === null ? 0 : unsent.length - waiting,
    });
  }
}

/** One sender per browser where the browser can tell; the server takes duplicates in its stride. */
export async function acrossTabs(work: () => Promise<void>): Promise<void> {
  if ('locks' in navigator) await navigator.locks.request('studysmart-outbox', () => work());
  else await work();
}
