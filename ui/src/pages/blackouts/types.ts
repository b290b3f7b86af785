/** Blackouts as the hub's API has them. */

export interface Blackout {
  id: string;
  environment: string;
  service: string[];
  resource: string | null;
  event: string | null;
  group: string | null;
  tags: string[];
  origin: string | null;
  customer: string | null;
  start: string;
  end: string;
  recurrence?: string | null;
  time_zone?: string | null;
  user: string | null;
  create_time: string;
  text: string;
  status: 'pending' | 'active' | 'expired';
  remaining: number;
  occurrences: { start: string; end: string }[];
}
