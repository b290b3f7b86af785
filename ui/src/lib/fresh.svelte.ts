/** What the hub says, asked for again every so often while somebody looks. */

import { get, type Query } from './api';

/**
 * Asks until `close`. What was said before stays in sight while it is asked for again, and also where
 * that fails.
 */
export class Fresh<T> {
  value = $state.raw<T>();
  /** Why the last answer did not come. */
  trouble = $state.raw<unknown>();
  #asking: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(
    private readonly name: string,
    private readonly query: Query = {},
    /** Seconds between two questions; 0: only once. */
    private readonly every = 15,
  ) {
    document.addEventListener('visibilitychange', this.#seen);
    void this.ask();
  }

  /** Asks now. */
  ask = async (): Promise<void> => {
    clearTimeout(this.#timer);
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const value = await get<T>(this.name, this.query, asking.signal);
      if (asking.signal.aborted) return;
      this.value = value;
      this.trouble = undefined;
    } catch (error) {
      if (asking.signal.aborted) return;
      this.trouble = error;
    }
    if (this.every > 0 && !this.#isClosed) {
      this.#timer = setTimeout(() => document.hidden || void this.ask(), this.every * 1000);
    }
  };

  /** Asks after a moment, once for all who want it until then. */
  soon(): void {
    if (this.#isClosed) return;
    this.#soon ??= setTimeout(() => void this.ask(), 1_000);
  }

  close(): void {
    this.#isClosed = true;
    document.removeEventListener('visibilitychange', this.#seen);
    clearTimeout(this.#timer);
    clearTimeout(this.#soon);
    this.#asking?.abort();
  }

  #seen = (): void => {
    if (!document.hidden && this.every > 0) void this.ask();
  };
}
