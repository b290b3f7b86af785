/** What surrounds alerts: heartbeats, blackouts, routes and channels. */

import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ADMIN, breakIn, expect, expectAccessible, Hub, signIn, test } from './support/hub';

test.use({ hubOf: 'manage' });

test('heartbeats are listed and forgotten', async ({ signedIn: page, hub }) => {
  await hub.ask('POST', 'heartbeats', { origin: 'backup/web-01', timeout: 86_400, tags: ['nightly'] });
  await hub.ask('POST', 'heartbeats', { origin: 'cron/db', timeout: 1 });
  await page.goto('/ui/heartbeats');
  const silent = page.getByRole('row').filter({ hasText: 'cron/db' });
  await expect(silent).toContainText('expired');
  await expect(page.getByRole('row').filter({ hasText: 'backup/web-01' })).toContainText('ok');
  await page.getByRole('button', { name: /^Silent \d+$/ }).click();
  await expect(page.getByRole('row').filter({ hasText: 'backup/web-01' })).toHaveCount(0);
  await expect(page).toHaveURL(/status=expired/);
  await page.getByRole('button', { name: 'Forget cron/db' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Forget', exact: true }).click();
  await expect(silent).toHaveCount(0);
  const left = await hub.ask<{ origin: string }[]>('GET', 'heartbeats');
  expect(left.map((one) => one.origin)).not.toContain('cron/db');
  expect(left.map((one) => one.origin)).toContain('backup/web-01');
  const { entries } = await hub.ask<{ entries: { who: string; action: string }[] }>('GET', 'audit?action=heartbeat.');
  expect(entries[0]).toMatchObject({ who: 'ada', action: 'heartbeat.delete' });
});

test('a blackout shows when it would be before it is made', async ({ signedIn: page, hub }) => {
  await page.goto('/ui/blackouts');
  await page.getByRole('button', { name: 'New blackout…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Resource').fill('lab-1');
  await dialog.getByLabel('Begins').fill('2030-01-07T22:00');
  await dialog.getByLabel('It lasts').selectOption('2 hours');
  await dialog.getByLabel('Comes again').selectOption('each week');
  await dialog.getByRole('checkbox', { name: 'Mon' }).check();
  await dialog.getByLabel('Time zone').fill('Mars/Olympus');
  await expect(dialog.getByRole('status')).toContainText('Mars/Olympus');
  await expect(dialog.getByRole('button', { name: 'Make the blackout' })).toBeDisabled();
  await dialog.getByLabel('Time zone').fill('UTC');
  const times = dialog.getByRole('status').getByRole('listitem');
  await expect(times).toHaveCount(5);
  await expect(times.nth(1)).toContainText('2030-01-14');
  await dialog.getByLabel('Why').fill('patch night');
  await expectAccessible(page);
  expect((await hub.ask<unknown[]>('GET', 'blackouts')).length, 'it was only looked at').toBe(0);
  await dialog.getByRole('button', { name: 'Make the blackout' }).click();
  const made = page.getByRole('row').filter({ hasText: 'patch night' });
  await expect(made).toContainText('every Mon');
  await expect(made).toContainText('ada');
  await made.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(made).toHaveCount(0);
});

/** Takes what a webhook brings, or refuses it for good. */
async function receiver(): Promise<{ server: Server; url: string; bodies: string[]; refuse: (on: boolean) => void }> {
  const bodies: string[] = [];
  let refuses = false;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      if (!refuses) bodies.push(body);
      response.writeHead(refuses ? 400 : 200).end(refuses ? 'no such room' : 'ok');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}/hook`, bodies, refuse: (on) => (refuses = on) };
}

test('channels are tested, routes asked, and dead letters sent again', async ({ page }, info) => {
  const { server, url, bodies, refuse } = await receiver();
  const config = info.outputPath('hub.toml');
  const channel = (name: string, to: string) => `[[notify]]\nname = "${name}"\ntype = "webhook"\nurl = "${to}"\nmin_severity = "medium"\n`;
  writeFileSync(
    config,
    channel('ops', url) + channel('nobody', 'http://127.0.0.1:1/') +
      '[[route]]\nname = "worst"\nwhen = "environment:Production"\nmin_severity = "critical"\nchannels = ["ops"]\n',
  );
  const hub = await Hub.start(['--config', config]);
  try {
    await hub.ask('POST', 'setup', ADMIN);
    await page.goto(`${hub.url}/ui/routes`);
    await signIn(page, ADMIN.name, ADMIN.password);
    const row = (name: string) => page.getByRole('row').filter({ hasText: name });
    await page.getByRole('button', { name: 'Send a test over ops' }).click();
    await expect(row('ops').getByRole('status')).toHaveText('✓ delivered');
    expect(bodies).toHaveLength(1);
    await page.getByRole('button', { name: 'Send a test over nobody' }).click();
    await expect(row('nobody').getByRole('status')).toContainText('cannot deliver over `nobody`');
    await expect(page.getByRole('region', { name: 'Routes' })).toContainText('worst takes');

    const asked = page.getByRole('region', { name: 'What would be told of an alert?' });
    await asked.getByRole('button', { name: 'Ask the routes' }).click();
    await expect(asked).toContainText('✗ worst does not take it');
    await asked.getByLabel('Severity').selectOption('critical');
    await asked.getByRole('button', { name: 'Ask the routes' }).click();
    await expect(asked).toContainText('✓ worst takes it');
    await asked.getByLabel('Other fields').fill('environmnt=Production');
    await asked.getByRole('button', { name: 'Ask the routes' }).click();
    await expect(asked.getByRole('alert')).toContainText('environment');

    refuse(true);
    await hub.send(breakIn('web', 'bob', '203.0.113.7'), 'web');
    const dead = page.getByRole('region', { name: 'Dead letters' });
    await expect(dead.getByRole('button', { name: /^Send letter/ })).toBeVisible({ timeout: 60_000 });
    await expectAccessible(page);
    refuse(false);
    await dead.getByRole('button', { name: /^Send letter/ }).click();
    await expect(dead).toContainText('None: whatever was to be told was told');
    await expect.poll(() => bodies.length).toBe(2);
  } finally {
    await hub.stop();
    server.close();
  }
});
