/**
 * Where the elements of a JSON array stand, and which keys they state: what JSON.parse does not tell.
 * For text that JSON.parse took, so nothing is checked again here. Pure.
 */

export interface JsonElement {
  /** Physical line at which the element starts, from 1. */
  readonly line: number;
  /** The element's own keys in order, repeats included; empty unless it is an object. */
  readonly keys: readonly string[];
}

const SPACE = /[ \t\r\n]/;
const WORD = /[-+.0-9A-Za-z]/;

/** Throws nothing on valid JSON whose top is an array. */
export function scanArray(text: string): JsonElement[] {
  const elements: { line: number; keys: string[] }[] = [];
  let depth = 0;
  let before = ""; // The last token's first character.
  for (const { line, token, at } of tokens(text)) {
    if (depth === 1 && token !== "]" && token !== ",") elements.push({ line, keys: [] });
    if (token === '"' && depth === 2 && isKey(text, at, before)) {
      elements.at(-1)?.keys.push(JSON.parse(text.slice(at, stringEnd(text, at))) as string);
    }
    if (token === "[" || token === "{") depth += 1;
    if (token === "]" || token === "}") depth -= 1;
    before = token;
  }
  return elements;
}

interface Token {
  readonly at: number;
  readonly line: number;
  /** Its first character; a number, true, false or null is one token. */
  readonly token: string;
}

function* tokens(text: string): Generator<Token> {
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const token = text[at] as string;
    if (token === "\n") line += 1;
    if (!SPACE.test(token)) yield { at, line, token };
    at = tokenEnd(text, at);
  }
}

function tokenEnd(text: string, start: number): number {
  if (text[start] === '"') return stringEnd(text, start);
  let at = start + 1;
  if (WORD.test(text[start] as string)) while (at < text.length && WORD.test(text[at] as string)) at += 1;
  return at;
}

/** Inside an object: after its brace, or after a comma and before a colon. In an array no colon follows. */
function isKey(text: string, at: number, before: string): boolean {
  return (before === "{" || before === ",") && text[skipSpace(text, stringEnd(text, at))] === ":";
}

/** Past the closing quote of the string that opens at `start`. JSON strings hold no raw newline. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && SPACE.test(text[at] as string)) at += 1;
  return at;
}
