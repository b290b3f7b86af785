/** What the hub says to a search with steps, and of what it read for it. */

export interface Column {
  name: string;
  kind: 'text' | 'number' | 'time';
  approximate?: boolean;
}

export interface Answered {
  /** The search without its steps. */
  search: string;
  columns: Column[];
  rows: unknown[][];
  more: boolean;
  took_ms: number;
}

/** What became of some parts of the store. */
export interface Parts {
  all: number;
  by_time: number;
  by_statistics: number;
  by_bloom_filter: number;
  by_token_filter: number;
  unneeded: number;
  from_index: number;
  read: number;
}

export interface Explained {
  condition: string;
  steps: string[];
  segments: Parts;
  row_groups: Parts;
  blocks: Parts;
  events_from_index: number;
  events_read: number;
  events_decoded: number;
  events_matched: number;
  stopped_early: boolean;
}
