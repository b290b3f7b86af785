/** What the hub tells by itself, as server-sent events. */

import { path, type Query } from './api';

export type Listeners = Record<string, (data: unknown) => void>;

/** How long it is waited before a stream that ended is opened again, in milliseconds. */
const PAUSE = 2_000;

/**
 * Follows a stream of the hub until `close`. Browsers open one again by themselves where the connection
 * broke, but not where the hub refused; that is done here.
 */
export class Live {
  /** Whether news arrive. */
  isOpen = $state(false);
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly name: string,
    private readonly query: Query,
    private readonly listeners: Listeners,
  ) {
    this.#open();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
    this.isOpen = false;
  }

  #open(): void {
    const source = new EventSource(path(this.name, this.query));
    this.#source = source;
    source.onopen = () => (this.isOpen = true);
    source.onerror = () => {
      this.isOpen = false;
      if (source.readyState !== EventSource.CLOSED) return;
      this.#timer = setTimeout(() => this.#open(), PAUSE);
    };
    for (const [event, listener] of Object.entries(this.listeners)) {
      source.addEventListener(event, (message) => {
        let data: unknown;
        try {
          data = JSON.parse((message as MessageEvent<string>).data);
        } catch {
          return;
        }
        listener(data);
      });
    }
  }
}
