/** Addresses, users and hosts: what has a page of its own. */

import { href } from './route.svelte';
import { term } from './search/term';

export type Kind = 'address' | 'user' | 'host';

const KINDS: readonly Kind[] = ['address', 'user', 'host'];

/** The fields that the hub looks at where it tells of an entity. */
const FIELDS: Record<Kind, string[]> = {
  address: ['source.ip', 'destination.ip', 'source.address'],
  user: ['user.name', 'user.effective.name', 'user.target.name'],
  host: ['host.name'],
};

const OF: Record<string, Kind> = {
  'client.ip': 'address',
  'destination.ip': 'address',
  'host.ip': 'address',
  'observer.ip': 'address',
  'server.ip': 'address',
  'source.ip': 'address',
  'host.name': 'host',
  'user.effective.name': 'user',
  'user.name': 'user',
  'user.target.name': 'user',
};

/** What a field's values are, where they have pages. */
export function kindOf(field: string): Kind | undefined {
  return Object.hasOwn(OF, field) ? OF[field] : undefined;
}

/** What is sought for, as the second part of a path says it. */
export function readKind(text: string | undefined): Kind | undefined {
  return KINDS.find((kind) => kind === text);
}

/** A search for the events that name an entity. */
export function searchFor(kind: Kind, value: string): string {
  const terms = FIELDS[kind].map((field) => term(field, value));
  return terms.length === 1 ? terms.join('') : `(${terms.join(' OR ')})`;
}

/** The page of an entity. */
export function entityHref(kind: Kind, value: string): string {
  return href(`entity/${kind}/${encodeURIComponent(value)}`);
}

/** Its attack story. */
export function storyHref(kind: Kind, value: string): string {
  return href(`story/${kind}/${encodeURIComponent(value)}`);
}
