/** The events that a search finds, read page by page as one scrolls. */

import { get } from '../../lib/api';

/** A flat object of ECS fields. */
export type Event = Record<string, unknown>;

interface Page {
  events: Event[];
  next?: string | null;
}

export interface Asked {
  q: string;
  from: string;
  to?: string;
}

/** The most events that are kept; whoever wants to read more than that narrows the search or exports. */
export const MOST = 100_000;
/** The first page is small, so that it is there at once. */
const FIRST = 200;
const PAGE = 1_000;

export class Events {
  list = $state.raw<Event[]>([]);
  isBusy = $state(false);
  /** Whether there are more than those in the list. */
  more = $state(true);
  error: unknown = $state.raw();
  #next: string | undefined;
  #stop = new AbortController();

  constructor(private readonly asked: Asked) {
    void this.read();
  }

  /** Ends what is under way at the hub too. */
  stop(): void {
    this.#stop.abort();
  }

  /** Reads the next page, unless it is being read already. */
  async read(): Promise<void> {
    if (this.isBusy || !this.more || this.error || this.list.length >= MOST) return;
    this.isBusy = true;
    const limit = Math.min(this.list.length === 0 ? FIRST : PAGE, MOST - this.list.length);
    const { signal } = this.#stop;
    try {
      const page = await get<Page>('search', { ...this.asked, limit, before: this.#next }, signal);
      if (signal.aborted) return;
      this.list = this.list.concat(page.events);
      this.#next = page.next ?? undefined;
      this.more = this.#next !== undefined;
    } catch (error) {
      if (!signal.aborted) this.error = error;
    }
    this.isBusy = false;
  }
}

/** The number of an event, by which the address bar and alerts know it. */
export function idOf(event: Event): string {
  return String(event['event.id'] ?? '');
}

/** A value as one text. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(shown).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** What a row says of an event where nobody chose otherwise. */
export function summary(event: Event): string {
  return shown(event['message']) || shown(event['event.original']);
}
