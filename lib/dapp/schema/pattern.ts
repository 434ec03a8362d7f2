/**
 * `pattern` of a dapp's schemas: the regular subset of JavaScript's expressions, matched in time
 * proportional to the text. A dapp is content from elsewhere and its schemas are checked outside its
 * container, where an expression that backtracks could hold up the node; and every node must find the
 * same, whatever Unicode tables its Node.js has. Method: Thompson, "Regular Expression Search
 * Algorithm", CACM 11(6), 1968. Pure.
 */
import { type Node, parsePattern, refuse, type Test } from "./pattern-form.ts";

/** Bounds the work for one character. */
const STATES_MAX = 1000;

/** What to do from one state on; `to` are the next ones. */
type State =
  | { readonly kind: "take"; readonly test: Test; to: number }
  | { readonly kind: "split"; to: number[] }
  | { readonly kind: "start" | "end"; to: number }
  | { readonly kind: "match" };

/** A piece of a machine: where it begins and the ends that still lead nowhere. */
interface Piece {
  readonly first: number;
  readonly ends: ((to: number) => void)[];
}

/** States of a machine, made piece by piece. */
class Machine {
  readonly states: State[] = [];

  add(state: State): number {
    if (this.states.push(state) > STATES_MAX) throw refuse(`has more than ${STATES_MAX} states`);
    return this.states.length - 1;
  }

  build(node: Node): Piece {
    switch (node.kind) {
      case "take":
        return this.#step({ kind: "take", test: node.test, to: -1 });
      case "start":
      case "end":
        return this.#step({ kind: node.kind, to: -1 });
      case "empty":
        return this.#split([]);
      case "chain":
        return node.items.map((item) => this.build(item)).reduce(joined);
      case "choice":
        return this.#split(node.items.map((item) => this.build(item)));
      case "repeat":
        return this.#repeat(node);
    }
  }

  #step(state: State & { to: number }): Piece {
    const end = (to: number): void => {
      state.to = to;
    };
    return { first: this.add(state), ends: [end] };
  }

  /** A choice of pieces; of none: straight through. */
  #split(pieces: readonly Piece[]): Piece {
    const state = { kind: "split" as const, to: pieces.map(({ first }) => first) };
    const first = this.add(state);
    if (pieces.length === 0) return { first, ends: [(to) => void state.to.push(to)] };
    return { first, ends: pieces.flatMap(({ ends }) => ends) };
  }

  #repeat({ item, min, max }: Node & { kind: "repeat" }): Piece {
    const pieces = Array.from({ length: min }, () => this.build(item));
    if (max === Infinity) pieces.push(this.#loop(item));
    else for (let more = min; more < max; more += 1) pieces.push(this.#maybe(item));
    return pieces.length === 0 ? this.#split([]) : pieces.reduce(joined);
  }

  #loop(item: Node): Piece {
    const inner = this.build(item);
    const state = { kind: "split" as const, to: [inner.first] };
    const first = this.add(state);
    for (const end of inner.ends) end(first);
    return { first, ends: [(to) => void state.to.push(to)] };
  }

  #maybe(item: Node): Piece {
    const inner = this.build(item);
    const state = { kind: "split" as const, to: [inner.first] };
    return { first: this.add(state), ends: [...inner.ends, (to) => void state.to.push(to)] };
  }
}

function joined(before: Piece, after: Piece): Piece {
  for (const end of before.ends) end(after.first);
  return { first: before.first, ends: after.ends };
}

/** Whether the pattern matches somewhere in the text. DAPP_MANIFEST for one that is not in the subset. */
export function compilePattern(pattern: string): (text: string) => boolean {
  const machine = new Machine();
  const piece = machine.build(parsePattern(pattern));
  const match = machine.add({ kind: "match" });
  for (const end of piece.ends) end(match);
  return (text) => runs(machine.states, piece.first, [...text]);
}

function runs(states: readonly State[], first: number, text: readonly string[]): boolean {
  let active: number[] = [];
  for (let at = 0; at <= text.length; at += 1) {
    const here = { isStart: at === 0, isEnd: at === text.length };
    const reached = closure(states, [...active, first], here); // It may begin anywhere.
    if (reached.some((index) => states[index]?.kind === "match")) return true;
    const code = text[at]?.codePointAt(0) ?? -1;
    active = reached.flatMap((index) => {
      const state = states[index];
      return state?.kind === "take" && state.test(code) ? [state.to] : [];
    });
  }
  return false;
}

/** All states that can be reached without taking a character. */
function closure(
  states: readonly State[],
  from: readonly number[],
  here: { isStart: boolean; isEnd: boolean },
): number[] {
  const seen = new Set<number>();
  const open = [...from];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const state = states[index];
    if (state?.kind === "split") open.push(...state.to);
    if (state?.kind === "start" && here.isStart) open.push(state.to);
    if (state?.kind === "end" && here.isEnd) open.push(state.to);
  }
  return [...seen];
}
