/**
 * Makes text of user code harmless to show: control characters (terminal escapes, carriage returns, line
 * separators) become visible escapes; tab and newline stay. Text over the limit is cut at a character.
 */
// oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

export function escapeText(text: string, charsMax = Infinity): string {
  return cutText(text, charsMax).replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The first `charsMax` UTF-16 units, without half a character at the end. */
export function cutText(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const last = text.charCodeAt(charsMax - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? charsMax - 1 : charsMax);
}
