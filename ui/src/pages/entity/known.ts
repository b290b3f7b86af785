/** What the hub knows of an entity. */

export interface Beside {
  value: string;
  count: number;
  first_seen?: string | null;
  last_seen?: string | null;
}

export interface Known {
  first_seen: string | null;
  last_seen: string | null;
  events: number;
  /** The width of a bucket of the histogram, in seconds. */
  bucket: number;
  histogram: { time: string; count: number }[];
  alerts: { id: string; event: string; resource: string; severity: string; status: string; last_seen: string }[];
  hosts: Beside[];
  users: Beside[];
  addresses: Beside[];
  actions: Beside[];
  processes: Beside[];
  country?: string;
}
