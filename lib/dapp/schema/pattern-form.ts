/**
 * Reads a pattern of the regular subset of JavaScript's expressions: no looking around, no reference back,
 * no Unicode classes. Pure.
 */
import { GdoError } from "../../base/index.ts";

const REPEAT_MAX = 256;
const PATTERN_CHARS_MAX = 1024;

export type Test = (code: number) => boolean;

export type Node =
  | { readonly kind: "take"; readonly test: Test }
  | { readonly kind: "start" | "end" | "empty" }
  | { readonly kind: "chain" | "choice"; readonly items: readonly Node[] }
  | { readonly kind: "repeat"; readonly item: Node; readonly min: number; readonly max: number };

export function refuse(why: string): GdoError {
  return new GdoError("DAPP_MANIFEST", `a pattern ${why}`);
}

const isDigit: Test = (code) => code >= 0x30 && code <= 0x39;
const isWord: Test = (code) =>
  isDigit(code) || code === 0x5f || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
const isSpace: Test = (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d);
const isLineEnd: Test = (code) => code === 0x0a || code === 0x0d || code === 0x2028 || code === 0x2029;

function not(test: Test): Test {
  return (code) => !test(code);
}

/** ASCII only, unlike JavaScript's \s: what stands in the schema is what counts. */
const CLASSES: Readonly<Record<string, Test>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
};
const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b };

/** Recursive descent over the code points of a pattern. */
class Parser {
  readonly #codes: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#codes = [...pattern];
  }

  whole(): Node {
    const node = this.#choice();
    if (this.#at < this.#codes.length) throw refuse("closes a group that it did not open");
    return node;
  }

  #take(text: string): boolean {
    if (this.#codes[this.#at] !== text) return false;
    this.#at += 1;
    return true;
  }

  #choice(): Node {
    const items = [this.#chain()];
    while (this.#take("|")) items.push(this.#chain());
    return items.length === 1 ? (items[0] as Node) : { kind: "choice", items };
  }

  #chain(): Node {
    const items: Node[] = [];
    for (let next = this.#codes[this.#at]; next !== undefined && next !== "|" && next !== ")"; ) {
      items.push(this.#repeated());
      next = this.#codes[this.#at];
    }
    return items.length === 0 ? { kind: "empty" } : { kind: "chain", items };
  }

  #repeated(): Node {
    const item = this.#atom();
    const bounds = this.#bounds();
    if (bounds === undefined) return item;
    if (item.kind === "start" || item.kind === "end") throw refuse("repeats ^ or $");
    this.#take("?"); // Lazy or not, the same texts match.
    if (this.#bounds() !== undefined) throw refuse("repeats a repetition");
    return { kind: "repeat", item, min: bounds[0], max: bounds[1] };
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#take("*")) return [0, Infinity];
    if (this.#take("+")) return [1, Infinity];
    if (this.#take("?")) return [0, 1];
    if (this.#codes[this.#at] !== "{") return undefined;
    const found = /^\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}/.exec(this.#codes.slice(this.#at, this.#at + 9).join(""));
    if (found === null) throw refuse("has a { that begins no {n}, {n,} or {n,m}");
    this.#at += found[0].length;
    const min = Number(found[1]);
    const open = found[2] === undefined ? min : Infinity;
    const max = found[3] === undefined ? open : Number(found[3]);
    if (min > REPEAT_MAX || (max !== Infinity && max > REPEAT_MAX))
      throw refuse(`repeats more than ${REPEAT_MAX} times`);
    if (max < min) throw refuse("repeats at most less often than at least");
    return [min, max];
  }

  #atom(): Node {
    const code = this.#codes[this.#at++] ?? "";
    switch (code) {
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case ".":
        return { kind: "take", test: not(isLineEnd) };
      case "[":
        return { kind: "take", test: this.#set() };
      case "(":
        return this.#group();
      case "\\":
        return { kind: "take", test: this.#escape() };
      case "*":
      case "+":
      case "?":
      case "{":
        throw refuse(`has ${code} with nothing before it`);
      default:
        return { kind: "take", test: only(code) };
    }
  }

  #group(): Node {
    if (this.#take("?") && !this.#take(":")) throw refuse("looks around or names a group, which is not supported");
    const node = this.#choice();
    if (!this.#take(")")) throw refuse("has a group that does not end");
    return node;
  }

  #escape(): Test {
    const code = this.#codes[this.#at++];
    if (code === undefined) throw refuse("ends with \\");
    const found = Object.hasOwn(CLASSES, code) ? CLASSES[code] : undefined;
    return found ?? only(this.#escaped(code));
  }

  #escaped(code: string): string {
    const control = Object.hasOwn(ESCAPES, code) ? ESCAPES[code] : undefined;
    if (control !== undefined) return String.fromCodePoint(control);
    if (/[A-Za-z0-9]/.test(code)) throw refuse(`has \\${code}, which is not supported`);
    return code;
  }

  #set(): Test {
    const isNot = this.#take("^");
    const tests: Test[] = [];
    while (!this.#take("]")) tests.push(this.#setItem());
    const isIn: Test = (code) => tests.some((test) => test(code));
    return isNot ? not(isIn) : isIn;
  }

  #setItem(): Test {
    const first = this.#setCode();
    const isRange = this.#codes[this.#at] === "-" && this.#codes[this.#at + 1] !== "]";
    if (typeof first !== "string" || !isRange) return typeof first === "string" ? only(first) : first;
    this.#at += 1;
    const last = this.#setCode();
    if (typeof last !== "string") throw refuse("has a range that ends in a class");
    const [low, high] = [first.codePointAt(0) ?? 0, last.codePointAt(0) ?? 0];
    if (high < low) throw refuse(`has the range ${first}-${last}, which is empty`);
    return (code) => code >= low && code <= high;
  }

  #setCode(): string | Test {
    const code = this.#codes[this.#at++];
    if (code === undefined) throw refuse("has a [ that does not end");
    if (code !== "\\") return code;
    const next = this.#codes[this.#at++] ?? "";
    return (Object.hasOwn(CLASSES, next) ? CLASSES[next] : undefined) ?? this.#escaped(next);
  }
}

function only(text: string): Test {
  const wanted = text.codePointAt(0);
  return (code) => code === wanted;
}

/** DAPP_MANIFEST for a pattern that is not in the subset. */
export function parsePattern(pattern: string): Node {
  if (pattern.length > PATTERN_CHARS_MAX) throw refuse(`is longer than ${PATTERN_CHARS_MAX} characters`);
  return new Parser(pattern).whole();
}
