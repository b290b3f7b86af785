import { readFileSync } from 'node:fs';

import type { Page } from '@playwright/test';

import { breakIn, expect, expectAccessible, HOSTILE, line, test, type Hub } from './support/hub';

test.use({ hubOf: 'investigate' });

const ADDRESS = '203.0.113.77';
const MARKED = '<img src=x onerror=window.owned=1>U+202EgpjU+001B[31mred';

/** Somebody gets in by guessing, becomes root and makes an account. */
function attack(host: string): string[] {
  return [
    ...breakIn(host, 'deploy', ADDRESS),
    line(40, `${host} sudo[4100]:   deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=/usr/sbin/useradd -m toor`),
    line(39, `${host} useradd[4101]: new user: name=toor, UID=1002, GID=1002, home=/home/toor, shell=/bin/sh, from=/dev/pts/0`),
  ];
}

/** Events that can be searched, which is a moment after they were taken. */
async function stored(hub: Hub, q: string, least: number): Promise<void> {
  await expect
    .poll(async () => (await hub.ask<{ events: unknown[] }>('GET', `search?q=${encodeURIComponent(q)}`)).events.length)
    .toBeGreaterThanOrEqual(least);
}

const box = (page: Page) => page.getByRole('combobox', { name: 'Search', exact: true });
const rows = (page: Page) => page.getByRole('table', { name: 'Events' }).getByRole('button', { name: /^Event of/ });
const open = (hub: Hub, path: string, parameters: Record<string, string> = {}) =>
  `${hub.url}/ui/${path}?${new URLSearchParams(parameters)}`;

test.beforeAll(async ({ hub }) => {
  await hub.send(attack('gate'), 'gate');
  await hub.send(
    [
      line(3 * 3600, 'gate CRON[10]: (root) CMD (run-parts /etc/cron.hourly)'),
      line(20, `gate sshd[5000]: Failed password for invalid user ${HOSTILE} from 198.51.100.9 port 4 ssh2`),
      line(19, `gate sshd[5001]: Failed password for invalid user ${HOSTILE} from 198.51.100.9 port 4 ssh2`),
      line(18, 'gate sshd[5002]: Failed password for =cmd from 198.51.100.9 port 5 ssh2'),
    ],
    'gate',
  );
  await stored(hub, 'host.name:gate', 12);
});

test('a search finds events, and the address bar holds it', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate'));
  await expect(rows(page).first()).toBeVisible();
  await page.keyboard.press('/');
  await expect(box(page)).toBeFocused();
  await box(page).fill(`Accepted source.ip:${ADDRESS}`);
  await box(page).press('Enter');
  await expect(page).toHaveURL(/q=Accepted\+source\.ip%3A203\.0\.113\.77/);
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByText('1 event', { exact: true })).toBeVisible();
  await page.goBack();
  await expect(box(page)).toHaveValue('');
});

test('what is typed is completed by keyboard', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate'));
  await box(page).pressSequentially('user.na');
  const options = page.getByRole('listbox', { name: 'Completions' }).getByRole('option');
  await expect(options.first()).toBeVisible();
  await expect(box(page)).toHaveAttribute('aria-expanded', 'true');
  await box(page).press('ArrowDown');
  await expect(options.and(page.getByRole('option', { selected: true }))).toContainText('user.name:');
  await box(page).press('Enter');
  await expect(box(page)).toHaveValue('user.name:');
  await box(page).pressSequentially('dep');
  await expect(options.filter({ hasText: 'deploy' })).toBeVisible();
  await box(page).press('ArrowDown');
  await box(page).press('Tab');
  await expect(box(page)).toHaveValue('user.name:deploy ');
  await box(page).press('Escape');
  await expect(page.getByRole('listbox', { name: 'Completions' })).toBeHidden();
  await box(page).press('Enter');
  await expect(page).toHaveURL(/q=user\.name%3Adeploy$/);
});

test('a mistake is marked where it is', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate', { q: 'größe user.nam:root' }));
  const mistake = page.getByRole('alert').filter({ hasText: 'did you mean `user.name`' });
  await expect(mistake).toBeVisible();
  await expect(mistake.locator('code')).toHaveText('user.nam');
  await expect(box(page)).toHaveAttribute('aria-invalid', 'true');
  await expect(page.locator('.wrong-part')).toHaveText('user.nam');
  await expectAccessible(page);
  await page.goto(open(hub, 'investigate', { q: 'gate | tpo user.name' }));
  await expect(page.getByRole('alert').locator('code')).toHaveText('tpo');
});

