/**
 * A key whose plain byte order is the order people expect: case-blind, folder by folder, and numbers
 * by value ("img2" before "img10"). Each run of digits becomes its length, three digits, and the
 * digits without leading zeros. Equal keys (img1, IMG01) are told apart by the path itself.
 */
export function naturalKey(path: string): string {
  return fold(path)
    .replaceAll('/', '\u0001')
    .replace(/[0-9]+/g, (digits) => {
      const value = digits.replace(/^0+(?=.)/, '');
      return String(Math.min(999, value.length)).padStart(3, '0') + value;
    });
}

/** The form in which names are searched: lower case, composed. */
export function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
