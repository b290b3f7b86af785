/** What the hub tells of an entity, and how it is laid out. */

export interface Step {
  time: string;
  until?: string | null;
  kind: 'finding' | 'alert' | 'event';
  title: string;
  severity: string;
  count: number;
  tactics: string[];
  techniques: string[];
  event_ids: number[];
  rule?: string | null;
  alert?: string | null;
  text: string;
}

export interface Story {
  steps: Step[];
  more: boolean;
}

/** ATT&CK's tactics in the order in which an attack takes them. */
const TACTICS = [
  'reconnaissance',
  'resource-development',
  'initial-access',
  'execution',
  'persistence',
  'privilege-escalation',
  'defense-evasion',
  'stealth',
  'defense-impairment',
  'credential-access',
  'discovery',
  'lateral-movement',
  'collection',
  'command-and-control',
  'exfiltration',
  'impact',
];

const EVENTS = 'events';
const ALERTS = 'alerts';
const OTHER = 'other findings';

export interface Lane {
  name: string;
  /** Indexes of its steps. */
  steps: number[];
}

/** In which lanes a step stands. */
function lanesOf(step: Step): string[] {
  if (step.kind === 'alert') return [ALERTS];
  if (step.tactics.length > 0) return step.tactics;
  return [step.kind === 'event' ? EVENTS : OTHER];
}

/** The lanes that hold something: what happened, the tactics in their order, what became of alerts. */
export function lanes(steps: Step[]): Lane[] {
  const found = new Map<string, number[]>();
  steps.forEach((step, at) => {
    for (const name of lanesOf(step)) found.set(name, [...(found.get(name) ?? []), at]);
  });
  const rank = (name: string) => {
    if (name === EVENTS) return -1;
    if (name === ALERTS) return TACTICS.length + 2;
    const at = TACTICS.indexOf(name);
    return at < 0 ? TACTICS.length + (name === OTHER ? 1 : 0) : at;
  };
  return [...found]
    .map(([name, at]) => ({ name, steps: at }))
    .sort((one, other) => rank(one.name) - rank(other.name) || one.name.localeCompare(other.name));
}

/** Where each step stands, 0 to 1: in the order of time, long silences made short. */
export function places(steps: Step[]): number[] {
  let sum = 0;
  let before = Date.parse(steps[0]?.time ?? '');
  const sums = steps.map((step) => {
    const time = Date.parse(step.time);
    sum += Math.log1p(Math.max(0, time - before) / 1000);
    before = Math.max(before, time);
    return sum;
  });
  return sums.map((one) => (sum === 0 ? 0.5 : one / sum));
}

/** `privilege-escalation` as people write it. */
export function spoken(name: string): string {
  const words = name.replaceAll('-', ' ').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** 0 to 5, as the colours of severities are numbered. */
export function level(severity: string): number {
  return Math.max(0, ['', 'informational', 'low', 'medium', 'high', 'critical'].indexOf(severity));
}
