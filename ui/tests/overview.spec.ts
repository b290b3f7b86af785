import { breakIn, expect, expectAccessible, HOSTILE, line, test } from './support/hub';

test.use({ hubOf: 'overview' });

interface Overview {
  events: { total: number; kinds: { name: string; count: number }[]; minutes: { series: { name: string; counts: number[] }[] } };
  alerts: { open: number };
}

test.beforeAll(async ({ hub }) => {
  await hub.send(breakIn('web', 'root', '203.0.113.7'));
  await hub.send([line(30, `db sshd[7]: Failed password for ${HOSTILE} from 198.51.100.9 port 22 ssh2`)], 'db');
  await hub.send([line(20, 'CRON[9]: (root) CMD (true)')], HOSTILE);
});

test('the figures are those of the API and lead to their events', async ({ signedIn: page, hub }) => {
  const figures = page.getByRole('region', { name: 'Figures' });
  // Answers are some seconds old.
  await expect(async () => {
    const api = await hub.ask<Overview>('GET', 'overview');
    const failed = api.events.kinds.find((kind) => kind.name === 'LOGIN_FAIL')?.count;
    expect(failed).toBeGreaterThanOrEqual(7);
    const found = await hub.ask<{ events: unknown[] }>('GET', 'search?q=heimdall.event_type:LOGIN_FAIL&limit=1000');
    expect(found.events).toHaveLength(failed ?? -1);
    expect(api.events.minutes.series.flatMap((one) => one.counts).reduce((sum, count) => sum + count, 0)).toBe(api.events.total);
    await expect(figures.getByRole('link', { name: /failed logins/i })).toContainText(String(failed), { timeout: 1_000 });
    await expect(figures.getByRole('link', { name: /open alerts/i })).toContainText(String(api.alerts.open), { timeout: 1_000 });
  }).toPass();
  await expect(page.getByRole('link', { name: '203.0.113.7' })).toHaveAttribute('href', '/ui/entity/address/203.0.113.7');
  await expect(page.getByRole('link', { name: /Credential access/ })).toBeVisible();
  await figures.getByRole('link', { name: /failed logins/i }).click();
  await expect(page).toHaveURL(/\/ui\/investigate\?q=heimdall\.event_type%3ALOGIN_FAIL&last=24h/);
});

test('the address bar holds what was chosen', async ({ signedIn: page }) => {
  await page.goto('/ui/overview');
  await page.getByRole('region', { name: 'Figures' }).waitFor();
  await page.getByLabel('by').first().selectOption('host');
  await page.getByRole('button', { name: '1h' }).click();
  await expect(page).toHaveURL(/by=host.*last=1h/);
  await page.reload();
  await expect(page.getByRole('button', { name: '1h' })).toHaveAttribute('aria-pressed', 'true');
  // Each host is a series, also one whose name would like to be something else.
  await expect(page.getByRole('figure', { name: 'Events a minute' })).toContainText('<img src=x onerror=window.owned=1>U+202Egpj');
});

test('a new alert shows without a reload', async ({ signedIn: page, hub }) => {
  await page.goto('/ui/overview');
  const open = page.getByRole('link', { name: /open alerts/i });
  await open.waitFor();
  const before = Number(await open.locator('strong').textContent());
  await hub.send(breakIn('mail', 'admin', '203.0.113.8'));
  await expect(open.locator('strong')).not.toHaveText(String(before));
});

test('it is accessible, and fits a phone', async ({ signedIn: page }) => {
  await page.goto('/ui/overview');
  await page.getByRole('heading', { name: 'Top sources' }).waitFor();
  await expectAccessible(page);
  await page.setViewportSize({ width: 375, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
});
