/** Searches as texts: taking them apart and putting terms in. What they mean is the hub's to say. */

/** Fields that need no quotation marks around their names; with them, any name is meant exactly. */
const PLAIN = new Set([
  'destination.domain', 'destination.ip', 'destination.port', 'dns.question.name', 'event.action',
  'event.category', 'event.code', 'event.dataset', 'event.id', 'event.kind', 'event.module',
  'event.outcome', 'event.provider', 'event.severity', 'event.type', 'file.path', 'group.name',
  'host.name', 'log.file.path', 'log.level', 'log.syslog.facility.name', 'log.syslog.severity.name',
  'network.protocol', 'network.transport', 'process.command_line', 'process.executable',
  'process.name', 'process.parent.name', 'process.pid', 'service.name', 'source.domain',
  'source.ip', 'source.port', 'tags', 'user.effective.name', 'user.name', 'user.target.name',
]);

const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** The name of a field as it is typed. */
export function named(field: string): string {
  return PLAIN.has(field) ? field : quoted(field);
}

/** A value as it is typed: in quotation marks where it would mean something else without. */
export function written(value: string): string {
  const isPlain = /^[\p{L}\p{N}._@][\p{L}\p{N}._@/-]*$/u.test(value) && !/^(AND|OR|NOT)$/.test(value);
  return isPlain ? value : quoted(value);
}

/** `field:value`, or what excludes it. */
export function term(field: string, value: string, excludes = false): string {
  return `${excludes ? '-' : ''}${named(field)}:${written(value)}`;
}

const STEP = /^(top|rare|count|timechart|stats)($|[\s|])/;

/** The search, and the steps behind it with their first bar. */
export function split(text: string): { search: string; steps: string } {
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === '|' && !isQuoted) {
      const before = text[at - 1] ?? ' ';
      const after = text[at + 1] ?? ' ';
      // `||` is an OR, and a bar within a word belongs to it but right before a step that counts.
      if (before === '|' || after === '|') continue;
      if (/[\s)"]/.test(before) || /\s/.test(after) || STEP.test(text.slice(at + 1))) {
        return { search: text.slice(0, at).trim(), steps: text.slice(at) };
      }
    }
  }
  return { search: text.trim(), steps: '' };
}

/** The search with a term more, before its steps; a term that stands there already changes nothing. */
export function narrowed(text: string, more: string): string {
  const { search, steps } = split(text);
  if (search.split(/\s+/).includes(more)) return text;
  const loose = /(^|\s)(OR|\|\|)(\s|$)/.test(search.replace(/"(\\.|[^"\\])*"/g, '""'));
  const whole = loose ? `(${search})` : search === '*' ? '' : search;
  return [whole, more, steps].filter((part) => part !== '').join(' ');
}
