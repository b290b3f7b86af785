import { expect, expectAccessible, HOSTILE, line, test } from './support/hub';

test.use({ hubOf: 'live' });

test('events show as they come, filtered, marked and paused', async ({ signedIn: page, hub }) => {
  await page.goto('/ui/live');
  await expect(page.getByRole('status')).toHaveText('live');
  await hub.send([line(1, 'sshd[1]: Failed password for root from 203.0.113.7 port 1 ssh2')]);
  const events = page.getByRole('region', { name: 'Events' });
  await expect(events).toContainText('Failed password for root');

  await page.getByLabel('Filter').fill('program:sshd');
  await page.getByLabel('Words to highlight').fill('root');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/q=program%3Asshd&mark=root/);
  await expect(page.getByRole('status')).toHaveText('live');
  await hub.send([line(1, 'CRON[2]: (root) CMD (true)'), line(1, 'sshd[3]: Failed password for root from 203.0.113.7 port 3 ssh2')]);
  await expect(events.locator('mark')).toHaveText('root');
  await expect(events).not.toContainText('CMD');

  await page.getByRole('button', { name: 'Pause' }).click();
  await hub.send([line(1, 'sshd[4]: Failed password for anna from 203.0.113.7 port 4 ssh2')]);
  const on = page.getByRole('button', { name: /Go on/ });
  await expect(on).toContainText('1 wait');
  await expect(events).not.toContainText('anna');
  await on.click();
  await expect(events).toContainText('anna');
});

test('a search that cannot be read is said beside the filter', async ({ signedIn: page }) => {
  await page.goto('/ui/live?q=user:(');
  await expect(page.getByRole('alert')).toContainText('user:(');
  await expect(page.getByLabel('Filter')).toHaveAttribute('aria-invalid', 'true');
});

test('it follows the end unless somebody reads above, and stays bounded', async ({ signedIn: page, hub }) => {
  await page.goto('/ui/live?q=program:load');
  await expect(page.getByRole('status')).toHaveText('live');
  const many = (from: number) => Array.from({ length: 2_000 }, (_, at) => line(1, `load[1]: number ${from + at}`));
  const events = page.getByRole('region', { name: 'Events' });
  await hub.send(many(0));
  await expect(events).toContainText('number 1999');
  // Only what is in sight is in the document.
  expect(await events.getByRole('button').count()).toBeLessThan(120);
  await events.evaluate((box) => (box.scrollTop = 0));
  await expect(events).toContainText('number 0');
  await hub.send(many(2_000));
  await expect(page.getByText('4,000 events')).toBeVisible();
  await expect(events).toContainText('number 0');
  await page.getByRole('button', { name: /To the newest/ }).click();
  await expect(events).toContainText('number 3999');
});

test('text of logs is text, and the page is accessible', async ({ signedIn: page, hub }) => {
  await page.goto('/ui/live');
  await expect(page.getByRole('status')).toHaveText('live');
  await hub.send([line(1, `sshd[5]: Invalid user ${HOSTILE} from 203.0.113.9 port 5`)], HOSTILE);
  const event = page.getByRole('region', { name: 'Events' }).getByRole('button').last();
  await expect(event).toContainText('Invalid user <img src=x onerror=window.owned=1>U+202EgpjU+001B[31mred');
  await event.click();
  await expect(page.getByRole('dialog')).toContainText('<img src=x onerror=window.owned=1>');
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expectAccessible(page);
  await page.setViewportSize({ width: 375, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
});
