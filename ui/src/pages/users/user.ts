/** A user, as the hub lists them. */

import type { Role } from '../../lib/session.svelte';

export interface User {
  name: string;
  /** None: nothing in the console. */
  role: Role | null;
  roles: string[];
  /** Empty: everyone's. */
  customers: string[];
  email: string | null;
  text: string;
  active: boolean;
  has_password: boolean;
  created: string;
  last_login: string | null;
}

export const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];
