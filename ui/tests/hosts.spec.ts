import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, expectAccessible, HOSTILE, line, signIn, test } from './support/hub';

test.use({ hubOf: 'hosts' });

test('a host is connected with one line, seen, and cut off', async ({ signedIn: page, hub }) => {
  const root = mkdtempSync(join(tmpdir(), 'bergfried-root-'));
  let agent: ReturnType<typeof spawn> | undefined;
  try {
    await page.goto('/ui/hosts');
    await page.getByRole('button', { name: 'Connect a host' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Host').fill('throwaway');
    await dialog.getByRole('button', { name: 'Make its install command' }).click();
    const command = await dialog.getByLabel('Install command', { exact: true }).inputValue();
    const secret = /BERGFRIED_TOKEN=(\S+)/.exec(command)?.[1] ?? '';
    expect(command).toBe(`curl -fsSL ${hub.url}/install.sh | sudo BERGFRIED_TOKEN=${secret} sh`);
    await expectAccessible(page);

    // The line as it is, but below another root, where nothing is started.
    const environment = { ...process.env, BERGFRIED_ROOT: root, BERGFRIED_NAME: 'throwaway' };
    const said = execFileSync('sh', ['-c', command.replace('sudo BERGFRIED_TOKEN', 'env BERGFRIED_TOKEN')], { env: environment });
    expect(said.toString()).toContain(`installed below ${root}`);
    expect(statSync(join(root, 'etc/bergfried/token')).mode & 0o777).toBe(0o600);
    const unit = execFileSync('cat', [join(root, 'etc/systemd/system/bergfried-agent.service')]).toString();
    expect(unit).toContain(
      `ExecStart=/usr/local/bin/bergfried agent --hub ${hub.url} --token-file %d/token --name throwaway --state-dir`,
    );

    const log = join(root, 'auth.log');
    writeFileSync(log, '');
    const config = join(root, 'agent.toml');
    const quiet = ['firewall', 'tamper', 'pihole'].map((name) => `[${name}]\nenabled = false\n`).join('');
    writeFileSync(config, `files = ["${log}"]\n${quiet}`);
    const words = ['agent', '--hub', hub.url, '--token-file', join(root, 'etc/bergfried/token')];
    words.push('--state-dir', join(root, 'state'), '--journald', 'off', '--config', config, '--name', 'throwaway');
    agent = spawn(join(root, 'usr/local/bin/bergfried'), words, { stdio: 'ignore' });
    appendFileSync(log, `${line(1, 'throwaway sshd[1]: Server listening on 0.0.0.0 port 22.')}\n`);
    await page.keyboard.press('Escape');
    const row = page.getByRole('row', { name: /online throwaway/ });
    await expect(row).toContainText('bergfried');
    await row.getByRole('link', { name: 'throwaway' }).click();
    await expect(page).toHaveTitle('throwaway · Hosts · Bergfried');
    // An agent says two seconds after its start how the host is, and what there is to collect.
    await expect(page.getByText('Waits in its spool')).toBeVisible();
    const journal = page.getByRole('listitem').filter({ hasText: 'journald is off in the configuration' });
    await expect(journal).toContainText('journald = "auto"');
    await expectAccessible(page);

    await page.getByRole('button', { name: 'Revoke the token of throwaway' }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await expect(page.getByText('No token has this host’s name.')).toBeVisible();
    const refused = await fetch(`${hub.url}/install/bergfried`, { headers: { authorization: `Bearer ${secret}` } });
    expect(refused.status).toBe(401);
  } finally {
    agent?.kill('SIGTERM');
    await new Promise((done) => (agent && agent.exitCode === null ? agent.once('exit', done) : done(undefined)));
    rmSync(root, { recursive: true, force: true });
  }
});

test('the script takes no name of a host that it could run', async ({ hub }) => {
  const script = await (await fetch(`${hub.url}/install.sh`)).text();
  expect(script).toContain(`url='${hub.url}'`);
  const answer = execFileSync('curl', ['-s', '-H', "Host: a'$(id)'", `${hub.url}/install.sh`]).toString();
  expect(answer).toContain('no name of a host');
});

test('a token is rotated, and shown once', async ({ signedIn: page, hub }) => {
  const made = await hub.ask<{ secret: string }>('POST', 'tokens', { kind: 'agent', name: 'turn' });
  await page.goto('/ui/hosts');
  await hub.send([line(1, 'turn cron[1]: started')], 'turn');
  await page.getByRole('button', { name: 'Rotate the token of turn' }).click();
  const secret = await page.getByRole('dialog').getByLabel('Token', { exact: true }).inputValue();
  expect(secret).not.toBe(made.secret);
  const status = async (token: string) =>
    (await fetch(`${hub.url}/api/v1/raw?host=turn`, { method: 'POST', body: 'x', headers: { authorization: `Bearer ${token}` } })).status;
  expect(await status(made.secret)).toBe(401);
  expect(await status(secret)).toBe(200);
  await page.keyboard.press('Escape');
  await expect(page.getByText(secret)).toHaveCount(0);
});

test('names of hosts are text; filter, order and keys work', async ({ signedIn: page, hub }) => {
  await hub.send([line(1, 'cron[1]: x')], HOSTILE);
  await hub.send([line(1, 'cron[1]: x')], 'alpha');
  await page.goto('/ui/hosts');
  await expect(page.getByRole('link', { name: /<img src=x onerror=window.owned=1>/ })).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('alp');
  await expect(page).toHaveURL(/q=alp/);
  await expect(page.getByRole('link', { name: /<img/ })).toHaveCount(0);
  await page.getByRole('heading', { name: 'Hosts', exact: true }).click();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/ui\/hosts\/alpha$/);
  await expect(page.getByText('never said how it is')).toBeVisible();
  await page.goto('/ui/hosts');
  await page.getByRole('button', { name: 'Connect a host' }).waitFor();
  await page.setViewportSize({ width: 375, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  await expectAccessible(page);
});

test('a viewer sees the hosts and the first steps, and cannot do', async ({ page, hub }) => {
  await hub.ask('POST', 'users', { name: 'vera', password: 'only looking here', role: 'viewer' });
  await hub.send([line(1, 'cron[1]: x')], 'seen');
  await page.goto('/ui/hosts');
  await signIn(page, 'vera', 'only looking here');
  const offers = /^(Connect|Make its|Rotate|Revoke|Forget|Send a test)/;
  const main = page.locator('main');
  await page.getByRole('link', { name: 'seen', exact: true }).click();
  await expect(page.getByText('never said how it is')).toBeVisible();
  await expect(main.getByRole('button', { name: offers })).toHaveCount(0);
  await page.goto('/ui/hosts');
  await expect(page.getByRole('link', { name: 'seen', exact: true })).toBeVisible();
  await page.keyboard.press('e');
  await expect(main.getByRole('button', { name: offers })).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Tokens of agents' })).toHaveCount(0);
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.goto('/ui/welcome?step=host');
  await expect(page.getByText('Ask an administrator for an install command.')).toBeVisible();
  await expect(main.getByRole('button', { name: offers })).toHaveCount(0);
  await expectAccessible(page);
  await page.goto('/ui/welcome?step=notify');
  await expect(page.getByText('No channel is configured')).toBeVisible();
  await expect(main.getByRole('button', { name: offers })).toHaveCount(0);
  const { csrf } = await page.evaluate(async () => (await fetch('/api/v1/session')).json());
  for (const [method, path] of [['DELETE', 'hosts/seen'], ['POST', 'tokens'], ['POST', 'notify/none/test']] as const) {
    const status = await page.evaluate(
      async ([method, path, csrf]) => {
        const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf };
        return (await fetch(`/api/v1/${path}`, { method, headers, body: '{}' })).status;
      },
      [method, path, csrf] as const,
    );
    expect(status, path).toBe(403);
  }
});
