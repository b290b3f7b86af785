/** A real hub for each file of tests, with a browser that is signed in where that is asked for. */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';

const PROGRAM = process.env.BERGFRIED_PROGRAM ?? resolve('../target/debug/bergfried');
const PATIENCE = 60_000;

export const ADMIN = { name: 'ada', password: 'correct horse battery' };

export class Hub {
  private constructor(
    readonly url: string,
    readonly data: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(options: string[] = []): Promise<Hub> {
    const data = mkdtempSync(join(tmpdir(), 'bergfried-ui-'));
    const words = ['hub', '--listen', '127.0.0.1:0', '--data-dir', data, ...options];
    const child = spawn(PROGRAM, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout?.on('data', (part: Buffer) => (out += part.toString()));
    child.stderr?.on('data', (part: Buffer) => (out += part.toString()));
    const begun = Date.now();
    for (;;) {
      const url = /^\s*console\s+(http\S+?\/\/[^\s/]+)/m.exec(out)?.[1];
      if (url && out.includes('Ctrl-C stops')) return new Hub(url, data, child);
      if (child.exitCode !== null) throw new Error(`the hub ended: ${out}`);
      if (Date.now() - begun > PATIENCE) throw new Error(`the hub does not start: ${out}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.child.once('exit', done));
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.data, { recursive: true, force: true });
  }

  get key(): string {
    return readFileSync(join(this.data, 'admin.key'), 'utf8').trim();
  }

  /** A request with the admin key. */
  async ask<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.key}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** Sends lines of this host's log as raw text, and waits until they are stored. */
  async send(lines: string[], host = 'web'): Promise<void> {
    const token = readFileSync(join(this.data, 'agent.token'), 'utf8').trim();
    const response = await fetch(`${this.url}/api/v1/raw?host=${encodeURIComponent(host)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' },
      body: lines.join('\n'),
    });
    if (!response.ok) throw new Error(`raw: ${response.status} ${await response.text()}`);
  }
}

/** A line of syslog, so many seconds ago. */
export function line(secondsAgo: number, rest: string): string {
  return `${new Date(Date.now() - secondsAgo * 1000).toISOString().replace('Z', '+00:00')} ${rest}`;
}

/** Failed logins of one address and then one that works: two alerts of the built-in rules. */
export function breakIn(host: string, user: string, address: string): string[] {
  const failed = Array.from({ length: 6 }, (_, at) =>
    line(60 - at, `${host} sshd[${4000 + at}]: Failed password for ${user} from ${address} port ${50_000 + at} ssh2`),
  );
  return [...failed, line(50, `${host} sshd[4010]: Accepted password for ${user} from ${address} port 50010 ssh2`)];
}

/** Texts that would like to be something else. */
export const HOSTILE = '<img src=x onerror=window.owned=1>\u202egpj\u001b[31mred';

export const test = base.extend<{ signedIn: Page }, { hub: Hub; hubOf: string }>({
  /** What is different for each file of tests, so that each has a hub of its own. */
  hubOf: ['', { scope: 'worker', option: true }],
  hub: [
    async ({ hubOf: _ }, use) => {
      const hub = await Hub.start();
      await hub.ask('POST', 'setup', ADMIN);
      await use(hub);
      await hub.stop();
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ hub }, use) => use(hub.url),
  signedIn: async ({ page, hub }, use) => {
    await page.goto(`${hub.url}/ui/`);
    await signIn(page, ADMIN.name, ADMIN.password);
    await use(page);
    expect(await page.evaluate(() => 'owned' in window), 'text of a log was run').toBe(false);
  },
});

export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
}

/** The page has no violation of WCAG 2.2 AA, in either theme. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
    const found = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
      .analyze();
    const said = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
    expect(said, theme).toEqual([]);
  }
}

export { expect };
