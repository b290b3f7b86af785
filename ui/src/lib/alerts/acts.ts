/** What people do to alerts. */

import { post, said } from '../api';
import { count } from '../format';
import { notices } from '../notices.svelte';

export type Act = 'ack' | 'unack' | 'shelve' | 'unshelve' | 'open' | 'close' | 'assign' | 'note' | 'delete';

interface Deed {
  act: Act;
  label: string;
  /** What is said when it is done. */
  done: string;
  key?: string;
  /** Whether a dialog asks for more first. */
  asks: boolean;
  /** For which statuses it makes sense; for all where absent. */
  from?: string[];
  role: 'operator' | 'admin';
}

/** In the order in which they are offered. */
export const DEEDS: Deed[] = [
  { act: 'ack', label: 'Acknowledge', done: 'acknowledged', key: 'a', asks: false, from: ['open', 'assign', 'unknown'], role: 'operator' },
  { act: 'unack', label: 'End acknowledgement', done: 'not acknowledged any more', key: 'u', asks: false, from: ['ack'], role: 'operator' },
  { act: 'shelve', label: 'Shelve…', done: 'shelved', key: 's', asks: true, from: ['open', 'ack', 'assign', 'unknown'], role: 'operator' },
  { act: 'unshelve', label: 'Unshelve', done: 'taken from the shelf', asks: false, from: ['shelved'], role: 'operator' },
  { act: 'close', label: 'Close', done: 'closed', key: 'c', asks: false, from: ['open', 'ack', 'assign', 'shelved', 'unknown', 'blackout'], role: 'operator' },
  { act: 'open', label: 'Open again', done: 'open again', key: 'o', asks: false, from: ['closed', 'expired', 'ack', 'blackout'], role: 'operator' },
  { act: 'assign', label: 'Assign…', done: 'assigned', key: 'p', asks: true, role: 'operator' },
  { act: 'note', label: 'Note…', done: 'noted', key: 'n', asks: true, role: 'operator' },
  { act: 'delete', label: 'Delete…', done: 'deleted', asks: true, role: 'admin' },
];

export interface More {
  text?: string;
  /** Seconds. */
  timeout?: number;
}

interface Done {
  changed: number;
  refused: { id: string; reason: string }[];
}

/** Does it to these alerts, and says what became of it; whether all took it. */
export async function act(ids: string[], deed: Act, more: More = {}): Promise<boolean> {
  const word = DEEDS.find((one) => one.act === deed)?.done ?? deed;
  try {
    const done = await post<Done>('alerts/bulk', { ids, action: deed, ...more });
    const [first] = done.refused;
    if (done.changed > 0) notices.say(`${alerts(done.changed)} ${word}`);
    if (first) {
      const others = done.refused.length > 1 ? ` (and ${count(done.refused.length - 1)} more)` : '';
      notices.say(`Not ${word}: ${first.reason}${others}`, true);
    }
    return !first;
  } catch (error) {
    notices.say(said(error), true);
    return false;
  }
}

/** `1 alert`, `12 alerts` */
export function alerts(number: number): string {
  return number === 1 ? '1 alert' : `${count(number)} alerts`;
}
