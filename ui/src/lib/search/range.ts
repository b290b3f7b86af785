/** Spans and ranges of time, as the address bar holds them. */

import { stamp } from '../format';
import { route } from '../route.svelte';

/** The last so long (`24h`), or from one time to another, in milliseconds since the epoch. */
export type Range = { last: string } | { from: number; to: number };

export const DEFAULT = '24h';

export const PRESETS: [string, string][] = [
  ['15m', 'Last 15 minutes'],
  ['1h', 'Last hour'],
  ['4h', 'Last 4 hours'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
];

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of a span such as `15m`; undefined where it is none. */
export function span(text: string): number | undefined {
  const found = /^(\d{1,6})([smhdw])$/.exec(text);
  const unit = UNITS[found?.[2] ?? ''];
  const milliseconds = Number(found?.[1]) * (unit ?? NaN);
  return milliseconds > 0 ? milliseconds : undefined;
}

/** The range that the address bar says; where it says none, the last `usual`. */
export function chosen(usual = DEFAULT): Range {
  const from = Date.parse(route.get('from'));
  const to = Date.parse(route.get('to'));
  if (from < to) return { from, to };
  return { last: span(route.get('last')) === undefined ? usual : route.get('last') };
}

/** What the address bar is to say of a range; nothing of the last `usual`. */
export function parameters(range: Range, usual = DEFAULT): Record<'last' | 'from' | 'to', string> {
  if ('last' in range) return { last: range.last === usual ? '' : range.last, from: '', to: '' };
  return { last: '', from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
}

/** The range in words. */
export function words(range: Range): string {
  if (!('last' in range)) return `${stamp(range.from)} – ${stamp(range.to)}`;
  return PRESETS.find(([last]) => last === range.last)?.[1] ?? `Last ${range.last}`;
}

/** What to ask the hub: times that stay the same while pages are read; no end where it is the present. */
export function times(range: Range, now: number): { from: string; to?: string } {
  if (!('last' in range)) return { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
  return { from: new Date(now - (span(range.last) ?? 0)).toISOString() };
}

/** A width of buckets that makes about a hundred of them, in milliseconds, and as the hub reads it. */
export function bucket(milliseconds: number): [number, string] {
  const widths = [
    '1s', '5s', '10s', '30s', '1m', '2m', '5m', '10m', '15m', '30m', '1h', '2h', '4h', '6h', '12h', '1d', '7d', '28d',
  ];
  const text = widths.find((one) => milliseconds / (span(one) ?? 1) <= 120) ?? '365d';
  return [span(text) ?? 1, text];
}
