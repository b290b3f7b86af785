/** Who is signed in. */

import { ApiError, get, onSignedOut, post, remove, useCsrf } from './api';

export type Role = 'viewer' | 'operator' | 'admin';

export interface User {
  name: string;
  role: Role;
  /** Only alerts of these customers are seen; all where empty. */
  customers: string[];
}

interface Answer {
  user?: User;
  csrf?: string;
  /** Nobody can sign in yet: the first administrator is to be made. */
  setup?: boolean;
}

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

class Session {
  user = $state<User | null>(null);
  needsSetup = $state(false);
  /** Whether the hub was asked already. */
  known = $state(false);
  /** Why the hub could not say. */
  trouble = $state('');

  constructor() {
    onSignedOut(() => (this.user = null));
  }

  async load(): Promise<void> {
    try {
      this.take(await get<Answer>('session'));
      this.trouble = '';
    } catch (error) {
      this.user = null;
      const refused = error instanceof ApiError && error.status === 401;
      this.needsSetup = refused && (error.answer as Answer | undefined)?.setup === true;
      this.trouble = refused ? '' : error instanceof Error ? error.message : String(error);
    }
    this.known = true;
  }

  async signIn(name: string, password: string): Promise<void> {
    this.take(await post<Answer>('session', { name, password }));
  }

  async signOut(): Promise<void> {
    await remove('session');
    this.user = null;
  }

  /** Takes what the hub says of the session, also as the answer to making the first administrator. */
  take(answer: Answer): void {
    useCsrf(answer.csrf ?? '');
    this.user = answer.user ?? null;
    this.needsSetup = answer.setup ?? false;
  }

  /** Whether the person may do what this role may. */
  may(role: Role): boolean {
    return this.user !== null && RANK[this.user.role] >= RANK[role];
  }
}

export const session = new Session();
