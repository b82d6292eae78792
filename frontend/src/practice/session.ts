import { api, ApiError } from '../api';
import type { Forecast, Receipt, Task, TaskRequest } from '../api';
import { uuid } from '../lib/ids';
import { Watchable } from '../lib/store';
import type { Entry, Outbox, Settled } from '../outbox/outbox';
import { ActiveClock } from './activeClock';

/** What to practise; null leaves the choice to the server ("recommended"). */
export interface Choice {
  subject: string | null;
  topic: string | null;
  difficulty: string | null;
}

export const RECOMMENDED: Choice = { subject: null, topic: null, difficulty: null };

/**
 * idle: nothing asked for yet · fetching: waiting for a task · open: being worked on ·
 * sending: answer on disk, verdict awaited · kept: answer on disk, server out of reach ·
 * judged: verdict known · failed: no task could be had.
 */
export type Phase = 'idle' | 'fetching' | 'open' | 'sending' | 'kept' | 'judged' | 'failed';

export interface View {
  phase: Phase;
  choice: Choice;
  task: Task | null;
  draft: string;
  hintsShown: number;
  /** One sentence above the answer: why it could not be read, or why an act failed. */
  message: string | null;
  receipt: Receipt | null;
  /** The learner said "I don't know this yet"; the verdict is then a note, not a judgement. */
  gaveUp: boolean;
  nextReady: boolean;
}

/** What a reload brings back. */
interface Saved {
  learnerId: string;
  choice: Choice;
  task: Task | null;
  next: Task | null;
  draft: string;
  hintsShown: number;
  activeMs: number;
  sentId: string | null;
  receipt: Receipt | null;
  gaveUp: boolean;
}

const KEY = 'studysmart-practice-1';

export interface SessionOptions {
  outbox: Outbox;
  /** Monotonic milliseconds. */
  now: () => number;
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null;
  /** Called when an answer was counted, so that charts and counters are read again. */
  onCounted: () => void;
}

const sameChoice = (one: Choice, other: Choice): boolean =>
  one.subject === other.subject && one.topic === other.topic && one.difficulty === other.difficulty;

/**
 * The practice loop of one page: the task now, the task after it, and what became of the answer.
 *
 * It outlives the practice screen, so that a look at another page loses nothing, and is written
 * to local storage at every step, so that a reload does not either. Answers themselves are the
 * outbox's business.
 */
