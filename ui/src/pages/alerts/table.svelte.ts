/**
 * The alerts of a list, of which only the pages that are looked at are held. What the hub tells changes
 * rows where they stand; in another order they come only when `refresh` is called.
 */

import { SvelteMap, SvelteSet } from 'svelte/reactivity';

import { get, type Query } from '../../lib/api';
import { rowOf, type Alert, type Counts, type Row } from '../../lib/alerts/types';

/** Rows of a page; the hub gives at most 500. */
const PAGE = 100;
/** How many pages are held: those that were looked at last. */
const HELD = 20;
/** The least time between two questions for counts, in milliseconds. */
const PAUSE = 2_000;
/** The most alerts that are chosen at once. */
export const MOST = 2_000;

interface Answer {
  rows: Row[];
  total: number;
}

export class AlertTable {
  total = $state(0);
  isKnown = $state(false);
  trouble: unknown = $state.raw();
  counts: Counts | undefined = $state.raw();
  /** Alerts that changed and that this list does not show as they are now. */
  news = new SvelteSet<string>();
  #pages = new SvelteMap<number, Row[]>();
  #query: Query = {};
  #asked = new Map<number, AbortController>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Shows what a question finds. */
  async show(query: Query, first: number): Promise<void> {
    this.#query = query;
    await this.refresh(first, first);
  }

  row(at: number): Row | undefined {
    return this.#pages.get(Math.floor(at / PAGE))?.[at % PAGE];
  }

  /** Fetches what is missing of these rows. */
  need(from: number, to: number): void {
    for (let page = Math.floor(from / PAGE); page <= Math.floor(Math.max(from, to - 1) / PAGE); page += 1) {
      if (this.isKnown && page * PAGE < this.total && !this.#pages.has(page) && !this.#asked.has(page)) {
        void this.#fetch(page);
      }
    }
  }

  /**
   * Asks again, and shows the answer in its order where that is still wanted once it is there; the rows named are
   * asked for first.
   */
  async refresh(from: number, to: number, isWanted: () => boolean = () => true): Promise<void> {
    for (const asked of this.#asked.values()) asked.abort();
    this.#asked.clear();
    const pages = [...new Set([Math.floor(from / PAGE), Math.floor(Math.max(from, to - 1) / PAGE)])];
    const control = new AbortController();
    for (const page of pages) this.#asked.set(page, control);
    this.count();
    try {
      const answers = await Promise.all(pages.map((page) => this.#ask(page, control.signal)));
      if (!isWanted()) {
        for (const page of pages) if (this.#asked.get(page) === control) this.#asked.delete(page);
        return;
      }
      this.#pages.clear();
      answers.forEach((answer, at) => this.#pages.set(pages[at] ?? 0, answer.rows));
      this.total = answers[0]?.total ?? 0;
      this.trouble = undefined;
      this.news.clear();
      this.isKnown = true;
    } catch (error) {
      if (control.signal.aborted) return;
      this.trouble = error;
      this.isKnown = true;
    }
    for (const page of pages) if (this.#asked.get(page) === control) this.#asked.delete(page);
  }

  /** An alert as the hub tells of it. */
  told(alert: Alert): void {
    this.#countSoon();
    for (const [page, rows] of this.#pages) {
      const at = rows.findIndex((row) => row.id === alert.id);
      if (at < 0) continue;
      this.#pages.set(page, rows.map((row, place) => (place === at ? rowOf(alert) : row)));
      if (!this.#passes(alert)) this.news.add(alert.id);
      return;
    }
    if (this.#passes(alert)) this.news.add(alert.id);
  }

  /** An alert that is no more. */
  gone(id: string): void {
    this.#countSoon();
    this.news.add(id);
  }

  /** The ids of the first alerts, at most `MOST`. */
  async ids(): Promise<string[]> {
    const ids: string[] = [];
    for (let page = 1; ids.length < MOST; page += 1) {
      const answer = await get<Answer>('alerts/table', { ...this.#query, limit: 500, page });
      ids.push(...answer.rows.map((row) => row.id));
      if (ids.length >= answer.total || answer.rows.length === 0) break;
    }
    return ids;
  }

  count(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const query = this.#query;
    get<Counts>('alerts/counts', { ...query, sort: undefined }).then(
      (counts) => {
        if (query === this.#query) this.counts = counts;
      },
      // The list itself says what is wrong.
      () => undefined,
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const asked of this.#asked.values()) asked.abort();
  }

  #countSoon(): void {
    this.#timer ??= setTimeout(() => this.count(), PAUSE);
  }

  async #fetch(page: number): Promise<void> {
    const control = new AbortController();
    this.#asked.set(page, control);
    try {
      const answer = await this.#ask(page, control.signal);
      for (const held of this.#pages.keys()) {
        if (this.#pages.size < HELD) break;
        this.#pages.delete(held);
      }
      this.#pages.set(page, answer.rows);
      this.total = answer.total;
    } catch (error) {
      if (!control.signal.aborted) this.trouble = error;
    }
    if (this.#asked.get(page) === control) this.#asked.delete(page);
  }

  #ask(page: number, signal: AbortSignal): Promise<Answer> {
    return get<Answer>('alerts/table', { ...this.#query, limit: PAGE, page: page + 1 }, signal);
  }

  /** Whether the alert belongs in the list, as far as that is known here: the hub alone reads queries. */
  #passes(alert: Alert): boolean {
    const { status, severity, environment, service, customer } = this.#query;
    return (
      (!status || String(status).split(',').includes(alert.status)) &&
      (!severity || alert.severity === severity) &&
      (!environment || alert.environment === environment) &&
      (!service || alert.service.includes(String(service))) &&
      (!customer || alert.customer === customer)
    );
  }
}
