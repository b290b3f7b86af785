/** Somebody who may only read: every page that they have, on a phone, with nothing to act with. */

import { breakIn, expect, expectAccessible, HOSTILE, line, signIn, test } from './support/hub';

test.use({ hubOf: 'viewer', viewport: { width: 390, height: 844 } });

const PASSWORD = 'a long enough one';
const ADDRESS = '203.0.113.7';

/** What stands on buttons that change something. */
const ACTS =
  /^(New|Make|Delete|Remove|Revoke|Rotate|Forget|Acknowledge|Ack|Shelve|Assign|Close alert|Reopen|Save|Keep|Test|Send|Enrol|Connect|Edit|Verify|Compact|Join|Switch)\b/;

test.beforeAll(async ({ hub }) => {
  await hub.ask('POST', 'users', { name: 'vera', password: PASSWORD, role: 'viewer' });
  await hub.ask('POST', 'heartbeats', { origin: `backup/${HOSTILE}`, timeout: 86_400 });
  await hub.ask('POST', 'blackouts', { resource: 'lab-1', text: HOSTILE });
  const hostile = line(40, `web sshd[9]: Failed password for invalid user ${HOSTILE} from ${ADDRESS} port 9 ssh2`);
  await hub.send([...breakIn('web', 'root', ADDRESS), hostile]);
});

for (const path of [
  'overview',
  'alerts',
  'investigate',
  'investigate?q=failed%20%7C%20top%20source.ip',
  `entity/address/${ADDRESS}`,
  `story/address/${ADDRESS}`,
  'live',
  'hosts',
  // Not all of them: what is told of one is told of each.
  'rules?q=sshd',
  'heartbeats',
  'blackouts',
  'exceptions',
  'routes',
  'collection',
  'storage',
  'settings',
  'entity/planet/mars',
  'nowhere',
]) {
  test(`a viewer reads ${path}`, async ({ page, hub }) => {
    const refused: string[] = [];
    page.on('response', (response) => {
      if (response.status() === 403) refused.push(response.url());
    });
    await page.goto(`${hub.url}/ui/${path}`);
    await signIn(page, 'vera', PASSWORD);
    await expect(page.locator('main h1')).toHaveCount(1);
    await expect(page.locator('main').getByText(/^(Loading|Searching)…$/)).toHaveCount(0);
    const names = await page.locator('main').getByRole('button').allInnerTexts();
    expect(names.filter((name) => ACTS.test(name.trim()))).toEqual([]);
    await expectAccessible(page);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, 'nothing is wider than the phone').toBeLessThanOrEqual(390);
    expect(refused, 'nothing is asked that a viewer may not').toEqual([]);
    expect(await page.evaluate(() => 'owned' in window), 'text of a log was run').toBe(false);
  });
}
