/**
 * Lanes for `gdo log --graph`: rows come newest first, each after its children, and each row's lane
 * runs on to its parents. Holds only the open lanes, so that any number of rows can stream through.
 *
 *     M      a merge, joining two logs
 *     |\
 *     * |    an entry of one log
 *     | *    an entry of the other
 *
 * A lane keeps its column until it ends, and its column is used again. At most so many columns are drawn:
 * edges for which there is none are folded to the right of them and counted, `+3`, and take a lane when
 * one is free again.
 */

/** Columns before edges are folded: with a page's text beside them they fit a terminal. */
export const LANES_MAX = 12;

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
  readonly #max: number;
  /** The id that each lane leads to, from left to right; undefined where a lane is free. */
  readonly #lanes: (string | undefined)[] = [];
  /** Ids to which edges lead for which there was no lane. */
  readonly #folded = new Set<string>();

  constructor(max = LANES_MAX) {
    this.#max = max;
  }

  take({ id, parents, mark }: GraphNode): GraphRow {
    this.#folded.delete(id);
    const at = this.#laneOf(id) ?? this.#open(id); // Without a lane: a head, or folded until now.
    const node = this.#nodeText(at, mark);
    const width = this.#lanes.length;
    if (at !== undefined) this.#lanes[at] = undefined;
    const straight = this.#lanes.flatMap((other, lane) => (other === undefined ? [] : [lane]));
    const drawn = at === undefined ? undefined : { at, width, straight, ...this.#leadAll(parents, at) };
    if (at === undefined) for (const parent of parents) this.#lead(parent, at);
    while (this.#lanes.length > 0 && this.#lanes.at(-1) === undefined) this.#lanes.pop();
    return { node, below: drawn === undefined ? [] : joints(drawn) };
  }

  /** Where the node's edges go; an only parent's lane comes over from the right, so that the left stays in use. */
  #leadAll(parents: readonly string[], at: number): Pick<Turn, "targets" | "closing"> {
    const [only, ...more] = parents;
    const right = only === undefined || more.length > 0 ? undefined : this.#laneOf(only);
    const closing = right !== undefined && right > at ? right : undefined;
    if (closing !== undefined) this.#lanes[closing] = undefined;
    return { targets: parents.map((parent) => this.#lead(parent, at) ?? this.#max), closing };
  }

  #laneOf(id: string): number | undefined {
    const lane = this.#lanes.indexOf(id);
    return lane < 0 ? undefined : lane;
  }

  /** The lane to a parent: the one that leads there, else the child's own if it is free, else any; undefined: folded. */
  #lead(parent: string, own: number | undefined): number | undefined {
    const known = this.#laneOf(parent);
    if (known !== undefined) return known;
    const isOwnFree = own !== undefined && this.#lanes[own] === undefined;
    if (isOwnFree) this.#lanes[own] = parent;
    const lane = isOwnFree ? own : this.#open(parent);
    if (lane === undefined) this.#folded.add(parent);
    else this.#folded.delete(parent);
    return lane;
  }

  /** The leftmost free column, if there is one. */
  #open(id: string): number | undefined {
    const free = this.#lanes.indexOf(undefined);
    const lane = free < 0 ? this.#lanes.length : free;
    if (lane >= this.#max) return undefined;
    this.#lanes[lane] = id;
    return lane;
  }

  #nodeText(at: number | undefined, mark: string): string {
    const columns = this.#lanes.map((id, lane) => {
      if (lane === at) return mark;
      return id === undefined ? " " : "|";
    });
    if (at === undefined) columns.push(mark);
    if (this.#folded.size > 0) columns.push(`+${this.#folded.size}`);
    return columns.join(" ");
  }
}

interface Turn {
  /** The node's lane, and how many there were. */
  readonly at: number;
  readonly width: number;
  /** Lanes that others run in. */
  readonly straight: readonly number[];
  /** Lanes that the node's edges go to; the greatest of all stands for the fold. */
  readonly targets: readonly number[];
  /** A lane on the right that joins the node's. */
  readonly closing: number | undefined;
}

/**
 * One line that shows where the node's edges go: `|` straight on, `\` to the right, `/` to the left, `_`
 * across. Nothing when its lane just runs on, or ends.
 */
function joints({ at, width, straight, targets, closing }: Turn): string[] {
  const bends = targets.filter((to) => to !== at);
  if (bends.length === 0 && closing === undefined) return [];
  const line = new Array<string>(2 * Math.max(width, ...bends.map((to) => to + 1))).fill(" ");
  for (const lane of straight) if (lane !== closing) line[2 * lane] = "|";
  if (targets.includes(at)) line[2 * at] = "|";
  for (const to of bends) draw(line, at, to);
  if (closing !== undefined) draw(line, closing, at);
  return [line.join("").trimEnd()];
}

function draw(line: string[], from: number, to: number): void {
  const isRight = to > from;
  const [left, right] = isRight ? [2 * from + 1, 2 * to - 1] : [2 * to + 1, 2 * from - 1];
  for (let column = left; column <= right; column += 1) if (line[column] === " ") line[column] = "_";
  line[isRight ? right : left] = isRight ? "\\" : "/";
}
