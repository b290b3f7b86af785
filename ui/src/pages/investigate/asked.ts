/** What is searched for, as the address bar has it, and the ways to change that. */

import { chosen, parameters, type Range } from '../../lib/search/range';
import { narrowed, split, term } from '../../lib/search/term';
import { href, route } from '../../lib/route.svelte';

export const COLUMNS = ['host.name', 'process.name', 'message'];

/** Changes the search; what is open is closed, and going back goes back. */
export function search(text: string, range?: Range): void {
  route.set({ q: text, event: '', ...(range ? parameters(range) : {}) }, true);
}

/** Only events with this value, or only those without. */
export function filter(field: string, value: string, excludes = false): void {
  search(narrowed(route.get('q'), term(field, value, excludes)));
}

/** Events with all these values, without the steps: what is behind a row of a table. */
export function behind(values: [string, string][]): string {
  const start = split(route.get('q')).search;
  const text = values.reduce((whole, [field, value]) => narrowed(whole, term(field, value)), start);
  return href('investigate', { ...parameters(chosen()), q: text });
}

/** The fields that stand in columns. */
export function columns(): string[] {
  const said = route.get('columns');
  return said ? said.split(',').slice(0, 20) : COLUMNS;
}

/** Shows a field in a column, or no longer; the message stays last. */
export function toggle(field: string): void {
  const before = columns();
  const without = before.filter((one) => one !== field);
  const tail = without.at(-1) === 'message' && field !== 'message' ? without.length - 1 : without.length;
  const next = before.includes(field) ? without : [...without.slice(0, tail), field, ...without.slice(tail)];
  const text = next.join(',');
  route.set({ columns: text === COLUMNS.join(',') ? '' : text });
}
