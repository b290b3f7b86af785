/** How a blackout comes again, as RRULE (RFC 5545, section 3.3.10) from what a small form asks. */

export type Comes = 'once' | 'daily' | 'weekly' | 'monthly' | 'rule';

export const DAYS: [code: string, label: string][] = [
  ['MO', 'Mon'],
  ['TU', 'Tue'],
  ['WE', 'Wed'],
  ['TH', 'Thu'],
  ['FR', 'Fri'],
  ['SA', 'Sat'],
  ['SU', 'Sun'],
];

export interface Form {
  comes: Comes;
  /** Of a week. */
  days: string[];
  /** Of a month, from 1. */
  day: number;
  /** As somebody wrote it. */
  rule: string;
}

/** The rule; none where it does not come again. */
export function rule(form: Form): string | undefined {
  switch (form.comes) {
    case 'once':
      return undefined;
    case 'daily':
      return 'FREQ=DAILY';
    case 'weekly': {
      const days = DAYS.map(([code]) => code).filter((code) => form.days.includes(code));
      return days.length > 0 ? `FREQ=WEEKLY;BYDAY=${days.join(',')}` : 'FREQ=WEEKLY';
    }
    case 'monthly':
      return `FREQ=MONTHLY;BYMONTHDAY=${form.day}`;
    case 'rule':
      return form.rule.trim();
  }
}

/** The rule in words, as far as this form makes such rules. */
export function words(text: string): string {
  const parts = new Map(text.split(';').map((part): [string, string] => {
    const [name = '', value = ''] = part.split('=');
    return [name.toUpperCase(), value.toUpperCase()];
  }));
  const names = [...parts.keys()].sort().join(' ');
  const days = (parts.get('BYDAY') ?? '').split(',').map((code) => DAYS.find(([one]) => one === code)?.[1]);
  switch (`${parts.get('FREQ')} ${names}`) {
    case 'DAILY FREQ':
      return 'every day';
    case 'WEEKLY FREQ':
      return 'every week';
    case 'WEEKLY BYDAY FREQ':
      return days.every(Boolean) ? `every ${days.join(', ')}` : text;
    case 'MONTHLY BYMONTHDAY FREQ':
      return `on day ${parts.get('BYMONTHDAY')} of each month`;
    default:
      return text;
  }
}
