/** The page Storage: what a hub says of its store, and what a stranger may have written in it. */

import { expect, expectAccessible, HOSTILE, test } from './support/hub';

test.use({ hubOf: 'storage' });

const DAY = 86_400_000;

/** A store of forty days; a fresh hub has no segment yet. */
function filled(more: object = {}): object {
  const days = Array.from({ length: 40 }, (_, at) => {
    const day = new Date(Date.UTC(2026, 9, 12) + at * DAY).toISOString().slice(0, 10);
    const events = 40_000 + ((at * 7_919) % 23) * 21_000;
    const plain = { day, class: null, events, bytes: events * 31, segments: 1 + (at % 3) };
    const kept = { day, class: 'alerts', events: 900 + at * 40, bytes: 60_000 + at * 3_000, segments: 1 };
    return at < 10 ? [kept] : at % 4 === 0 ? [plain, kept] : [plain];
  }).flat();
  return {
    events: 8_123_456,
    events_in_memory: 12_345,
    segments: 71,
    bytes: 251_000_000,
    wal_bytes: 4_100_000,
    oldest: '2026-10-12T00:00:03Z',
    newest: new Date(Date.now() - 4_000).toISOString(),
    days,
    retention: { days: 30, size: 50_000_000_000, alerts_days: 365, classes: [{ name: 'audit', match: HOSTILE, days: 400 }] },
    next: { taken: '2026-10-22', due: '2026-11-22', events: 210_000, bytes: 6_500_000 },
    chain: { changes: 123, head: '4be1'.repeat(16) },
    verified: {
      at: new Date(Date.now() - 60_000).toISOString(), whole: true, problem: null, segments: 71, events: 8_111_111,
      changes: 123, head: '4be1'.repeat(16), expired: 1_200_000, archived: 0,
    },
    joined: null,
    joined_at: null,
    removed: null,
    running: null,
    problem: null,
    ...more,
  };
}

test('says what a new hub has, and verifies it', async ({ signedIn: page, hub }) => {
  await page.goto(`${hub.url}/ui/storage`);
  await expect(page.getByText('No segment yet')).toBeVisible();
  await page.getByRole('button', { name: 'Verify now' }).click();
  await expect(page.getByText('Nothing was altered or removed.')).toBeVisible();
  await page.getByLabel('Value of earlier').fill('no value');
  await page.getByRole('button', { name: 'Verify now' }).click();
  await expect(page.getByText('is no value of a chain')).toBeVisible();
  await page.getByRole('button', { name: 'Join them now' }).click();
  await expect(page.getByRole('button', { name: 'Join them now' })).toBeEnabled();
});

test('shows days and classes, in the measure that the address says', async ({ signedIn: page, hub }) => {
  await page.route('**/api/v1/storage', (route) => route.fulfill({ json: filled() }));
  await page.goto(`${hub.url}/ui/storage`);
  const rows = page.getByRole('region', { name: 'By day' }).locator('tbody tr');
  await expect(rows).toHaveCount(31);
  await expect(rows.first()).toContainText('2026-11-20');
  await page.getByRole('button', { name: 'Events', exact: true }).click();
  await expect(page).toHaveURL(/of=events/);
  await page.getByRole('button', { name: 'All 40 days' }).click();
  await expect(rows).toHaveCount(40);
  await expectAccessible(page);
  await page.setViewportSize({ width: 375, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375);
});

test('says what is wrong in the words of the hub, as text', async ({ signedIn: page, hub }) => {
  const verified = { at: new Date().toISOString(), whole: false, problem: HOSTILE, segments: 0, events: 0, changes: 0, head: null, expired: 0, archived: 0 };
  const problem = { at: new Date().toISOString(), message: `cannot join segments: ${HOSTILE}` };
  await page.route('**/api/v1/storage', (route) => route.fulfill({ json: filled({ verified, problem }) }));
  await page.goto(`${hub.url}/ui/storage`);
  await expect(page.getByRole('alert')).toContainText('Not whole.');
  await expect(page.getByText('cannot join segments')).toBeVisible();
  await expectAccessible(page);
});

test('a viewer sees, and cannot do', async ({ page, hub }) => {
  await hub.ask('POST', 'users', { name: 'vera', password: 'only looking here', role: 'viewer' });
  await page.goto(`${hub.url}/ui/storage`);
  await page.getByLabel('Name').fill('vera');
  await page.getByLabel('Password').fill('only looking here');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Integrity' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Verify now' })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Join them now' })).toHaveCount(0);
});
