import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ADMIN, expect, expectAccessible, Hub, line, signIn, test } from './support/hub';

test.use({ hubOf: 'welcome' });

test('the first start leads from nothing to a message', async ({ page }) => {
  const heard: string[] = [];
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => {
      heard.push(request.url ?? '');
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((done) => receiver.once('listening', done));
  const { port } = receiver.address() as AddressInfo;
  const directory = mkdtempSync(join(tmpdir(), 'bergfried-config-'));
  const config = join(directory, 'hub.toml');
  writeFileSync(config, `[[notify]]\nname = "ops"\ntype = "webhook"\nurl = "http://127.0.0.1:${port}/told"\n`);
  const hub = await Hub.start(['--config', config]);
  try {
    await hub.ask('POST', 'setup', ADMIN);
    await page.goto(`${hub.url}/ui/welcome`);
    await signIn(page, ADMIN.name, ADMIN.password);
    await expect(page.getByRole('heading', { name: 'Connect a host' })).toBeVisible();
    await expect(page.getByText('Waiting for the first host')).toBeVisible();
    await expectAccessible(page);
    await page.getByLabel('Host', { exact: true }).fill('web');
    await page.getByRole('button', { name: 'Make its install command' }).click();
    await expect(page.getByLabel('Install command', { exact: true })).toHaveValue(/install\.sh \| sudo BERGFRIED_TOKEN=/);
    await page.getByRole('link', { name: 'Skip this' }).click();
    await expect(page).toHaveURL(/step=event/);
    await expect(page.getByText('Waiting for the first event')).toBeVisible();

    await hub.send([line(1, 'sshd[1]: Server listening on 0.0.0.0 port 22.')]);
    await expect(page.getByText('Server listening')).toBeVisible();
    // Whoever comes back goes on where something is left to do.
    await page.goto(`${hub.url}/ui/welcome`);
    await expect(page.getByRole('heading', { name: 'Send a test notification' })).toBeVisible();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await expect(page.getByText('✓ delivered')).toBeVisible();
    expect(heard).toEqual(['/told']);
    await expectAccessible(page);
    await page.getByRole('link', { name: 'To the overview', exact: true }).click();
    await expect(page).toHaveURL(/\/ui\/overview/);
  } finally {
    await hub.stop();
    receiver.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('without a channel it says how to write one', async ({ signedIn: page }) => {
  await page.goto('/ui/welcome?step=notify');
  await expect(page.getByText('No channel is configured')).toBeVisible();
  await expect(page.getByText('[[notify]]')).toBeVisible();
});
