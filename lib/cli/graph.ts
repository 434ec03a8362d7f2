/**
 * Lanes for `gdo log --graph`: rows come newest first, each after its children, and each row's lane
 * runs on to its parents. Holds only the open lanes, so that any number of rows can stream through.
 *
 *     M      a merge, joining two logs
 *     |\
 *     * |    an entry of one log
 *     | *    an entry of the other
 */

export interface GraphNode {
  readonly id: string;
  /** The lane goes on with the first; the others open or join lanes beside it. */
  readonly parents: readonly string[];
  readonly mark: string;
}

export interface GraphRow {
  /** The lanes with this node's mark in its own, to stand before the text. */
  readonly node: string;
  /** What joins or parts below the node; empty when all lanes run straight. */
  readonly below: readonly string[];
}

export class Lanes {
  /** The id that each lane leads to, from left to right. */
  #lanes: string[] = [];

  take({ id, parents, mark }: GraphNode): GraphRow {
    if (!this.#lanes.includes(id)) this.#lanes.push(id); // A head: nothing seen so far names it.
    const at = this.#lanes.indexOf(id);
    const node = this.#lanes.map((_, lane) => (lane === at ? mark : "|")).join(" ");
    const before = this.#lanes;
    this.#lanes = nextLanes(before, id, parents);
    return { node, below: joints(before, this.#lanes, { id, at, parents }) };
  }
}

/** The node's lane becomes its first parent's, the other parents' follow it; each id keeps one lane. */
function nextLanes(lanes: readonly string[], id: string, parents: readonly string[]): string[] {
  const next: string[] = [];
  const push = (lane: string): void => {
    if (!next.includes(lane)) next.push(lane);
  };
  const elsewhere = new Set(lanes.filter((lane) => lane !== id));
  for (const lane of lanes) {
    if (lane !== id) push(lane);
    else for (const parent of parents) if (!elsewhere.has(parent)) push(parent);
  }
  return next;
}

interface Turn {
  readonly id: string;
  readonly at: number;
  readonly parents: readonly string[];
}

/**
 * One line that shows where lanes go between two rows: `|` straight on, `\` to the right, `/` to
 * the left, `_` across. Nothing when every lane keeps its place.
 */
function joints(before: readonly string[], after: readonly string[], { id, at, parents }: Turn): string[] {
  const moves: { from: number; to: number }[] = [];
  for (const [from, lane] of before.entries()) if (lane !== id) moves.push({ from, to: after.indexOf(lane) });
  for (const parent of parents) moves.push({ from: at, to: after.indexOf(parent) });
  if (moves.every(({ from, to }) => from === to) && before.length === after.length) return [];
  const line = new Array<string>(2 * Math.max(before.length, after.length)).fill(" ");
  for (const { from, to } of moves) if (from === to) line[2 * from] = "|";
  for (const move of moves) if (move.from !== move.to) draw(line, move);
  const text = line.join("").trimEnd();
  return text === "" ? [] : [text]; // The last lane ended.
}

function draw(line: string[], { from, to }: { from: number; to: number }): void {
  const isRight = to > from;
  const [left, right] = isRight ? [2 * from + 1, 2 * to - 1] : [2 * to + 1, 2 * from - 1];
  for (let column = left; column <= right; column += 1) if (line[column] === " ") line[column] = "_";
  line[isRight ? right : left] = isRight ? "\\" : "/";
}
