import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { ADMIN, expect, expectAccessible, Hub, signIn, test } from './support/hub';

test.use({ hubOf: 'frame' });

/** What a browser fetches of the console at most, in bytes as they travel. */
const BUDGET = 350_000;

test('all of the console is small', () => {
  const below = (path: string): string[] =>
    statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => below(join(path, name))) : [path];
  const sizes = below('dist').filter((path) => path.endsWith('.gz')).map((path) => statSync(path).size);
  expect(sizes.length).toBeGreaterThan(3);
  const sum = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`the console has ${(sum / 1000).toFixed(1)} kB, compressed`);
  expect(sum).toBeLessThan(BUDGET);
});

test('it is led by the keyboard', async ({ signedIn: page }) => {
  await page.goto('/ui/overview');
  await expect(page).toHaveTitle('Overview · Bergfried');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the page' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await expect(page).toHaveURL(/\/ui\/hosts$/);
  await expect(page).toHaveTitle('Hosts · Bergfried');
  await expect(page.locator('main')).toBeFocused();
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await expect(dialog).toContainText('Next host');
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await page.goBack();
  await expect(page).toHaveURL(/\/ui\/overview$/);
});

test('on a phone the menu opens and closes', async ({ signedIn: page }) => {
  await page.setViewportSize({ width: 375, height: 800 });
  await page.goto('/ui/overview');
  const menu = page.getByRole('button', { name: 'Menu' });
  await menu.click();
  await expect(menu).toHaveAttribute('aria-expanded', 'true');
  await expectAccessible(page);
  await page.getByRole('navigation').getByRole('link', { name: 'Live' }).click();
  await expect(page).toHaveURL(/\/ui\/live$/);
  await expect(menu).toHaveAttribute('aria-expanded', 'false');
});

test('the theme is chosen and kept', async ({ signedIn: page }) => {
  const theme = page.getByRole('button', { name: 'Theme:' });
  await theme.click();
  await theme.click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('it says when the hub is gone, and asks nothing of others', async ({ page }) => {
  const hub = await Hub.start();
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(hub.url)) elsewhere.push(request.url());
  });
  const refused: string[] = [];
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) refused.push(message.text());
  });
  try {
    await hub.ask('POST', 'setup', ADMIN);
    await page.goto(`${hub.url}/ui/`);
    await signIn(page, ADMIN.name, ADMIN.password);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const painted = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    console.log(`first contentful paint after ${painted?.toFixed(0)} ms`);
    expect(painted).toBeGreaterThan(0);
  } finally {
    await hub.stop();
  }
  await expect(page.getByText('The hub does not answer', { exact: true })).toBeVisible();
  expect(elsewhere).toEqual([]);
  expect(refused).toEqual([]);
});
