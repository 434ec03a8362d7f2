/**
 * One line of a .gitignore, read and matched as git does. Pure. Names are bytes: text here has one
 * character for each byte, so `?` and a class stand for one byte. A line may come from somebody whose
 * files are backed up by root, so no line takes long to match: no regular expressions.
 */

const FOREVER = "**";
type Fits = (char: string) => boolean;
/** A character, or any number of them. */
type Token = Fits | "*";
/** One name of a path, or any number of names. */
type Segment = readonly Token[] | typeof FOREVER;

export interface IgnorePattern {
  /** It takes back what an earlier pattern left out. */
  readonly isNegated: boolean;
  readonly isFolderOnly: boolean;
  /** It has a slash: it is matched against the whole path, else against the last name alone. */
  readonly isAnchored: boolean;
  readonly segments: readonly Segment[];
}

/** The patterns of a file, in its order. Comments and empty lines are none. */
export function parseIgnoreFile(bytes: Uint8Array): IgnorePattern[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const lines = text.replace(/^\u00ef\u00bb\u00bf/, "").split("\n"); // Without a byte order mark.
  return lines.flatMap((line) => parseIgnoreLine(line.replace(/\r$/, "")) ?? []);
}

/** undefined for what matches nothing: a comment, an empty or a malformed line. */
export function parseIgnoreLine(line: string): IgnorePattern | undefined {
  if (line.startsWith("#")) return undefined;
  const trimmed = withoutTrailingSpaces(line);
  const isNegated = trimmed.startsWith("!");
  const body = isNegated ? trimmed.slice(1) : trimmed;
  const isFolderOnly = body.endsWith("/");
  const pattern = isFolderOnly ? body.slice(0, -1) : body;
  const isAnchored = pattern.includes("/");
  const segments = segmentsOf(pattern.startsWith("/") ? pattern.slice(1) : pattern, isAnchored);
  return segments === undefined ? undefined : { isNegated, isFolderOnly, isAnchored, segments };
}

/** Whether a pattern matches a path, given by its names from the pattern's folder down. */
export function matchesPattern(pattern: IgnorePattern, names: readonly string[], isFolder: boolean): boolean {
  if (pattern.isFolderOnly && !isFolder) return false;
  const compared = pattern.isAnchored ? names : names.slice(-1);
  return sequenceFits(pattern.segments, compared, FOREVER, (segment, name) =>
    sequenceFits(segment as readonly Token[], name, "*", (token, char) => (token as Fits)(char)),
  );
}

/** Whether a sequence fits a pattern in which `star` stands for any number of elements: the last star alone is ever moved. */
function sequenceFits<P, T>(
  pattern: readonly P[],
  text: ArrayLike<T>,
  star: P,
  fits: (element: P, item: T) => boolean,
): boolean {
  let [at, in_, starAt, resumeAt] = [0, 0, -1, 0];
  while (in_ < text.length) {
    const element = pattern[at];
    if (element === star) {
      starAt = at;
      resumeAt = in_;
      at += 1;
    } else if (at < pattern.length && fits(element as P, text[in_] as T)) {
      at += 1;
      in_ += 1;
    } else if (starAt >= 0) {
      resumeAt += 1;
      in_ = resumeAt;
      at = starAt + 1;
    } else return false;
  }
  while (pattern[at] === star) at += 1;
  return at === pattern.length;
}

function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === "\\") at += 1;
    else if (line[at] === " ") continue;
    end = Math.min(at + 1, line.length);
  }
  return line.slice(0, end);
}

const ANYTHING: Fits = () => true;

function segmentsOf(pattern: string, isAnchored: boolean): Segment[] | undefined {
  const segments: Segment[] = [];
  const tokens = new TokenReader(pattern);
  for (;;) {
    const segment = tokens.segment();
    if (segment === undefined) return undefined;
    const isLast = tokens.isAtEnd;
    const isForever = isAnchored && segment.length >= 2 && segment.every((token) => token === "*");
    if (isForever && isLast) segments.push(["*"]); // "a/**" is all in a, not a.
    segments.push(isForever ? FOREVER : segment);
    if (isLast) return segments;
    tokens.skipSlash();
  }
}

/** Reads a pattern's tokens; what git would never match is undefined. */
class TokenReader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#pattern.length;
  }

  skipSlash(): void {
    this.#at += this.#slashLength();
  }

  /** A slash may be escaped, outside of a class; it is one all the same. */
  #slashLength(): number {
    if (this.#pattern[this.#at] === "/") return 1;
    return this.#pattern.startsWith("\\/", this.#at) ? 2 : 0;
  }

  /** Up to the next slash. */
  segment(): Token[] | undefined {
    const tokens: Token[] = [];
    while (!this.isAtEnd && this.#slashLength() === 0) {
      const token = this.#token();
      if (token === undefined) return undefined;
      tokens.push(token);
    }
    return tokens;
  }

  #token(): Token | undefined {
    const char = this.#pattern[this.#at++];
    if (char === "*") return "*";
    if (char === "?") return ANYTHING;
    if (char === "[") return this.#class();
    const literal = char === "\\" ? this.#pattern[this.#at++] : char;
    return literal === undefined ? undefined : (other) => other === literal;
  }

  /** After the bracket: a set of bytes, of ranges and of named classes. A first `]` is one of them. */
  #class(): Fits | undefined {
    const isNegated = "!^".includes(this.#pattern[this.#at] || "-");
    if (isNegated) this.#at += 1;
    const parts: Fits[] = [];
    let before: string | undefined;
    for (let isFirst = true; isFirst || this.#pattern[this.#at] !== "]"; isFirst = false) {
      const part = this.#classPart(before);
      if (part === undefined) return undefined;
      parts.push(part.fits);
      before = part.char;
    }
    this.#at += 1;
    return (char) => parts.some((fits) => fits(char)) !== isNegated;
  }

  /** `char` is what a range may begin with. */
  #classPart(before: string | undefined): { fits: Fits; char?: string } | undefined {
    const char = this.#pattern[this.#at];
    const next = this.#pattern[this.#at + 1];
    if (char === "-" && before !== undefined && next !== undefined && next !== "]") {
      this.#at += 1;
      const last = this.#classChar();
      return last === undefined ? undefined : { fits: (other) => other >= before && other <= last };
    }
    if (char === "[" && next === ":") {
      const named = this.#namedClass();
      if (named !== "literal") return named;
    }
    const literal = this.#classChar();
    return literal === undefined ? undefined : { fits: (other) => other === literal, char: literal };
  }

  #classChar(): string | undefined {
    if (this.#pattern[this.#at] === "\\") this.#at += 1;
    return this.#pattern[this.#at++];
  }

  /** `[:name:]`; "literal" when the bracket is meant as such. */
  #namedClass(): { fits: Fits } | "literal" | undefined {
    const start = this.#at + 2;
    const end = this.#pattern.indexOf("]", start);
    if (end < 0) return undefined;
    if (end === start || this.#pattern[end - 1] !== ":") return "literal";
    const expression = CLASSES[this.#pattern.slice(start, end - 1)];
    if (expression === undefined) return undefined;
    this.#at = end + 1;
    return { fits: (char) => expression.test(char) };
  }
}

/** ASCII, as git has them. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is meant.
  cntrl: /[\u0000-\u001f\u007f]/,
  digit: /\d/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\r]/, // Not \v and \f: git has its own idea.
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};
