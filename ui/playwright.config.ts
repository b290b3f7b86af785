import { defineConfig } from '@playwright/test';

/** What Chromium needs in containers, and what keeps it from asking anything of the outside. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  testDir: 'tests',
  workers: 2,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  // As .config/nextest.toml says of tests that run whole programs.
  retries: process.env.CI ? 2 : 0,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    viewport: { width: 1400, height: 900 },
    launchOptions: { executablePath: process.env.BERGFRIED_CHROMIUM ?? '/usr/bin/chromium', args },
    screenshot: 'only-on-failure',
  },
});
