/** What a list of alerts is asked for, as the address has it. */

import type { Query } from '../../lib/api';
import { route } from '../../lib/route.svelte';

/** The statuses that a person chooses from; the first is what is shown unless one is. */
export const STATUSES: [value: string, label: string][] = [
  ['', 'Open and acknowledged'],
  ['open', 'Open'],
  ['ack', 'Acknowledged'],
  ['shelved', 'Shelved'],
  ['closed', 'Closed'],
  ['expired', 'Expired'],
  ['blackout', 'In a blackout'],
  ['any', 'All'],
];

const ACTIVE = 'open,ack,assign,unknown';

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'informational'];

/** A column, and the field of an alert that it is sorted by. */
export interface Column {
  name: string;
  label: string;
  sort?: string;
  isNumber?: boolean;
}

export const COLUMNS: Column[] = [
  { name: 'severity', label: 'Severity', sort: 'severity' },
  { name: 'status', label: 'Status', sort: 'status' },
  { name: 'last', label: 'Last received', sort: 'lastReceiveTime' },
  { name: 'duplicates', label: 'Dupl.', sort: '-duplicateCount', isNumber: true },
  { name: 'environment', label: 'Environment', sort: 'environment' },
  { name: 'service', label: 'Service', sort: 'service' },
  { name: 'resource', label: 'Resource', sort: 'resource' },
  { name: 'event', label: 'Event', sort: 'event' },
  { name: 'value', label: 'Value', sort: 'value' },
  { name: 'text', label: 'Text', sort: 'text' },
];

/** By which a list is sorted unless something else is chosen. */
export const LATEST = 'lastReceiveTime';

export const NAMES = ['environment', 'status', 'severity', 'service', 'customer', 'q'] as const;

/** What the address asks for. */
export function asked(): Query {
  const status = route.get('status');
  return {
    environment: route.get('environment'),
    status: status === 'any' ? '' : status || ACTIVE,
    severity: route.get('severity'),
    service: route.get('service'),
    customer: route.get('customer'),
    q: route.get('q'),
    sort: route.get('sort') || LATEST,
  };
}

/** The other direction of an order. */
export function turned(sort: string): string {
  return sort.startsWith('-') ? sort.slice(1) : `-${sort}`;
}

/** What the list was last asked for, so that the way back from an alert leads there. */
export const list: { parameters: Record<string, string> } = { parameters: {} };
