/** Alerts as the hub's API has them. */

/** What the table shows of an alert. */
export interface Row {
  id: string;
  environment: string;
  resource: string;
  event: string;
  severity: string;
  severity_word: string;
  status: string;
  duplicates: number;
  count: number;
  first_seen: string;
  last_seen: string;
  last_received: string;
  service: string[];
  value: string | null;
  text: string;
  customer: string | null;
  host: string | null;
  user: string | null;
  source: string | null;
  rule_id: string | null;
  notes: number;
  last_user: string | null;
  revision: number;
}

export interface Entry {
  at: string;
  kind: string;
  status: string;
  severity: string;
  text: string;
  user: string | null;
}

export interface Note {
  id: string;
  text: string;
  user: string | null;
}

interface Seen {
  names: string[];
  overflow: number;
}

/** A whole alert. */
export interface Alert extends Omit<Row, 'notes' | 'last_user'> {
  previous_severity: string;
  received: number;
  updated: string;
  category: string;
  program: string | null;
  users: Seen;
  sources: Seen;
  techniques: string[];
  tags: string[];
  attributes: Record<string, unknown>;
  falsepositives: string[];
  group: [string, string][];
  matched: [string, string][];
  event_ids: number[];
  example: string;
  origin: string;
  timeout: number;
  notes: Note[];
  history: Entry[];
  links: { search?: { q: string; from: string; to: string } };
}

export interface Named {
  name: string;
  count: number;
}

/** How many alerts stand behind each filter. */
export interface Counts {
  total: number;
  severities: Record<string, number>;
  statuses: Record<string, number>;
  environments: Named[];
  services: Named[];
  customers: Named[];
}

/** A whole alert as the table shows it. */
export function rowOf(alert: Alert): Row {
  const last = alert.history.filter((entry) => entry.user).at(-1);
  return { ...alert, notes: alert.notes.length, last_user: last?.user ?? null };
}
