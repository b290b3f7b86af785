/** People: the first administrator, who may what, sessions that end, keys and the audit trail. */

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { ADMIN, HOSTILE, Hub, expect, expectAccessible, signIn, test } from './support/hub';

test.use({ hubOf: 'people' });

const PASSWORD = 'a long enough one';

/** A request as the page's own script would make it, with these headers. */
function asked(page: Page, method: string, path: string, headers: Record<string, string>): Promise<number> {
  return page.evaluate(
    async ([method, path, headers]) => {
      const response = await fetch(`/api/v1/${path}`, { method, headers, body: '{}' });
      return response.status;
    },
    [method, path, { 'content-type': 'application/json', ...headers }] as const,
  );
}

test('the first administrator is made with the secret in the link', async ({ page }) => {
  const fresh = await Hub.start();
  try {
    await page.goto(`${fresh.url}/ui/`);
    await expect(page.getByText('Nobody can sign in yet')).toBeVisible();
    await expectAccessible(page);
    await page.goto(`${fresh.url}/ui/setup#${fresh.key}`);
    await expect(page.getByRole('heading', { name: 'Welcome' })).toBeVisible();
    await expect(page).not.toHaveURL(/#/);
    await expectAccessible(page);
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password, at least').fill('password123');
    await page.getByLabel('again').fill('password123');
    await page.getByRole('button', { name: 'Make the administrator' }).click();
    await expect(page.getByRole('alert')).toContainText('choose another');
    await page.getByLabel('Password, at least').fill(PASSWORD);
    await page.getByLabel('again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Make the administrator' }).click();
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, 'ada', PASSWORD);
  } finally {
    await fresh.stop();
  }
});

test('a viewer must not act, in the console nor beside it', async ({ page, hub }) => {
  await hub.ask('POST', 'users', { name: 'vera', password: PASSWORD, role: 'viewer' });
  await page.goto(`${hub.url}/ui/settings`);
  await signIn(page, 'vera', PASSWORD);
  const menu = page.getByRole('navigation', { name: 'Pages' });
  await expect(menu.getByRole('link', { name: 'Settings' })).toBeVisible();
  for (const name of ['Users', 'Keys', 'Audit trail']) {
    await expect(menu.getByRole('link', { name })).toHaveCount(0);
  }
  await expect(page.getByText('What the hub runs with')).toHaveCount(0);
  await page.goto(`${hub.url}/ui/users`);
  await expect(page.getByText('There is no such page')).toBeVisible();
  const { csrf } = await page.evaluate(async () => (await fetch('/api/v1/session')).json());
  for (const [method, path] of [
    ['POST', 'tokens'],
    ['POST', 'users'],
    ['POST', 'alerts/none/ack'],
    ['POST', 'blackouts'],
    ['POST', 'rules/reload'],
  ] as const) {
    expect(await asked(page, method, path, { 'x-csrf-token': csrf }), path).toBe(403);
  }
});

test('a request without the token of the session is refused', async ({ signedIn: page }) => {
  const { csrf } = await page.evaluate(async () => (await fetch('/api/v1/session')).json());
  expect(await asked(page, 'POST', 'chains/reload', {})).toBe(403);
  expect(await asked(page, 'POST', 'chains/reload', { 'x-csrf-token': `${csrf}0` })).toBe(403);
  expect(await asked(page, 'POST', 'chains/reload', { 'x-csrf-token': csrf })).toBe(200);
});

test('a session that is over leads to the sign-in', async ({ page }) => {
  const config = join(tmpdir(), `bergfried-ui-${process.pid}.toml`);
  writeFileSync(config, '[sessions]\nidle = "6s"\n');
  const hub = await Hub.start(['--config', config]);
  try {
    await hub.ask('POST', 'setup', ADMIN);
    await page.goto(`${hub.url}/ui/settings`);
    await signIn(page, ADMIN.name, ADMIN.password);
    await expect(page.getByText('What the hub runs with')).toBeVisible();
    // Nothing is asked meanwhile: a request would be a use. That it takes longer only helps.
    await page.waitForTimeout(6_500);
    expect(await page.evaluate(async () => (await fetch('/api/v1/tokens', { method: 'HEAD' })).status)).toBe(401);
    await page.getByRole('link', { name: 'Keys' }).click();
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  } finally {
    await hub.stop();
  }
});

test('users are made, changed and deleted', async ({ signedIn: page, hub }) => {
  await page.goto(`${hub.url}/ui/users`);
  await page.getByRole('button', { name: 'New user' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('otto');
  await dialog.getByLabel('Password').fill(PASSWORD);
  await dialog.getByLabel('Note').fill(HOSTILE);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Make' }).click();
  const row = page.getByRole('row').filter({ hasText: 'otto' });
  await expect(row).toContainText('viewer');
  await row.getByRole('button', { name: 'Change' }).click();
  await dialog.getByLabel('Role').selectOption('operator');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(row).toContainText('operator');
  await expectAccessible(page);
  await row.getByRole('button', { name: 'Delete otto' }).click();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(row).toHaveCount(0);
});

test('a key is shown once, rotated and revoked', async ({ signedIn: page, hub }) => {
  await page.goto(`${hub.url}/ui/keys`);
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Whose it is').fill(`web ${HOSTILE}`);
  await page.getByRole('dialog').getByRole('button', { name: 'Make' }).click();
  const secret = page.getByRole('dialog').getByLabel('Secret', { exact: true });
  await expect(secret).toHaveValue(/^[\w-]{43}$/);
  const first = await secret.inputValue();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('row').filter({ hasText: 'web' });
  await row.getByRole('button', { name: 'Rotate' }).click();
  await expectAccessible(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  await expect(secret).toHaveValue(/^[\w-]{43}$/);
  expect(await secret.inputValue()).not.toBe(first);
  await page.getByRole('button', { name: 'Done' }).click();
  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toHaveCount(0);
  await page.getByLabel('Revoked ones too').check();
  await expect(row.first()).toContainText('revoked');
  await expect(page).toHaveURL(/dead=1/);
  await expectAccessible(page);
});

test('the audit trail shows what was before and after', async ({ signedIn: page, hub }) => {
  await hub.ask('POST', 'users', { name: 'anna', password: PASSWORD, role: 'viewer', text: HOSTILE });
  await hub.ask('PATCH', 'users/anna', { role: 'operator' });
  await page.goto(`${hub.url}/ui/audit?action=user.`);
  await expect(page.getByText('entries are as they were written')).toBeVisible();
  const row = page.getByRole('row').filter({ hasText: 'user.change' }).first();
  await expect(row.locator('del').first()).toHaveText('viewer');
  await expect(row.locator('ins').first()).toHaveText('operator');
  await expectAccessible(page);
});

test('settings show no secrets, and end sessions', async ({ signedIn: page, hub, browser }) => {
  await page.goto(`${hub.url}/ui/settings`);
  await expect(page.getByText('What the hub runs with')).toBeVisible();
  expect(await page.locator('main').textContent()).not.toContain(hub.key);
  await expectAccessible(page);
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await other.goto(`${hub.url}/ui/settings`);
  await signIn(other, ADMIN.name, ADMIN.password);
  await page.reload();
  const list = page.getByRole('listitem').filter({ hasText: 'since' }).filter({ hasNotText: '(here)' });
  await list.first().getByRole('button', { name: 'End' }).click();
  await expect(page.getByText('(here)')).toBeVisible();
  await other.reload();
  await expect(other.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await elsewhere.close();
});
