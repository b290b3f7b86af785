/** The keyboard: keys that pages listen to, and that `?` shows. */

import { untrack } from 'svelte';

export interface Key {
  /** As `KeyboardEvent.key` has it; two with a space between are struck one after the other: `g a`. */
  key: string;
  does: string;
  run: () => void;
}

/** How long the second of two keys is waited for, in milliseconds. */
const PATIENCE = 1_000;

class Keys {
  /** Those of the frame come first, then those of the page. */
  groups = $state.raw<{ title: string; keys: Key[] }[]>([]);
  #first = '';
  #since = 0;

  constructor() {
    window.addEventListener('keydown', (event) => this.#struck(event));
  }

  /** Listens to these keys until the returned function is called. */
  use(title: string, keys: Key[]): () => void {
    const group = { title, keys };
    // Effects call this, and must not run again for what they change here.
    this.groups = [...untrack(() => this.groups), group];
    return () => {
      this.groups = this.groups.filter((other) => other !== group);
    };
  }

  #struck(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable], dialog')) {
      return;
    }
    const pair = performance.now() - this.#since < PATIENCE ? `${this.#first} ${event.key}` : event.key;
    const all = this.groups.flatMap((group) => group.keys).reverse();
    const found = all.find((one) => one.key === pair) ?? all.find((one) => one.key === event.key);
    this.#first = event.key;
    this.#since = performance.now();
    if (found) {
      event.preventDefault();
      this.#since = 0;
      found.run();
    }
  }
}

export const keys = new Keys();
