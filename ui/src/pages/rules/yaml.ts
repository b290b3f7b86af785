/** Pieces of YAML by what they are, for colours alone: nothing is read by it. */

export interface Piece {
  kind: 'key' | 'text' | 'word' | 'comment' | 'mark' | '';
  text: string;
}

const KEY = /^(\s*(?:- )*)([\w.|*%$@'" -]+?)(:)(?=\s|$)/;
const WORD = /^(?:true|false|null|~|-?\d[\d._]*[smhdwMy]?)$/;

/** The pieces of one line; of a folded text only its indentation tells it, so it is left plain. */
export function pieces(line: string): Piece[] {
  if (/^\s*#/.test(line)) return [{ kind: 'comment', text: line }];
  if (/^(?:---|\.\.\.)\s*$/.test(line)) return [{ kind: 'mark', text: line }];
  const found: Piece[] = [];
  let rest = line;
  const key = KEY.exec(line);
  if (key) {
    const [whole, lead = '', name = '', colon = ''] = key;
    found.push({ kind: 'mark', text: lead }, { kind: 'key', text: name }, { kind: 'mark', text: colon });
    rest = line.slice(whole.length);
  } else {
    const [lead = ''] = /^\s*(?:- )*/.exec(line) ?? [];
    found.push({ kind: 'mark', text: lead });
    rest = line.slice(lead.length);
  }
  const comment = /\s#.*$/.exec(rest);
  const value = comment && !/['"]/.test(rest) ? rest.slice(0, comment.index) : rest;
  const trimmed = value.trim();
  const kind = WORD.test(trimmed) ? 'word' : /^['"[{]/.test(trimmed) ? 'text' : '';
  found.push({ kind, text: value });
  if (value.length < rest.length) found.push({ kind: 'comment', text: rest.slice(value.length) });
  return found.filter((piece) => piece.text !== '');
}
