/** What the hub says of its store. */

export interface Share {
  day: string;
  /** Why these events are kept longer than others. */
  class: string | null;
  events: number;
  bytes: number;
  segments: number;
}

export interface Verification {
  at: string;
  whole: boolean;
  problem: string | null;
  segments: number;
  events: number;
  changes: number;
  head: string | null;
  expired: number;
  archived: number;
}

export interface Storage {
  events: number;
  events_in_memory: number;
  segments: number;
  bytes: number;
  wal_bytes: number;
  oldest: string | null;
  newest: string | null;
  days: Share[];
  retention: {
    days: number | null;
    size: number | null;
    alerts_days: number | null;
    classes: { name: string; match: string; days: number }[];
  };
  next: { taken: string; due: string; events: number; bytes: number } | null;
  chain: { changes: number; head: string };
  verified: Verification | null;
  joined: { joins: number; segments: number; events: number; bytes_before: number; bytes_after: number } | null;
  joined_at: string | null;
  removed: { at: string; events: number; bytes: number; day: string } | null;
  running: 'verify' | 'compact' | null;
  problem: { at: string; message: string } | null;
}

/** What is stored of one day, its classes side by side. */
export interface Day {
  day: string;
  events: number;
  bytes: number;
  segments: number;
  parts: Share[];
}

/** The days, latest first. */
export function byDay(shares: Share[]): Day[] {
  const days = new Map<string, Day>();
  for (const share of shares) {
    const day = days.get(share.day) ?? { day: share.day, events: 0, bytes: 0, segments: 0, parts: [] };
    day.events += share.events;
    day.bytes += share.bytes;
    day.segments += share.segments;
    day.parts.push(share);
    days.set(share.day, day);
  }
  return [...days.values()].sort((one, other) => other.day.localeCompare(one.day));
}

/** The classes that there are; what is in none comes first. */
export function classes(shares: Share[]): (string | null)[] {
  const named = new Set(shares.map((share) => share.class));
  return [...named].sort((one, other) => (one ?? '').localeCompare(other ?? ''));
}
