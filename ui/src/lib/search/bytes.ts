/** Places in a text: the hub counts bytes of UTF-8, browsers count units of UTF-16. */

const encoder = new TextEncoder();

/** The byte at which the unit stands. */
export function toByte(text: string, unit: number): number {
  return encoder.encode(text.slice(0, unit)).length;
}

/** The unit at which the byte stands. */
export function toUnit(text: string, byte: number): number {
  let bytes = 0;
  let unit = 0;
  for (const character of text) {
    if (bytes >= byte) break;
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    unit += character.length;
  }
  return unit;
}
