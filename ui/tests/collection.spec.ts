/** The page Collection: inputs, chains with their patterns, and outputs, as the hub counts them. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ADMIN, expect, expectAccessible, Hub, line, signIn, test } from './support/hub';

interface Inputs {
  inputs: { listeners: { address: string }[]; counters: Record<string, number> }[];
}

test('inputs, chains and outputs are counted', async ({ page }) => {
  const files = mkdtempSync(join(tmpdir(), 'bergfried-collection-'));
  const config = join(files, 'hub.toml');
  writeFileSync(
    config,
    `[[input]]\nname = 'home'\ntype = 'syslog'\ntcp = '127.0.0.1:0'\nmax_connections_per_address = 1\n
[[chain]]\nname = 'doors'\n
[[chain.step]]\ngrok = { field = 'message', patterns = ['^door %{INT:door} <b>$'] }\n
[[output]]\nname = 'kept'\ntype = 'file'\nfrom = 'beginning'\npath = '${files}/%{host.name}.log'\nformat = 'raw'\n`,
  );
  const hub = await Hub.start(['--config', config]);
  const senders: Socket[] = [];
  try {
    await hub.ask('POST', 'setup', ADMIN);
    await hub.send([line(3, 'web app: door 7 <b>'), line(2, 'web app: other')]);
    const inputs = () => hub.ask<Inputs>('GET', 'inputs');
    const port = Number((await inputs()).inputs[0]?.listeners[0]?.address.split(':').pop());
    // The second and the third find the first still there.
    for (let at = 0; at < 3; at += 1) senders.push(connect(port, '127.0.0.1').on('error', () => undefined));
    await expect.poll(async () => (await inputs()).inputs[0]?.counters.refused_of_address).toBe(2);

    await page.goto(`${hub.url}/ui/collection`);
    await signIn(page, ADMIN.name, ADMIN.password);
    const home = page.getByRole('row').filter({ hasText: 'home' });
    await expect(home).toContainText('tcp 127.0.0.1:');
    await expect(home).toContainText('2 (2 for their address)');
    const pattern = page.getByRole('row').filter({ hasText: '^door %{INT:door} <b>$' });
    await expect(pattern.getByRole('cell').nth(3)).toHaveText('2');
    await expect(pattern.getByRole('cell').nth(4)).toHaveText('1');
    const kept = page.getByRole('row').filter({ hasText: 'kept' });
    await expect(kept.getByRole('cell').nth(2)).toHaveText('ok');
    await expect(kept.getByRole('cell').nth(3)).toHaveText('2');
    await expectAccessible(page);
    await page.setViewportSize({ width: 375, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  } finally {
    senders.forEach((sender) => sender.destroy());
    await hub.stop();
    rmSync(files, { recursive: true, force: true });
  }
});
