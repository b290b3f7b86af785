import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

/** Writes `FILE.gz` beside each built file; the hub serves it to those who take it. */
function compressed(): Plugin {
  const below = (path: string): string[] =>
    statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => below(join(path, name))) : [path];
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      for (const file of below('dist')) {
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: '/ui/',
  plugins: [svelte(), compressed()],
  build: {
    target: 'es2022',
    // Everything is a file of its own: the content security policy allows neither inline scripts nor data.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    // `npm run dev` beside a hub: BERGFRIED_HUB=http://127.0.0.1:8000
    proxy: { '/api': process.env.BERGFRIED_HUB ?? 'http://127.0.0.1:8000' },
  },
});