export class PracticeSession {
  readonly view = new Watchable<View>({
    phase: 'idle',
    choice: RECOMMENDED,
    task: null,
    draft: '',
    hintsShown: 0,
    message: null,
    receipt: null,
    gaveUp: false,
    nextReady: false,
  });
  readonly #options: SessionOptions;
  #clock: ActiveClock;
  #next: Task | null = null;
  /** Rises whenever tasks on their way become unwanted; a late one then finds itself stale. */
  #generation = 0;
  /** Generation that a task is being fetched ahead for; -1 when none is. */
  #aheadOf = -1;
  #refreshAhead = false;
  #sentId: string | null = null;
  #learnerId: string | null = null;
  #markOpened: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => {
    this.#markOpened = resolve;
  });
  #saveTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#clock = new ActiveClock(options.now());
  }

  // Time --------------------------------------------------------------------------------------

  /** Active seconds on the task now. */
  seconds = (): number => this.#clock.elapsed(this.#options.now()) / 1_000;

  noteInput = (): void => this.#clock.input(this.#options.now());

  notePresence = (visible: boolean, focused: boolean): void => {
    this.#clock.presence(this.#options.now(), { visible, focused });
    if (!visible) this.save();
  };

  /** Time on the practice screen counts; time on other screens does not. */
  enter(): void {
    if (this.view.get().phase === 'open') this.#clock.start(this.#options.now());
  }

  leave(): void {
    this.#clock.stop(this.#options.now());
    this.save();
  }

  // Beginning ---------------------------------------------------------------------------------

  /** Resolves once it is known who practises. */
  ready(): Promise<void> {
    return this.#opened;
  }

  /** Says who practises; brings back what this learner left, and drops what somebody else did. */
  async open(learnerId: string): Promise<void> {
    if (this.#learnerId === learnerId) return;
    this.#restore(learnerId);
    this.#markOpened();
    await this.#resume();
  }

  #restore(learnerId: string): void {
    const changed = this.#learnerId !== null;
    this.#learnerId = learnerId;
    if (changed) this.#forget();
    const saved = this.#load(learnerId);
    if (saved === null) return;
    this.#next = saved.next;
    this.#clock = new ActiveClock(this.#options.now(), saved.activeMs);
    this.#sentId = saved.sentId;
    const { task } = saved;
    if (task === null) {
      this.#show({ choice: saved.choice });
      return;
    }
    this.#show({
      phase: saved.receipt !== null ? 'judged' : saved.sentId !== null ? 'kept' : 'open',
      choice: saved.choice,
      task,
      draft: saved.draft,
      hintsShown: saved.hintsShown,
      receipt: saved.receipt,
      gaveUp: saved.gaveUp,
      nextReady: saved.next !== null,
    });
  }

  /** Finds out what became of an answer that was on its way when the page was left. */
  async #resume(): Promise<void> {
    const { task, phase } = this.view.get();
    if (task === null || phase === 'judged') return;
    if (this.#sentId !== null) {
      // Listening first: the verdict may come between the question and its answer.
      void this.#await(this.#sentId, task);
      if (await this.#options.outbox.has(this.#sentId)) return;
    }
    await this.revalidate();
  }

  /** Goes on with what there is, or fetches the first task. */
  begin(): void {
    if (this.#learnerId === null) return;
    const { phase } = this.view.get();
    if (phase === 'idle' || phase === 'failed') void this.#fetchNow();
    else this.enter();
  }

  /** Practises something else from now on. */
  choose(choice: Choice): void {
    const { choice: before, phase, task } = this.view.get();
    const resumes = phase !== 'idle' && phase !== 'failed';
    if (sameChoice(before, choice) && resumes) return;
    this.#dropNext();
    this.#show({ choice });
    // A task in the middle of which the learner changes the topic was never answered.
    if (task !== null && phase === 'open') void this.#discard(task);
    void this.#fetchNow();
  }

  /** Takes the learner's own task as the one now. */
  async bring(request: TaskRequest): Promise<void> {
    const task = await api.createTask(request);
    const { task: before, phase } = this.view.get();
    if (before !== null && phase === 'open') void this.#discard(before);
    this.#present(task);
  }

  /** Asks for another task like the one just done. */
  another(): void {
    const { task } = this.view.get();
    if (task === null) return;
    void this.#fetchNow({ subject: task.subject, topic: task.topic, difficulty: task.difficulty });
  }

  // Working -----------------------------------------------------------------------------------

  type(draft: string): void {
    this.#show({ draft, message: null });
    clearTimeout(this.#saveTimer);
    this.#saveTimer = setTimeout(() => this.save(), 500);
  }

  hint(): void {
    const { phase, task, hintsShown } = this.view.get();
    if (phase !== 'open' || task === null) return;
    this.#show({ hintsShown: Math.min(task.hints.length, hintsShown + 1) });
    this.save();
  }

  async check(answer = this.view.get().draft, label = answer): Promise<void> {
    if (answer.trim() === '') {
      this.#show({ message: 'Type an answer first. Not sure? “I don’t know this yet” shows the way.' });
      return;
    }
    await this.#commit({ kind: 'attempt', answer }, label);
  }

  async dontKnow(): Promise<void> {
    await this.#commit({ kind: 'dont-know' }, 'I don’t know this yet');
  }

  /** Shows the solution of a task that learners mark themselves. */
  async reveal(): Promise<void> {
    const { task, phase } = this.view.get();
    if (task === null || phase !== 'open' || task.status !== 'open') return;
    this.#clock.stop(this.#options.now());
    try {
      const revealed = await api.reveal(task.id);
      if (this.view.get().task?.id === task.id) this.#show({ task: revealed, message: null });
    } catch (error) {
      this.#clock.start(this.#options.now());
      this.#show({ message: error instanceof Error ? error.message : 'The solution could not be loaded.' });
    }
    this.save();
  }

  async mark(isCorrect: boolean): Promise<void> {
    await this.#commit({ kind: 'mark', isCorrect }, isCorrect ? 'I had it right' : 'I had it wrong');
  }

  /** Moves on; the task fetched ahead is painted in the same frame. */
  next(): void {
    const { phase } = this.view.get();
    if (phase !== 'judged' && phase !== 'kept') return;
    const ready = this.#next;
    if (ready === null) {
      void this.#fetchNow();
      return;
    }
    this.#next = null;
    this.#present(ready);
  }

  /** Asks the server what became of the task now: another tab or device may have answered it. */
  async revalidate(): Promise<void> {
    const { task, phase } = this.view.get();
    if (task === null || (phase !== 'open' && phase !== 'kept')) return;
    let known: Task;
    try {
      known = await api.task(task.id);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) void this.#fetchNow();
      return;
    }
    const now = this.view.get();
    if (now.task?.id !== task.id || (now.phase !== 'open' && now.phase !== 'kept')) return;
    if (known.status === 'completed') {
      this.#clock.stop(this.#options.now());
      this.#show({ phase: 'judged', task: known, receipt: null, message: null });
    } else if (now.phase === 'kept' && this.#sentId !== null && !(await this.#options.outbox.has(this.#sentId))) {
      // Its receipt said "unreadable" and got lost on the way: the learner may try again.
      this.#sentId = null;
      this.#reopen(null);
    } else if (known.status !== task.status) {
      this.#show({ task: known });
    }
    this.save();
  }

  save(): void {
    clearTimeout(this.#saveTimer);
    if (this.#learnerId === null) return;
    const { choice, task, draft, hintsShown, receipt, gaveUp } = this.view.get();
    const saved: Saved = {
      learnerId: this.#learnerId,
      choice,
      task,
      next: this.#next,
      draft,
      hintsShown,
      activeMs: this.#clock.elapsed(this.#options.now()),
      sentId: this.#sentId,
      receipt,
      gaveUp,
    };
    try {
      this.#options.storage?.setItem(KEY, JSON.stringify(saved));
    } catch {
      // Storage is full or refused: a reload then starts with a new task; answers are not in here.
    }
  }

  // Inside ------------------------------------------------------------------------------------

  #show(change: Partial<View>): void {
    this.view.set({ ...this.view.get(), ...change });
  }

  #load(learnerId: string): Saved | null {
    try {
      const text = this.#options.storage?.getItem(KEY);
      if (text === null || text === undefined) return null;
      const saved = JSON.parse(text) as Saved;
      return saved.learnerId === learnerId ? saved : null;
    } catch {
      return null;
    }
  }

  #forget(): void {
    this.#generation += 1;
    this.#next = null;
    this.#sentId = null;
    this.#clock = new ActiveClock(this.#options.now());
    this.#options.storage?.removeItem(KEY);
    this.#show({
      phase: 'idle',
      choice: RECOMMENDED,
      task: null,
      draft: '',
      hintsShown: 0,
      message: null,
      receipt: null,
      gaveUp: false,
      nextReady: false,
    });
  }

  async #commit(act: Entry['act'], label: string): Promise<void> {
    const { task, phase } = this.view.get();
    if (task === null || phase !== 'open') return;
    const id = uuid();
    this.#clock.stop(this.#options.now());
    this.#show({ phase: 'sending', message: null, gaveUp: act.kind === 'dont-know' });
    // Listening starts before sending does: the answer must not arrive unheard.
    const verdict = this.#await(id, task);
    try {
      await this.#options.outbox.add({
        id,
        learnerId: this.#learnerId,
        taskId: task.id,
        act,
        seconds: Math.round(this.seconds() * 100) / 100,
        label: `${task.topic}: ${label}`,
      });
    } catch {
      this.#reopen('This browser could not store the answer. Free some space, then check again.');
      return;
    }
    this.#sentId = id;
    this.save();
    await verdict;
  }

  /** Shows "kept" when the verdict takes long, and the verdict when it comes. */
  async #await(id: string, task: Task): Promise<void> {
    const here = (): boolean => this.view.get().task?.id === task.id;
    const offline = this.#options.outbox.view.subscribe(() => {
      const { state } = this.#options.outbox.view.get();
      if ((state === 'offline' || state === 'signed-out') && here() && this.view.get().phase === 'sending') {
        this.#show({ phase: 'kept' });
      }
    });
    const settled: Settled = await this.#options.outbox.settled(id);
    offline();
    const counted = settled.kind === 'receipt' && settled.receipt.recorded;
    if (counted) this.#options.onCounted();
    if (!here()) return;
    this.#sentId = null;
    if (settled.kind === 'refused') {
      await this.#refused(task, settled.problem);
    } else if (!settled.receipt.recorded) {
      this.#reopen(settled.receipt.message);
    } else {
      this.#show({ phase: 'judged', receipt: settled.receipt, message: null });
      void this.#fetchAhead(true);
    }
    this.save();
  }

  async #refused(task: Task, problem: string): Promise<void> {
    this.#show({ phase: 'kept' });
    await this.revalidate();
    if (this.view.get().phase === 'judged' || this.view.get().task?.id !== task.id) return;
    this.#reopen(`${problem} Your answer is kept under “Needs you”.`);
  }

  #reopen(message: string | null): void {
    this.#clock.start(this.#options.now());
    this.#show({ phase: 'open', message, gaveUp: false });
  }

  #present(task: Task): void {
    this.#sentId = null;
    this.#clock = new ActiveClock(this.#options.now());
    this.#clock.start(this.#options.now());
    this.#show({
      phase: 'open',
      task,
      draft: '',
      hintsShown: 0,
      message: null,
      receipt: null,
      gaveUp: false,
      nextReady: this.#next !== null,
    });
    this.save();
    void this.#fetchAhead();
  }

  async #fetchNow(request?: TaskRequest): Promise<void> {
    const { phase, choice } = this.view.get();
    if (phase === 'fetching') return;
    const generation = (this.#generation += 1);
    this.#show({ phase: 'fetching', task: null, receipt: null, message: null, draft: '', gaveUp: false });
    try {
      const task = await api.createTask(request ?? choice);
      if (generation !== this.#generation) {
        void this.#discard(task);
        return;
      }
      this.#present(task);
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#show({
        phase: 'failed',
        message: error instanceof Error ? error.message : 'No task could be loaded.',
      });
    }
  }

  /**
   * Fetches the task after this one: once when this one is shown, so that it is there even if the
   * network goes, and again when the verdict is in, because the answer moved the forecast and with
   * it the best next task. Whichever is newest is used; the other is handed back.
   */
  async #fetchAhead(refresh = false): Promise<void> {
    if (!refresh && this.#next !== null) return;
    const generation = this.#generation;
    if (this.#aheadOf === generation) {
      this.#refreshAhead ||= refresh;
      return;
    }
    this.#aheadOf = generation;
    this.#refreshAhead = false;
    try {
      const task = await api.createTask(this.view.get().choice);
      if (generation !== this.#generation) {
        void this.#discard(task);
        return;
      }
      const unused = this.#next;
      this.#next = task;
      if (unused !== null) void this.#discard(unused);
      this.#show({ nextReady: true });
      this.save();
    } catch {
      // "Next" fetches then; until that moment nobody misses it.
    } finally {
      if (this.#aheadOf === generation) this.#aheadOf = -1;
    }
    if (generation === this.#generation && this.#wantsRefresh()) void this.#fetchAhead(true);
  }

  #wantsRefresh(): boolean {
    return this.#refreshAhead;
  }

  #dropNext(): void {
    this.#generation += 1;
    if (this.#next !== null) void this.#discard(this.#next);
    this.#next = null;
    if (this.view.get().phase === 'fetching') this.#show({ phase: 'idle' });
    this.#show({ nextReady: false });
  }

  async #discard(task: Task): Promise<void> {
    try {
      await api.discardTask(task.id);
    } catch {
      // It stays on the server as an open task nobody answered, which does no harm.
    }
  }
}

/** The forecast that a receipt moved, before and after, when both are known. */
export function movement(receipt: Receipt): { before: Forecast; after: Forecast } | null {
  const { forecast_before: before, forecast_after: after } = receipt;
  return before !== null && after !== null ? { before, after } : null;
}
