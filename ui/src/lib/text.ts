/**
 * Text that a stranger may have written. It is never markup; what could deceive the eye (control
 * characters, marks that turn the direction of writing, invisible ones) is cut out to be shown as what it is.
 */

export interface Piece {
  text: string;
  /** The name of a character that is not shown as itself. */
  mark?: string;
}

// C0 and C1 controls, soft hyphen, zero-width characters, marks and isolates of direction, and fillers.
const DECEIVING =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udfff]/g;

/** Whether anything in it could deceive the eye; of most texts nothing does. */
export function deceives(text: string): boolean {
  return text.search(DECEIVING) >= 0;
}

/** The text in pieces, those that deceive by their code point. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(DECEIVING)) {
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    const code = match[0].codePointAt(0) ?? 0;
    const name = code === 0x0a ? '⏎' : code === 0x09 ? '⇥' : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    found.push({ text: match[0], mark: name });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

/** The same as one text, for attributes and titles. */
export function plain(text: string): string {
  return pieces(text)
    .map((piece) => piece.mark ?? piece.text)
    .join('');
}
