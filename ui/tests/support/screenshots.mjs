// Pictures of every page over the sample logs: node screenshots.mjs DIRECTORY. See scripts/screenshots.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from '@playwright/test';

const [directory] = process.argv.slice(2);
const WHO = { name: 'ada', password: 'correct horse battery' };

const hub = spawn(process.env.BERGFRIED_PROGRAM, ['up', '--demo', '--listen', '127.0.0.1:0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let out = '';
hub.stdout.on('data', (part) => (out += part));
await until(() => out.includes('Ctrl-C stops'));
const url = /console\s+(http\S+)/.exec(out)[1];
const data = /^\s*data\s+(\S+)/m.exec(out)[1];
const key = readFileSync(join(data, 'admin.key'), 'utf8').trim();

const ask = async (method, path, body) => {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(`${url}/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
};

const browser = await chromium.launch({
  executablePath: process.env.BERGFRIED_CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
try {
  await ask('POST', 'setup', WHO);
  let alerts = [];
  // The rules are through with the logs once the worst alert is there.
  await until(async () => {
    alerts = (await ask('GET', 'alerts?min_severity=critical')).alerts;
    return alerts.length > 0;
  });
  const alert = alerts[0];
  await something(alert);
  const pages = {
    overview: 'overview',
    alerts: 'alerts',
    alert: `alerts/${alert.id}`,
    investigate: 'investigate?last=24h',
    entity: 'entity/address/203.0.113.66',
    story: 'story/address/203.0.113.66',
    live: 'live?mark=Failed',
    hosts: 'hosts',
    rules: 'rules',
    rule: `rules/${encodeURIComponent(alert.rule_id)}`,
    coverage: 'rules?view=coverage',
    editor: `rules/${encodeURIComponent(alert.rule_id)}?view=new`,
    heartbeats: 'heartbeats',
    blackouts: 'blackouts',
    exceptions: 'exceptions',
    routes: 'routes',
    collection: 'collection',
    users: 'users',
    keys: 'keys',
    audit: 'audit',
    storage: 'storage',
    settings: 'settings',
    welcome: 'welcome?step=host',
  };
  for (const theme of ['light', 'dark']) {
    const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, colorScheme: theme });
    const page = await context.newPage();
    await page.goto(`${url}/ui/`);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await page.screenshot({ path: join(directory, `login-${theme}.png`) });
    await page.getByLabel('Name').fill(WHO.name);
    await page.getByLabel('Password').fill(WHO.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(`${url}/ui/${path}`);
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
      if ((await page.getByText('There is no such page.').count()) > 0) {
        console.error(`${path}: there is no such page`);
        continue;
      }
      await page.locator('main h1').first().waitFor({ timeout: 20_000 });
      if (name === 'live') await lines();
      await page.waitForLoadState('networkidle', { timeout: 4_000 }).catch(() => undefined);
      // However long the hub takes: a picture of waiting shows nothing.
      const waits = () => /(Loading|Looking|Searching|Checking)…/.test(document.querySelector('main')?.innerText ?? 'Loading…');
      await page.waitForFunction(`!(${waits})()`, undefined, { timeout: 60_000 });
      await page.waitForTimeout(700);
      await page.screenshot({ path: join(directory, `${name}-${theme}.png`) });
    }
    await context.close();
  }
} finally {
  await browser.close();
  hub.kill('SIGTERM');
  await new Promise((done) => hub.once('exit', done));
}

/** Something to see on the pages that people fill. */
async function something(alert) {
  await ask('POST', `alerts/${alert.id}/note`, { text: 'Asked the owner of the account, it was not them.' });
  await ask('POST', 'heartbeats', { origin: 'backup/web', timeout: 86_400, tags: ['nightly'] });
  await ask('POST', 'heartbeats', { origin: 'cron/db', timeout: 1, tags: ['hourly'] });
  const night = new Date(Date.now() + 86_400_000).toISOString().replace(/T.*/, 'T22:00:00Z');
  const again = { start: night, duration: 7_200, recurrence: 'FREQ=WEEKLY;BYDAY=SU', text: 'patch night' };
  await ask('POST', 'blackouts', { environment: 'Production', resource: 'lab-1', ...again });
  await ask('POST', 'users', { name: 'otto', password: 'a long enough one', role: 'operator', email: 'otto@example.org' });
  await ask('POST', 'users', { name: 'vera', password: 'a long enough one', role: 'viewer', text: 'only looks' });
  const all = (await ask('GET', 'alerts')).alerts;
  const known = all.find((one) => one.id !== alert.id && one.user);
  if (known) await ask('POST', 'exceptions', { alert: known.id, fields: ['user.name'], reason: 'a drill of ours', for: '30d' });
}

/** Something to see for who watches. */
async function lines() {
  const token = readFileSync(join(data, 'agent.token'), 'utf8').trim();
  const at = (seconds) => new Date(Date.now() - seconds * 1000).toISOString().replace('Z', '+00:00');
  const users = ['root', 'admin', 'oracle', 'backup', 'git'];
  const said = Array.from({ length: 40 }, (_, number) =>
    number % 7 === 3
      ? `${at(40 - number)} gate CRON[${900 + number}]: (root) CMD (run-parts /etc/cron.hourly)`
      : `${at(40 - number)} gate sshd[${3000 + number}]: Failed password for ${users[number % 5]} from 203.0.113.${20 + (number % 9)} port ${40000 + number} ssh2`,
  );
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/plain' };
  await fetch(`${url}/api/v1/raw?host=gate`, { method: 'POST', headers, body: said.join('\n') });
}

async function until(holds) {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await holds()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`this takes too long: ${out}`);
}
