/** Puts a text where it can be pasted from. */

import { notices } from './notices.svelte';

export async function copy(text: string, what: string): Promise<void> {
  const done = (await byClipboard(text)) || bySelection(text);
  notices.say(done ? `${what} is copied` : `cannot copy: the browser does not let this page do it`, !done);
}

/** Browsers offer this where the page came over TLS or from this computer. */
async function byClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function bySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
