import test from "ava";
import { type GraphNode, Lanes } from "../../lib/cli/text/graph.ts";

function draw(nodes: readonly GraphNode[], max?: number): string {
  const lanes = new Lanes(max);
  const lines = nodes.flatMap((node) => {
    const { node: mark, below } = lanes.take(node);
    return [`${mark}  ${node.id}`, ...below];
  });
  return `\n${lines.join("\n")}\n`;
}

const entry = (id: string, ...parents: string[]): GraphNode => ({ id, parents, mark: "*" });
const merge = (id: string, ...parents: string[]): GraphNode => ({ id, parents, mark: "M" });

test("log --graph: one log is one straight lane", (t) => {
  t.is(draw([entry("c", "b"), entry("b", "a"), entry("a")]), "\n*  c\n*  b\n*  a\n");
});

test("log --graph: a merge joins the logs that it includes, and they part below it", (t) => {
  const picture = draw([
    merge("m", "a2", "b2"),
    entry("b2", "b1"),
    entry("a2", "a1"),
    entry("b1", "g"),
    entry("a1", "g"),
    entry("g"),
  ]);
  t.is(
    picture,
    `
M  m
|\\
| *  b2
* |  a2
| *  b1
* |  a1
|/
*  g
`,
  );
});

test("log --graph: two heads stand side by side until a common parent", (t) => {
  t.is(draw([entry("x", "g"), entry("y", "g"), entry("g")]), "\n*  x\n| *  y\n|/\n*  g\n");
});

test("log --graph: a lane keeps its column, and a column that is free is used again", (t) => {
  t.is(draw([entry("x"), entry("y", "z"), entry("z")]), "\n*  x\n*  y\n*  z\n");
  t.is(draw([entry("h", "a"), entry("y", "z"), entry("a"), entry("z")]), "\n*  h\n| *  y\n* |  a\n  *  z\n");
  t.is(
    draw([entry("h", "a"), entry("y", "z"), entry("a"), entry("new", "z"), entry("z")]),
    "\n*  h\n| *  y\n* |  a\n* |  new\n|/\n*  z\n",
  );
});

test("log --graph: a merge of five logs keeps each in its own lane", (t) => {
  const lanes = new Lanes();
  const { below } = lanes.take(merge("m", "a", "b", "c", "d", "e"));
  t.deepEqual(below, ["|\\_\\_\\_\\"]);
  t.is(lanes.take(entry("c", "c0")).node, "| | * | |");
});

test("log --graph: edges for which there is no lane are folded and counted, and come out again", (t) => {
  t.is(
    draw(
      [merge("m", "a", "b", "c", "d"), entry("d", "g"), entry("b"), entry("c", "g"), entry("a", "g"), entry("g")],
      2,
    ),
    `
M  m
|\\_\\
| | * +1  d
| * +2  b
| * +1  c
* |  a
|/
*  g
`,
  );
});
