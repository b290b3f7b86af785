/** Events as they are stored: those in sight, and those that wait while the person reads. */

import { ApiError, follow } from '../../lib/api';

export interface Row {
  /** Counts up, so that a row keeps its place while others go. */
  number: number;
  event: Record<string, unknown>;
}

/** More rows nobody reads; the oldest go. */
export const MOST = 10_000;
/** How often what came is shown, in milliseconds. */
const SHOW_EVERY = 120;
/** How long it is waited before a stream that ended is opened again, in milliseconds. */
const PAUSE = 2_000;

export class Tail {
  rows = $state.raw<Row[]>([]);
  isOpen = $state(false);
  isPaused = $state(false);
  /** How many came while it was paused. */
  waiting = $state(0);
  /** How many the hub left out because this was too slow, or that waited too long here. */
  lost = $state(0);
  trouble = $state.raw<unknown>();
  #came: Row[] = [];
  #number = 0;
  #end = new AbortController();
  #timer: ReturnType<typeof setInterval>;

  constructor(private readonly query: string) {
    this.#timer = setInterval(() => this.#show(), SHOW_EVERY);
    void this.#run();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#end.abort();
  }

  pause(): void {
    this.isPaused = !this.isPaused;
    if (!this.isPaused) this.#show();
  }

  clear(): void {
    this.rows = [];
    this.#came = [];
    this.waiting = 0;
    this.lost = 0;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      try {
        const opened = () => {
          this.isOpen = true;
          this.trouble = undefined;
        };
        await follow('tail', { q: this.query }, signal, opened, (object) => this.#take(object));
      } catch (error) {
        if (signal.aborted) return;
        // What cannot be read will not be read later either.
        if (error instanceof ApiError && error.status >= 400 && error.status < 500) {
          this.isOpen = false;
          this.trouble = error;
          return;
        }
      }
      this.isOpen = false;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }

  #take(object: unknown): void {
    const event = object as Record<string, unknown>;
    if (typeof event.lagged === 'number') {
      this.lost += event.lagged;
      return;
    }
    this.#number += 1;
    this.#came.push({ number: this.#number, event });
    if (this.#came.length > MOST) {
      this.#came.shift();
      this.lost += 1;
    }
  }

  #show(): void {
    if (this.isPaused) {
      this.waiting = this.#came.length;
      return;
    }
    this.waiting = 0;
    if (this.#came.length === 0) return;
    this.rows = [...this.rows, ...this.#came].slice(-MOST);
    this.#came = [];
  }
}
