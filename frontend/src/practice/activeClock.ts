/** After this long without a key, a click or a scroll, nobody is at work. */
export const IDLE_AFTER_MS = 60_000;

/**
 * Counts active time: page visible, window focused, last input less than a minute ago.
 *
 * All moments are milliseconds of one monotonic clock. Time is added up only when something
 * happens or is asked, never by a timer, so a sleeping laptop adds nothing: the span since the
 * last event is cut at `lastInput + IDLE_AFTER_MS`.
 */
export class ActiveClock {
  #total: number;
  #running = false;
  #visible = true;
  #focused = true;
  #lastInput: number;
  #since: number;

  constructor(now: number, alreadyMs = 0) {
    this.#total = alreadyMs;
    this.#lastInput = now;
    this.#since = now;
  }

  start(now: number): void {
    this.#settle(now);
    this.#lastInput = now;
    this.#running = true;
  }

  stop(now: number): void {
    this.#settle(now);
    this.#running = false;
  }

  input(now: number): void {
    this.#settle(now);
    this.#lastInput = now;
  }

  presence(now: number, state: { visible: boolean; focused: boolean }): void {
    this.#settle(now);
    // Coming back is itself a sign of life; without it the clock would wait for a first key.
    const back = state.visible && state.focused && !(this.#visible && this.#focused);
    if (back) this.#lastInput = now;
    this.#visible = state.visible;
    this.#focused = state.focused;
  }

  /** Active milliseconds up to `now`. */
  elapsed(now: number): number {
    this.#settle(now);
    return this.#total;
  }

  #settle(now: number): void {
    // A clock that jumps back adds nothing.
    const until = Math.min(now, this.#lastInput + IDLE_AFTER_MS);
    if (this.#running && this.#visible && this.#focused && until > this.#since) {
      this.#total += until - this.#since;
    }
    this.#since = Math.max(this.#since, now);
  }
}
