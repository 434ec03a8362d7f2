/** Goal: what `gdo log --graph` draws is the ledger, however wide: read back from the picture, nothing is invented. */
import test from "ava";
import fc from "fast-check";
import { type GraphNode, Lanes } from "../../lib/cli/text/graph.ts";

const PARENTS_MAX = 9;

/** Newest first; each names some of the blocks before it, as blocks of several logs do. */
const graphs = fc
  .array(fc.array(fc.nat(30), { maxLength: PARENTS_MAX }), { minLength: 1, maxLength: 60 })
  .map((lists) => {
    const nodes = lists.map((back, index): GraphNode => {
      const parents = new Set(back.map((steps) => index - 1 - steps).filter((at) => at >= 0));
      return { id: String(index), parents: [...parents].map(String), mark: "*" };
    });
    return nodes.toReversed();
  });

interface Read {
  /** Child → parents, as followed through the picture. */
  readonly edges: Map<string, Set<string>>;
  readonly widest: number;
  readonly marks: number;
}

/** Follows each lane of the picture down, from mark to mark. What leads to or from the fold is not followed. */
function readBack(nodes: readonly GraphNode[], max: number): Read {
  const lanes = new Lanes(max);
  const edges = new Map<string, Set<string>>();
  let flowing: Set<string>[] = [];
  let [widest, marks] = [0, 0];
  for (const node of nodes) {
    const { node: row, below } = lanes.take(node);
    const at = row.indexOf("*") / 2;
    marks += row.split("*").length - 1;
    widest = Math.max(widest, row.replace(/ ?\+\d+$/, "").length, ...below.map((line) => line.length));
    if (at < max) for (const child of flowing[at] ?? []) (edges.get(child) as Set<string>).add(node.id);
    edges.set(node.id, new Set());
    if (at >= max) continue;
    const line = below[0] ?? row.replace("*", node.parents.length === 0 ? " " : "|").replace(/\+\d+$/, "");
    flowing = flow(flowing, line, { id: node.id, at, max });
  }
  return { edges, widest, marks };
}

/** Whose edges run in each lane below a line of the picture. */
function flow(
  before: readonly Set<string>[],
  line: string,
  { id, at, max }: { id: string; at: number; max: number },
): Set<string>[] {
  // A lane from the right joins the node's.
  const closing = before.findIndex((from, lane) => lane > at && from.size > 0 && line[2 * lane] !== "|");
  const joined = line[2 * at + 1] === "/" ? (before[closing] ?? []) : [];
  return Array.from({ length: max }, (_, lane) => {
    const isStraight = line[2 * lane] === "|";
    if (lane === at) return new Set([...(isStraight ? [id] : []), ...joined]);
    const isBent = lane > at ? line[2 * lane - 1] === "\\" : line[2 * lane + 1] === "/";
    return new Set([...((isStraight ? before[lane] : undefined) ?? []), ...(isBent ? [id] : [])]);
  });
}

test("log --graph: every block is drawn once, and with lanes enough every edge, and no other", (t) => {
  fc.assert(
    fc.property(graphs, (nodes) => {
      const { edges, marks } = readBack(nodes, nodes.length * PARENTS_MAX);
      t.is(marks, nodes.length);
      for (const { id, parents } of nodes) t.deepEqual([...(edges.get(id) ?? [])].sort(), [...parents].sort());
    }),
  );
});

test("log --graph: however wide the ledger, the picture is not, and each edge that is drawn is a real one", (t) => {
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 6 }), (nodes, max) => {
      const { edges, widest, marks } = readBack(nodes, max);
      t.is(marks, nodes.length);
      t.true(widest <= 2 * max + 1, `${widest} characters in ${max} lanes`);
      for (const { id, parents } of nodes) for (const parent of edges.get(id) ?? []) t.true(parents.includes(parent));
    }),
  );
});
