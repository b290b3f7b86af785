/** What the hub says of rules. */

export interface Rule {
  id: string;
  title: string;
  level: string;
  kind: 'detection' | 'first_seen' | 'correlation' | 'sec';
  state: 'active' | 'silent' | 'off' | 'needs' | 'unsupported';
  reason: string;
  logsource: string | null;
  description: string;
  tags: string[];
  techniques: string[];
  false_positives: string[];
  file: string;
  line: number;
  own: boolean;
  hits: number;
  hits_day: number;
  last_hit: string | null;
  alerts_per_day: number;
  open_alerts: number;
  nanoseconds_per_event: number;
  exceptions: number;
}

export interface RuleDetail extends Rule {
  condition: string | null;
  hits_by_hour: number[];
  author: string;
  references: string[];
  related: { id: string; title: string }[];
  source: string;
}

export interface Said {
  line: number;
  column: number;
  severity: 'error' | 'warning';
  message: string;
}

export interface Check {
  ok: boolean;
  diagnostics: Said[];
  rules: Rule[];
}

export interface TriedAlert {
  resource: string;
  event: string;
  severity: string;
  count: number;
  duplicates: number;
  first: string;
  last: string;
  text: string;
}

export interface Backtest {
  from: string;
  to: string;
  cut: string | null;
  events: number;
  hits: number;
  findings: number;
  silenced: number;
  days: { day: string; hits: number }[];
  alerts: TriedAlert[];
  more_alerts: number;
  exceptions: { id: string; reason: string; findings: number }[];
  examples: Record<string, unknown>[];
  took_ms: number;
}

export interface Exception {
  id: string;
  rules: string[];
  when: string;
  owner: string;
  reason: string;
  expires: string;
  hits: number;
  live: boolean;
}

export interface Coverage {
  rules: number;
  active: number;
  untagged: number;
  tactics: {
    tag: string;
    id: string | null;
    name: string;
    techniques: { id: string; rules: { id: string; title: string; active: boolean }[] }[];
  }[];
}

/** The states in words. */
export const STATES: Record<Rule['state'], string> = {
  active: 'runs',
  silent: 'serves others',
  off: 'switched off',
  needs: 'no source',
  unsupported: 'unsupported',
};

export const KINDS: Record<Rule['kind'], string> = {
  detection: 'one event',
  first_seen: 'never seen before',
  correlation: 'several events',
  sec: 'rule of SEC',
};