test('dragging over the histogram chooses a range of time', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate', { q: 'host.name:gate', last: '4h' }));
  const plot = page.locator('.u-over');
  await expect(plot).toBeVisible();
  await expect(page.getByText(/1\d events/)).toBeVisible();
  const area = (await plot.boundingBox())!;
  await page.mouse.move(area.x + 4, area.y + 20);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width / 2, area.y + 30, { steps: 5 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*&to=/);
  await expect(page.getByText('1 event', { exact: true })).toBeVisible();
  await expect(rows(page)).toHaveCount(1);
  await page.goBack();
  await expect(page.getByText(/1\d events/)).toBeVisible();
});

test('the histogram is stacked, and fields filter and exclude', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate', { q: 'host.name:gate' }));
  await page.getByLabel('Stack by', { exact: true }).selectOption('event.outcome');
  await expect(page).toHaveURL(/by=event\.outcome/);
  await expect(page.locator('figure li').filter({ hasText: 'failure' })).toBeVisible();
  await page.getByRole('button', { name: `Only source.ip ${ADDRESS}`, exact: true }).click();
  await expect(box(page)).toHaveValue(`host.name:gate source.ip:${ADDRESS}`);
  await page.getByRole('button', { name: 'Without event.outcome failure' }).click();
  await expect(box(page)).toHaveValue(`host.name:gate source.ip:${ADDRESS} -event.outcome:failure`);
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole('button', { name: 'Column of user.name' }).click();
  await expect(page).toHaveURL(/columns=host\.name%2Cprocess\.name%2Cuser\.name%2Cmessage/);
  await expect(page.getByRole('columnheader', { name: 'user.name' })).toBeVisible();
});

test('an event opens with every field, and leads on', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate', { q: `Accepted source.ip:${ADDRESS}` }));
  await expect(rows(page)).toHaveCount(1);
  await page.keyboard.press('j');
  await page.keyboard.press('o');
  const detail = page.getByRole('complementary', { name: 'Event' });
  await expect(detail.getByRole('rowheader', { name: 'ssh.method' })).toBeVisible();
  await expect(detail.locator('pre')).toContainText('Accepted password for deploy');
  await expect(page).toHaveURL(/event=\d+/);
  await expectAccessible(page);
  const link = page.url();
  await page.keyboard.press('Escape');
  await expect(detail).toBeHidden();
  await page.goto(link);
  await expect(detail).toBeVisible();
  await detail.getByRole('button', { name: 'Only user.name deploy' }).click();
  await expect(box(page)).toHaveValue(`Accepted source.ip:${ADDRESS} user.name:deploy`);
  await expect(detail).toBeHidden();
  await rows(page).first().click();
  await detail.getByRole('link', { name: ADDRESS, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(ADDRESS);
  await expect(page.getByRole('link', { name: 'deploy' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Alerts' })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Investigate' }).last().click();
  await expect(rows(page).first()).toBeVisible();
});

test('steps give tables and charts', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate', { q: 'host.name:gate | top source.ip' }));
  const table = page.getByRole('table', { name: 'Table' });
  await expect(table.getByRole('link', { name: ADDRESS })).toBeVisible();
  await expectAccessible(page);
  await table.getByRole('link', { name: '7: show these events' }).click();
  await expect(box(page)).toHaveValue(`host.name:gate source.ip:${ADDRESS}`);
  await expect(rows(page)).toHaveCount(7);
  await page.goto(open(hub, 'investigate', { q: 'host.name:gate | timechart 1m by event.outcome' }));
  await expect(page.getByRole('region', { name: 'Chart' }).locator('canvas')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Chart' }).getByRole('listitem').first()).toBeVisible();
});

test('what is read for a search is told', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate', { q: 'failed user.name:deploy' }));
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('button', { name: 'What is read for it' }).click();
  const dialog = page.getByRole('dialog', { name: 'What is read for this search' });
  await expect(dialog.getByRole('columnheader', { name: 'segments' })).toBeVisible();
  await expect(dialog).toContainText('were found');
  await expectAccessible(page);
});

test('searches are kept, shared and forgotten', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate', { q: 'failed user.name:deploy', last: '7d' }));
  await page.getByRole('button', { name: 'Kept' }).click();
  const dialog = page.getByRole('dialog', { name: 'Kept searches' });
  await dialog.getByLabel('Name', { exact: true }).fill('Guessing');
  await dialog.getByRole('button', { name: 'Keep', exact: true }).click();
  const item = dialog.getByRole('listitem').filter({ hasText: 'Guessing' });
  await expect(item).toContainText('failed user.name:deploy');
  await item.getByRole('button', { name: 'Share Guessing' }).click();
  await expect(item.getByRole('button', { name: 'Share Guessing' })).toHaveAttribute('aria-pressed', 'true');
  await page.goto(open(hub, 'investigate'));
  await page.getByRole('button', { name: 'Kept' }).click();
  await item.getByRole('button', { name: /^Guessing/ }).click();
  await expect(page).toHaveURL(/q=failed\+user\.name%3Adeploy&last=7d/);

  // A time from one moment to another stays one.
  const fixed = { from: '2026-01-02T03:00:00.000Z', to: '2026-01-02T04:00:00.000Z' };
  await page.goto(open(hub, 'investigate', { q: 'that hour', ...fixed }));
  await page.getByRole('button', { name: 'Kept' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Then');
  await dialog.getByRole('button', { name: 'Keep', exact: true }).click();
  const then = dialog.getByRole('listitem').filter({ hasText: 'that hour' });
  await expect(then).toContainText('2026-01-02');
  await page.goto(open(hub, 'investigate'));
  await page.getByRole('button', { name: 'Kept' }).click();
  await then.getByRole('button', { name: /^Then/ }).click();
  await expect(page).toHaveURL(/q=that\+hour&from=2026-01-02T03%3A00%3A00\.000Z&to=2026-01-02T04%3A00%3A00\.000Z/);
  await page.getByRole('button', { name: 'Kept' }).click();
  await then.getByRole('button', { name: 'Forget Then' }).click();
  await expect(then).toHaveCount(0);
  await item.getByRole('button', { name: 'Forget Guessing' }).click();
  await expect(dialog.getByText('None is kept yet.')).toBeVisible();
});

test('an export is what the API gives, to the byte', async ({ signedIn: page, hub }) => {
  const range = { from: new Date(Date.now() - 86_400_000).toISOString(), to: new Date(Date.now() + 1_000).toISOString() };
  const asked = { q: 'host.name:gate Failed', ...range };
  await page.goto(open(hub, 'investigate', asked));
  for (const [name, format] of [['CSV', 'csv'], ['JSON', 'json'], ['Parquet', 'parquet']] as const) {
    await page.getByRole('button', { name: 'More' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: `Export ${name}`, exact: true }).click();
    const file = readFileSync(await (await download).path());
    const url = `${hub.url}/api/v1/search/export?${new URLSearchParams({ ...asked, format })}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${hub.key}` } });
    expect(answer.status, format).toBe(200);
    expect(file.equals(Buffer.from(await answer.arrayBuffer())), format).toBe(true);
    expect(file.length).toBeGreaterThan(100);
  }
});

