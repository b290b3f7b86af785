/** Alerts are worked on: one by one, several at once, and by what is not to be heard of again. */

import type { Locator, Page } from '@playwright/test';

import { breakIn, expect, expectAccessible, HOSTILE, type Hub, line, signIn, test } from './support/hub';

test.use({ hubOf: 'alerts' });

interface Told {
  resource: string;
  event?: string;
  severity?: string;
  environment?: string;
  text?: string;
}

/** An alert that another product sends. */
async function tell(hub: Hub, told: Told): Promise<void> {
  const alert = { environment: 'Production', event: 'DiskFull', severity: 'major', service: ['Storage'], ...told };
  const response = await fetch(`${hub.url}/api/alert`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(alert),
  });
  if (!response.ok) throw new Error(`alert: ${response.status} ${await response.text()}`);
}

interface Listed {
  id: string;
  status: string;
  event: string;
  resource: string;
  user: string | null;
  count: number;
}

async function alertsOf(hub: Hub, q: string): Promise<Listed[]> {
  const { alerts } = await hub.ask<{ alerts: Listed[] }>('GET', `alerts?limit=1000&q=${encodeURIComponent(q)}`);
  return alerts;
}

const rows = (page: Page): Locator => page.locator('tr.alert');
const row = (page: Page, text: string | RegExp): Locator => rows(page).filter({ hasText: text });

async function noSidewaysScroll(page: Page): Promise<void> {
  const sizes = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(sizes[0]).toBeLessThanOrEqual(sizes[1] ?? 0);
}

test('an alert goes from a line of a log to closed', async ({ signedIn: page, hub }) => {
  await page.goto('/ui/alerts');
  await expect(page.getByRole('heading', { name: 'Alerts', exact: true })).toBeVisible();
  await hub.send(breakIn('web', 'bob', '203.0.113.7'), 'web');
  const found = row(page, 'SSH login after many failures').filter({ hasText: 'web' });
  await found.getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('SSH login after many failures');
  await expect(page.getByRole('region', { name: 'Events behind it' })).toContainText('Accepted password for bob');
  await expect(page.getByRole('region', { name: 'Rule' })).toContainText('password was probably guessed');
  await expect(page.getByRole('region', { name: 'Similar alerts' })).toContainText('SSH brute force');
  const address = page.getByRole('region', { name: 'Summary' }).getByRole('link', { name: '203.0.113.7' }).first();
  await expect(address).toHaveAttribute('href', '/ui/entity/address/203.0.113.7');

  const timeline = page.getByRole('region', { name: 'Timeline' });
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(timeline).toContainText('Acknowledged by ada');
  await page.keyboard.press('n');
  await page.getByRole('textbox', { name: 'Note' }).fill('called bob: it was not him');
  await page.getByRole('button', { name: 'Note', exact: true }).click();
  await expect(timeline).toContainText('called bob: it was not him');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await expect(timeline).toContainText('Closed by ada');

  await page.getByRole('link', { name: '← Alerts' }).click();
  await expect(row(page, 'SSH brute force')).toHaveCount(1);
  await expect(row(page, 'SSH login after many failures')).toHaveCount(0);
  await page.getByRole('combobox', { name: /^Status/ }).selectOption('Closed');
  await expect(row(page, 'SSH login after many failures')).toHaveCount(1);
  await expect(page).toHaveURL(/status=closed/);
});

test('several alerts are worked on at once, by mouse and by keyboard', async ({ signedIn: page, hub }) => {
  for (const number of [1, 2, 3, 4]) await tell(hub, { resource: `bulk-${number}` });
  await page.goto('/ui/alerts?q=resource:bulk*&sort=resource');
  await expect(rows(page)).toHaveCount(4);
  for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
  await expect(page.getByText('2 alerts chosen')).toBeVisible();
  await page.keyboard.press('a');
  await expect(rows(page).filter({ hasText: 'ack' })).toHaveCount(2);
  const statuses = async () => (await alertsOf(hub, 'resource:bulk*')).map((one) => `${one.resource} ${one.status}`).sort();
  expect(await statuses()).toEqual(['bulk-1 ack', 'bulk-2 ack', 'bulk-3 open', 'bulk-4 open']);

  // What was chosen is let go once it is done, which may be after the rows say so.
  await expect(page.getByText('2 alerts chosen')).toHaveCount(0);
  await page.getByLabel('Choose all').check();
  await expect(page.getByText('4 alerts chosen')).toBeVisible();
  await page.getByRole('button', { name: 'Shelve…' }).click();
  await page.getByLabel('For how long').selectOption('8 hours');
  await page.getByLabel('Why (may be empty)').fill('disks are on their way');
  await page.getByRole('button', { name: 'Shelve', exact: true }).click();
  await expect(rows(page)).toHaveCount(0);
  const shelved = (await alertsOf(hub, 'resource:bulk-1'))[0];
  const whole = await hub.ask<{ timeout: number; history: { kind: string; text: string; user: string }[] }>('GET', `alerts/${shelved?.id}`);
  expect(whole.history.at(-1)).toMatchObject({ kind: 'shelve', text: 'disks are on their way', user: 'ada' });

  await page.getByRole('combobox', { name: /^Status/ }).selectOption('Shelved');
  await expect(rows(page)).toHaveCount(4);
  await page.keyboard.press('j');
  await page.keyboard.press('c');
  await expect(rows(page)).toHaveCount(3);
  await page.keyboard.press('/');
  await expect(page.getByLabel('Filter')).toBeFocused();
  await page.getByLabel('Filter').fill('resource:(');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('Failed to parse');
  await page.getByLabel('Choose all').uncheck();

  await page.goto('/ui/alerts?q=resource:bulk-4&status=any');
  await row(page, 'bulk-4').getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(rows(page)).toHaveCount(0);
  expect(await alertsOf(hub, 'resource:bulk-4')).toEqual([]);
});

