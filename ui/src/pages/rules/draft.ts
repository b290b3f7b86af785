/** Texts of new rules. */

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;

const HEAD = (title: string) => `title: ${title}
id: ${newId()}
status: experimental
description: What it means, and what to do about it
author: ${quote('')}
date: ${new Date().toISOString().slice(0, 10)}
tags: []
`;

/** A random UUID; pages without TLS have no `crypto.randomUUID`. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** A rule to begin with. */
export function blank(): string {
  return `${HEAD('New rule')}logsource:
    product: linux
    service: sshd
detection:
    selection:
        event.action: ssh_login
        event.outcome: success
        user.name: root
    condition: selection
falsepositives:
    - Unknown
level: medium
`;
}

/** The same rule under another id, to be changed without touching the first. */
export function copy(source: string): string {
  const own = source.replace(/^id:.*$/m, `id: ${newId()}`).replace(/^title:\s*(.*)$/m, 'title: $1 (copy)');
  return own.replace(/^name:.*\n/m, '');
}

/** The id of the first rule of a text. */
export function idOf(source: string): string {
  const found = /^id:\s*['"]?([^'"#\n]*?)['"]?\s*(?:#.*)?$/m.exec(source);
  return found?.[1]?.trim() ?? '';
}

/**
 * A rule of a search that is a row of terms, such as `user:root NOT source.ip:10.0.0.0/8 "some words"`;
 * `undefined` where it is more than that.
 */
export function ofSearch(search: string): string | undefined {
  const terms = search.match(/(?:[^\s"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  const wanted: string[] = [];
  const unwanted: string[] = [];
  let words: string[] = [];
  let isNot = false;
  for (const term of terms) {
    if (term === 'AND') continue;
    if (term === 'NOT') {
      isNot = !isNot;
      continue;
    }
    if (term === 'OR' || /[()<>|]/.test(term.replace(/"(?:[^"\\]|\\.)*"/g, ''))) return undefined;
    const refused = isNot !== term.startsWith('-');
    const bare = term.replace(/^-/, '');
    const pair = /^([\w.@-]+):(.+)$/.exec(bare);
    const plain = (text: string) => (text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text);
    if (pair) {
      const [, field = '', value = ''] = pair;
      const item = isNetwork(value) ? `${field}|cidr: ${quote(value)}` : `${field}: ${quote(plain(value))}`;
      (refused ? unwanted : wanted).push(item);
    } else if (refused) {
      return undefined;
    } else {
      words = [...words, plain(bare)];
    }
    isNot = false;
  }
  if (isNot || wanted.length + words.length === 0) return undefined;
  const blocks: string[] = [];
  const names: string[] = [];
  const add = (name: string, lines: string[]) => blocks.push(`    ${name}:\n${lines.map((line) => `        ${line}\n`).join('')}`);
  if (wanted.length) {
    add('selection', wanted);
    names.push('selection');
  }
  for (const [at, word] of words.entries()) {
    add(`word_${at + 1}`, [`- ${quote(word)}`]);
    names.push(`word_${at + 1}`);
  }
  for (const [at, item] of unwanted.entries()) {
    add(`filter_${at + 1}`, [item]);
    names.push(`not filter_${at + 1}`);
  }
  const body = `logsource: {}\ndetection:\n${blocks.join('')}    condition: ${names.join(' and ')}\n`;
  return `${HEAD(quote(`Search: ${search}`.slice(0, 120)))}${body}falsepositives:\n    - Unknown\nlevel: medium\n`;
}

function isNetwork(value: string): boolean {
  return /^[\d.]+\/\d+$/.test(value) || /^[\da-fA-F:]+\/\d+$/.test(value);
}