test('an export that the hub refuses says why', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate', { q: 'host.name:gate | tpo user.name' }));
  await expect(page.getByRole('alert').first()).toContainText('tpo');
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('button', { name: 'Export CSV' }).click();
  await expect(page.getByText(/Nothing is exported: .*unknown step `tpo`/)).toBeVisible();
});

test('the story of a break-in is told in order, with its evidence', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, `story/host/gate`, { last: '1h' }));
  const steps = page.getByRole('listitem').filter({ has: page.locator('time') });
  await expect(steps.filter({ hasText: 'Failed password for deploy' }).first()).toBeVisible();
  const text = await steps.allInnerTexts();
  const place = (part: string) => text.findIndex((one) => one.includes(part));
  const order = ['Failed password for deploy', 'Accepted password for deploy', 'COMMAND=/usr/sbin/useradd', 'new user: name=toor'];
  const places = order.map(place);
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((one, other) => one - other));
  await expect(page.getByRole('img', { name: /steps in \d+ lanes/ })).toContainText('Credential access');
  const login = steps.filter({ hasText: 'Accepted password for deploy' }).filter({ has: page.locator('summary') }).first();
  await login.locator('summary').click();
  await expect(login.getByRole('link', { name: 'Look into them' })).toBeVisible();
  await expect(login.locator('details')).toContainText(`Accepted password for deploy from ${ADDRESS}`);
  await expectAccessible(page);
  await login.getByRole('link', { name: 'Look into them' }).click();
  await expect(rows(page).first()).toBeVisible();
});