test('an exception is tried, silences, and is taken back', async ({ signedIn: page, hub }) => {
  await hub.send(breakIn('ci', 'robot', '203.0.113.9'), 'ci');
  const found = async () => (await alertsOf(hub, 'resource:ci')).filter((one) => one.event.includes('after many failures'));
  await expect.poll(async () => (await found()).length).toBe(1);
  const [alert] = await found();
  await page.goto(`/ui/alerts/${alert?.id}`);
  await page.getByRole('button', { name: 'Make an exception…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('user.name robot')).toBeChecked();
  await expect(dialog.getByRole('button', { name: 'Save the exception' })).toBeDisabled();
  await dialog.getByRole('button', { name: 'Preview' }).click();
  await expect(dialog.getByRole('status')).toContainText('would have made no alert');
  await expect(dialog.getByRole('status')).toContainText('1 of ');
  await dialog.getByLabel('Why such findings mean nothing').fill('a drill');
  await dialog.getByLabel('source.ip 203.0.113.9').check();
  await expect(dialog.getByRole('button', { name: 'Save the exception' })).toBeDisabled();
  await dialog.getByLabel('source.ip 203.0.113.9').uncheck();
  await dialog.getByRole('button', { name: 'Save the exception' }).click();
  await expect(dialog).toBeHidden();

  // The same again makes no new alert, and is counted on the exception.
  await hub.ask('POST', 'alerts/bulk', { ids: [alert?.id], action: 'delete' });
  await hub.send(breakIn('ci', 'robot', '203.0.113.10'), 'ci');
  await page.goto('/ui/exceptions');
  const made = page.getByRole('row').filter({ hasText: 'a drill' });
  await expect(made).toContainText('ada');
  await expect(async () => {
    await page.reload();
    await expect(made.getByRole('cell').nth(6)).toHaveText('1', { timeout: 500 });
  }).toPass();
  expect(await found()).toEqual([]);

  await made.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(made).toHaveCount(0);
});

test('a viewer is offered nothing to do', async ({ page, hub }) => {
  await hub.ask('POST', 'users', { name: 'vera', password: 'only looking around', role: 'viewer' });
  await hub.send(breakIn('mail', 'carl', '203.0.113.20'), 'mail');
  await expect.poll(async () => (await alertsOf(hub, 'resource:mail')).length).toBeGreaterThan(0);
  const [alert] = await alertsOf(hub, 'resource:mail');
  await page.goto('/ui/alerts');
  await signIn(page, 'vera', 'only looking around');
  await page.goto('/ui/alerts?q=resource:mail');
  await expect(row(page, 'mail').first()).toBeVisible();
  for (const path of [`alerts?q=resource:mail`, `alerts/${alert?.id}`, 'heartbeats', 'blackouts', 'exceptions', 'routes']) {
    await page.goto(`/ui/${path}`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('toolbar')).toHaveCount(0);
    await expect(page.locator('main').getByRole('checkbox')).toHaveCount(0);
    const offers = /^(Acknowledge|Close|Shelve|Delete|Forget|Remove|New blackout|Make an exception|Send)/;
    await expect(page.locator('main').getByRole('button', { name: offers })).toHaveCount(0);
  }
  await page.goto(`/ui/alerts/${alert?.id}`);
  await expect(page.getByRole('region', { name: 'Timeline' })).toBeVisible();
  for (const key of ['a', 'c', 's', 'n']) await page.keyboard.press(key);
  await expect(page.getByRole('dialog')).toHaveCount(0);
  const refused = await page.evaluate(async (id) => {
    const session = (await (await fetch('/api/v1/session')).json()) as { csrf: string };
    const headers = { 'content-type': 'application/json', 'x-csrf-token': session.csrf };
    const body = JSON.stringify({ ids: [id], action: 'close' });
    return (await fetch('/api/v1/alerts/bulk', { method: 'POST', headers, body })).status;
  }, alert?.id);
  expect(refused).toBe(403);
  expect((await alertsOf(hub, 'resource:mail')).map((one) => one.status)).not.toContain('closed');
});

test('the list does not move under the pointer', async ({ signedIn: page, hub }) => {
  await tell(hub, { resource: 'calm-1' });
  await tell(hub, { resource: 'calm-2' });
  await page.goto('/ui/alerts?environment=Production');
  await expect(rows(page).first()).toContainText('calm-2');
  await rows(page).first().hover();
  await tell(hub, { resource: 'calm-3' });
  const show = page.getByRole('button', { name: /1 alert changed: show/ });
  await expect(show).toBeVisible();
  await expect(rows(page).first()).toContainText('calm-2');
  // What is shown already changes in place.
  await tell(hub, { resource: 'calm-1' });
  await expect(row(page, 'calm-1').locator('.duplicates')).toHaveText('1');
  await expect(rows(page).first()).toContainText('calm-2');
  await show.click();
  await expect(rows(page).first()).toContainText('calm-1');
  await expect(rows(page).nth(1)).toContainText('calm-3');
  // Where nobody is at it, what is new comes by itself.
  await page.mouse.move(0, 0);
  await tell(hub, { resource: 'calm-4' });
  await expect(rows(page).first()).toContainText('calm-4');
});

test('the address holds what is shown', async ({ signedIn: page, hub }) => {
  await tell(hub, { resource: 'url-1', severity: 'critical', environment: 'Development' });
  await tell(hub, { resource: 'url-2', severity: 'minor', environment: 'Development' });
  await page.goto('/ui/alerts');
  await page.getByRole('navigation', { name: 'Environments' }).getByRole('link', { name: 'Development' }).click();
  await expect(rows(page)).toHaveCount(2);
  await page.getByRole('columnheader', { name: 'Severity' }).getByRole('button').click();
  await expect(page.getByRole('columnheader', { name: 'Severity' })).toHaveAttribute('aria-sort', 'ascending');
  await expect(rows(page).first()).toContainText('url-1');
  await page.getByRole('columnheader', { name: 'Severity' }).getByRole('button').click();
  await expect(rows(page).first()).toContainText('url-2');
  await page.reload();
  await expect(rows(page).first()).toContainText('url-2');
  await page.getByRole('combobox', { name: /^Severity/ }).selectOption({ value: 'critical' });
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL(/\?environment=Development&sort=-severity&severity=critical$/);
  await page.getByRole('link', { name: 'Clear' }).click();
  await expect(page).toHaveURL(/\/ui\/alerts$/);
});

test('a long list is drawn in parts', async ({ signedIn: page, hub }) => {
  test.slow();
  const many = Array.from({ length: 350 }, (_, at) => `long-${String(at).padStart(3, '0')}`);
  for (const resource of many) await tell(hub, { resource, environment: 'Long' });
  await page.goto('/ui/alerts?environment=Long&sort=resource');
  await expect(page.getByRole('status').filter({ hasText: '350 alerts' })).toBeVisible();
  await expect(row(page, 'long-000')).toBeVisible();
  expect(await rows(page).count()).toBeLessThan(80);
  await page.getByRole('group', { name: 'List of alerts' }).evaluate((box) => (box.scrollTop = box.scrollHeight));
  await expect(row(page, 'long-349')).toBeVisible();
  await page.keyboard.press('k');
  await page.getByLabel('Choose all').check();
  await expect(page.getByText('350 alerts chosen')).toBeVisible();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await expect(page.getByText('No alerts here.')).toBeVisible();
});

test('100,000 alerts scroll smoothly', async ({ signedIn: page, hub }) => {
  await tell(hub, { resource: 'smooth' });
  const { rows: [pattern] } = await hub.ask<{ rows: Record<string, unknown>[] }>('GET', 'alerts/table?q=resource:smooth&limit=1');
  // Made up here, so that what is measured is the page.
  const total = 100_000;
  await page.route('**/api/v1/alerts/table?*', async (route) => {
    const asked = new URL(route.request().url()).searchParams;
    const limit = Number(asked.get('limit'));
    const first = (Number(asked.get('page') ?? 1) - 1) * limit;
    const rows = Array.from({ length: Math.min(limit, total - first) }, (_, at) => ({
      ...pattern,
      id: `alert-${first + at}`,
      resource: `host-${first + at}`,
    }));
    await route.fulfill({ json: { rows, total } });
  });
  await page.goto('/ui/alerts?environment=Production');
  await expect(row(page, 'host-0').first()).toBeVisible();
  const list = page.getByRole('group', { name: 'List of alerts' });
  for (const [name, step] of [['row by row', 90], ['leaps', 11_000]] as const) {
    const frames = await list.evaluate(async (element, step) => {
      element.scrollTop = 0;
      const times: number[] = [];
      let before = performance.now();
      for (let at = 0; at < 300; at += 1) {
        element.scrollTop = at * step;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        times.push(now - before);
        before = now;
      }
      return times.sort((one, other) => one - other);
    }, step);
    const said = (share: number) => (frames[Math.floor(frames.length * share)] ?? 0).toFixed(1);
    const text = `frames over 100,000 alerts, ${name}: median ${said(0.5)} ms, 95 of 100 within ${said(0.95)} ms`;
    test.info().annotations.push({ type: 'measured', description: text });
    console.log(text);
  }
  // The focus does not come to stand on another row.
  await list.evaluate((element) => (element.scrollTop = 0));
  await expect(row(page, 'host-0').first()).toBeVisible();
  await page.keyboard.press('j');
  await expect(list.locator('a:focus')).toHaveCount(1);
  await list.evaluate((element) => (element.scrollTop = 1_000_000));
  await expect(row(page, /host-294\d\d/).first()).toBeVisible();
  await expect(list.locator('a:focus')).toHaveCount(0);
  // Where it stops, what is in sight is fetched.
  await list.evaluate((element) => (element.scrollTop = element.scrollHeight));
  await expect(row(page, 'host-99999')).toBeVisible();
  expect(await rows(page).count()).toBeLessThan(80);
});

test('text of attackers stays text, every page is accessible and fits a phone', async ({ signedIn: page, hub }) => {
  // Two dozen looks of axe-core.
  test.slow();
  const name = HOSTILE.replaceAll(' ', '_');
  await hub.send([...breakIn('evil', name, '203.0.113.66'), line(3, `evil useradd[9]: new user: name=${name}, UID=1002, GID=1002`)], 'evil');
  await tell(hub, { resource: HOSTILE, event: HOSTILE, text: HOSTILE, environment: 'Production' });
  await hub.ask('POST', 'heartbeats', { origin: HOSTILE, tags: [HOSTILE] });
  await hub.ask('POST', 'blackouts', { resource: HOSTILE, text: HOSTILE, recurrence: 'FREQ=DAILY', duration: 60 });
  const ofRule = async () => (await alertsOf(hub, 'resource:evil')).find((one) => one.user?.includes('onerror'));
  await expect.poll(async () => Boolean(await ofRule())).toBe(true);
  const alert = await ofRule();
  await hub.ask('POST', `alerts/${alert?.id}/note`, { text: HOSTILE });
  await hub.ask('POST', 'exceptions', { alert: alert?.id, fields: ['user.name'], reason: HOSTILE, for: '1d' });
  const pages: [path: string, shown: Locator][] = [
    ['alerts', page.getByRole('link', { name: /onerror/ }).first()],
    [`alerts/${alert?.id}`, page.getByRole('region', { name: 'Timeline' }).getByText('onerror').first()],
    ['heartbeats', page.getByRole('cell', { name: /onerror/ }).first()],
    ['blackouts', page.getByRole('cell', { name: /onerror/ }).first()],
    ['exceptions', page.getByRole('cell', { name: /onerror/ }).first()],
    ['routes', page.getByRole('heading', { name: 'Dead letters' })],
  ];
  for (const [path, shown] of pages) {
    await page.setViewportSize({ width: 1400, height: 900 });
    await page.goto(`/ui/${path}`);
    await expect(shown).toBeVisible();
    expect(await page.locator('main img').count(), path).toBe(0);
    if (path !== 'routes') await expect(page.locator('main .mark', { hasText: 'U+202E' }).first()).toBeVisible();
    await expectAccessible(page);
    await page.setViewportSize({ width: 375, height: 800 });
    await expect(shown).toBeVisible();
    await noSidewaysScroll(page);
    await expectAccessible(page);
  }
  await page.setViewportSize({ width: 1400, height: 900 });
  await page.goto(`/ui/alerts/${alert?.id}`);
  await page.getByText('Raw', { exact: true }).click();
  await page.getByRole('button', { name: 'Make an exception…' }).click();
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page.getByRole('dialog').getByRole('status')).toContainText('findings');
  await expectAccessible(page);
});
