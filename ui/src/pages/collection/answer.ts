/** What the hub says of its inputs, chains and outputs. */

export interface Listener {
  transport: string;
  address: string;
  problem?: string | null;
}

export interface Input {
  name: string;
  listeners: Listener[];
  counters: Record<string, number>;
  hosts_not_allowed: number;
}

export interface Pattern {
  pattern: string;
  engine: string;
  tried: number;
  matched: number;
  too_hard: number;
  nanoseconds_per_text: number;
}

export interface Step {
  place: string;
  kind: string;
  when: string | null;
  tried: number;
  done: number;
  failed: number;
  too_hard: number;
  nanoseconds_per_event: number;
  patterns: Pattern[];
}

export interface Chain {
  name: string;
  when: string | null;
  held: number;
  dropped: number;
  nanoseconds_per_event: number;
  steps: Step[];
}

export interface Output {
  name: string;
  type: string;
  state: string;
  sent: number;
  events_behind: number;
  seconds_behind: number;
  lost: number;
  refused: number;
  last_error?: string | null;
}