test('hostile text is text in every place', async ({ signedIn: page, hub }) => {
  await page.goto(open(hub, 'investigate', { q: 'source.ip:198.51.100.9', columns: 'user.name,message' }));
  await expect(rows(page)).toHaveCount(3);
  const user = page.getByRole('table', { name: 'Events' }).getByRole('link').filter({ hasText: MARKED });
  await expect(user.first()).toBeVisible();
  await expect(page.getByRole('region', { name: 'Fields' }).getByText(MARKED).first()).toBeVisible();
  await page.getByLabel('Stack by', { exact: true }).selectOption('user.name');
  await expect(page.locator('figure li').filter({ hasText: MARKED })).toBeVisible();
  await rows(page).last().click();
  await expect(page.getByRole('complementary', { name: 'Event' }).locator('pre')).toContainText(MARKED);
  await page.getByRole('button', { name: `Only user.name ${MARKED}` }).last().click();
  await expect(rows(page)).toHaveCount(2);
  await user.first().click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(MARKED);
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Attack story' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: MARKED }).first()).toBeVisible();
  await page.goto(open(hub, 'investigate', { q: 'source.ip:198.51.100.9 | count by user.name' }));
  await expect(page.getByRole('table', { name: 'Table' }).getByRole('link').filter({ hasText: MARKED })).toBeVisible();
  await page.goto(open(hub, 'investigate', { q: `${HOSTILE}:(`, columns: HOSTILE }));
  await expect(page.getByRole('alert').first()).toBeVisible();
  await expect(page.locator('img')).toHaveCount(0);
});

test('all of it works on a phone', async ({ signedIn: page, hub }) => {
  test.slow();
  await page.setViewportSize({ width: 375, height: 800 });
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  await page.goto(open(hub, 'investigate', { q: 'host.name:gate' }));
  await expect(rows(page).first()).toBeVisible();
  expect(await fits(), 'investigate').toBe(true);
  await page.getByRole('button', { name: 'Fields', exact: true }).click();
  await expect(page.getByRole('button', { name: `Only source.ip ${ADDRESS}` })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Fields', exact: true }).click();
  await rows(page).first().click();
  await expect(page.getByRole('complementary', { name: 'Event' })).toBeVisible();
  expect(await fits(), 'event').toBe(true);
  await page.getByRole('button', { name: 'Close the event' }).click();
  for (const path of [`entity/address/${ADDRESS}`, 'story/host/gate']) {
    await page.goto(open(hub, path));
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByText('Loading…')).toBeHidden();
    expect(await fits(), path).toBe(true);
    await expectAccessible(page);
  }
});

test('100,000 rows scroll smoothly', async ({ signedIn: page, hub }) => {
  test.slow();
  // Made up here, so that what is measured is the page: the hub gives a thousand at a time.
  const most = 100_000;
  await page.route('**/api/v1/search?*', async (route) => {
    const asked = new URL(route.request().url()).searchParams;
    const first = Number(asked.get('before') ?? 0);
    const limit = Number(asked.get('limit'));
    const events = Array.from({ length: Math.min(limit, most - first) }, (_, at) => ({
      '@timestamp': new Date(Date.now() - (first + at) * 10).toISOString(),
      'event.id': first + at,
      'host.name': `host-${(first + at) % 40}`,
      'process.name': 'sshd',
      message: `Failed password for user${first + at} from 203.0.113.${(first + at) % 250} port 50022 ssh2`,
    }));
    const next = first + events.length < most ? String(first + events.length) : null;
    await route.fulfill({ json: { events, next } });
  });
  await page.goto(open(hub, 'investigate'));
  const view = page.getByRole('region', { name: 'Events', exact: true });
  await expect(rows(page).first()).toBeVisible();
  // To the end as often as more is there.
  await expect
    .poll(
      async () =>
        view.evaluate((element) => {
          element.scrollTop = element.scrollHeight;
          return Number(element.querySelector('[role=table]')?.getAttribute('aria-rowcount'));
        }),
      { timeout: 300_000, intervals: [20] },
    )
    .toBe(most + 1);
  expect(await view.locator('[role=row]').count()).toBeLessThan(100);
  const frames = await view.evaluate(async (element) => {
    element.scrollTop = 0;
    const times: number[] = [];
    let before = performance.now();
    for (let at = 0; at < 300; at += 1) {
      element.scrollTop = (at / 300) * element.scrollHeight + (at % 7) * 13;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      times.push(now - before);
      before = now;
    }
    return times.sort((one, other) => one - other);
  });
  const said = (share: number) => (frames[Math.floor(frames.length * share)] ?? 0).toFixed(1);
  const text = `frames over 100,000 rows: median ${said(0.5)} ms, 95 of 100 within ${said(0.95)} ms`;
  test.info().annotations.push({ type: 'measured', description: text });
  console.log(text);
  await expect(rows(page).last()).toBeVisible();
});
