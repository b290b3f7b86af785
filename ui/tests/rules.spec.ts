/** Rules: found, read, tried, written, switched. */

import { breakIn, expect, expectAccessible, HOSTILE, test } from './support/hub';

test.use({ hubOf: 'rules' });

const OWN = (id: string, title = 'A rule of ours') => `title: ${title}
id: ${id}
description: ours
logsource: {service: sshd}
tags: [attack.initial-access, attack.t1078]
detection:
    selection:
        user.name: walter
        event.outcome: success
    condition: selection
falsepositives: [none]
level: high
`;

test('the list is filtered, sorted and kept in the address', async ({ signedIn: page, hub }) => {
  await hub.send(breakIn('web1', 'backup', '203.0.113.7'), 'web1');
  await page.goto('/ui/rules');
  await expect(page.getByRole('row')).not.toHaveCount(1);
  await page.keyboard.press('/');
  await page.keyboard.type('brute T1110');
  await expect(page).toHaveURL(/q=brute\+T1110/);
  const rows = page.getByRole('row');
  await expect(rows.nth(1)).toContainText('T1110');
  await page.getByRole('button', { name: 'Rule', exact: true }).click();
  await expect(page).toHaveURL(/sort=title/);
  await expect(page.getByRole('columnheader', { name: 'Rule' })).toHaveAttribute('aria-sort', 'ascending');
  await page.getByLabel('Level').selectOption('critical');
  await page.reload();
  await expect(page.getByLabel('Level')).toHaveValue('critical');
  await expect(page.getByLabel('Search the rules')).toHaveValue('brute T1110');
  await page.getByLabel('Level').selectOption('');
  await expect(rows.nth(1)).toContainText('T1110');
  await page.getByLabel('Search the rules').blur();
  await page.keyboard.press('j');
  await expect(rows.nth(1).getByRole('link')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'What it does' })).toBeVisible();
  await expectAccessible(page);
});

test('a rule is tried over history', async ({ signedIn: page, hub }) => {
  await hub.send(breakIn('web2', 'backup', '203.0.113.8'), 'web2');
  const rules = await hub.ask<{ id: string; title: string }[]>('GET', 'rules');
  const rule = rules.find((one) => one.title.startsWith('SSH login after many failures'));
  await page.goto(`/ui/rules/${rule?.id}`);
  await page.getByRole('button', { name: 'Try it' }).click();
  await expect(page.getByText(/\d+ hits, \d+ alerts from/)).toBeVisible();
  await expect(page.getByRole('cell', { name: 'web2' })).toBeVisible();
  await expect(page.locator('pre')).toContainText('correlation');
  await expectAccessible(page);
});

test('a rule is written, tried, kept, changed and taken away', async ({ signedIn: page, hub }) => {
  // All rules are read again for each change.
  test.slow();
  await hub.send(breakIn('web3', 'walter', '203.0.113.9'), 'web3');
  await page.goto('/ui/rules?view=new');
  const box = page.getByLabel('Rule in Sigma');
  await box.fill(OWN('ours-1').replace('condition: selection', 'condition: selektion'));
  await expect(page.getByRole('button', { name: /mistake, line 10/ })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save without a try' })).toBeDisabled();
  await expectAccessible(page);
  await box.fill(OWN('ours-1'));
  await expect(page.getByText('No mistake: 1 rule')).toBeVisible();
  await page.getByRole('button', { name: 'Try it' }).click();
  const save = page.getByRole('button', { name: 'Save: 1 hits and 1 alerts' });
  await expect(save).toBeEnabled();
  await expectAccessible(page);
  await save.click();
  await expect(page.getByRole('heading', { name: 'A rule of ours' })).toBeVisible();
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByLabel('Rule in Sigma').fill(OWN('ours-1', 'A rule of theirs'));
  await page.getByRole('button', { name: 'Save without a try' }).click();
  await expect(page.getByRole('heading', { name: 'A rule of theirs' })).toBeVisible();
  await page.getByRole('button', { name: 'Switch off' }).click();
  await expect(page.getByText('switched off', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Switch on' }).click();
  await expect(page.getByRole('button', { name: 'Switch off' })).toBeVisible();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page).toHaveURL(/\/ui\/rules$/);
  const rules = await hub.ask<{ id: string }[]>('GET', 'rules');
  expect(rules.some((one) => one.id === 'ours-1')).toBe(false);
});

test('a search becomes a rule', async ({ signedIn: page, hub }) => {
  await hub.send(breakIn('web4', 'karla', '203.0.113.10'), 'web4');
  const search = 'user.name:karla NOT event.outcome:success source.ip:203.0.113.0/24 "Failed password"';
  await page.goto(`/ui/rules?${new URLSearchParams({ view: 'new', q: search })}`);
  // It loads; that it names no technique is only a weakness.
  await expect(page.getByRole('button', { name: /mistake/ })).toHaveCount(0);
  await page.getByRole('button', { name: 'Try it' }).click();
  await expect(page.getByText(/^6 hits/)).toBeVisible();
});

test('the map leads from a technique to its rules', async ({ signedIn: page }) => {
  await page.goto('/ui/rules?view=coverage');
  const column = page.getByRole('region', { name: 'Credential Access' });
  await expect(column).toBeVisible();
  await expectAccessible(page);
  await column.getByRole('link', { name: /^T1110\.003/ }).click();
  await expect(page).toHaveURL(/q=T1110\.003/);
  await expect(page.getByRole('row').nth(1)).toContainText('T1110.003');
});

test('hostile text is text, and the page fits a phone', async ({ signedIn: page, hub }) => {
  const source = OWN('hostile-1').replace('title: A rule of ours', `title: ${JSON.stringify(HOSTILE)}`);
  await hub.ask('PUT', 'rules/hostile-1/source', { source });
  await hub.send(breakIn(HOSTILE.replaceAll(' ', '_').slice(0, 30), 'walter', '203.0.113.11'), 'h');
  await page.setViewportSize({ width: 375, height: 700 });
  for (const path of ['rules?kind=own', 'rules/hostile-1', 'rules/hostile-1?view=edit', 'rules?view=coverage']) {
    await page.goto(`/ui/${path}`);
    await expect(page.getByRole('heading', { name: 'Rules' })).toBeVisible();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(wide, path).toBeLessThanOrEqual(0);
    await expect(page.locator('img')).toHaveCount(0);
  }
});
