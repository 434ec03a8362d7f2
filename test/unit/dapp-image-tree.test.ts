/** Images in memory: what replaces what, and where a path leads. */
import test from "ava";
import { type ImageNode, ImageTree, newFolder, parseSettings, placeSettings } from "../../lib/dapp/index.ts";

const file = (text: string): ImageNode => ({ type: "file", mode: 0o644, content: { bytes: Buffer.from(text) } });
const link = (target: string): ImageNode => ({ type: "link", target });

function treeOf(...entries: [path: string, node: ImageNode][]): ImageTree {
  const tree = new ImageTree();
  for (const [path, node] of entries) tree.put(path, node);
  return tree;
}

test("a file lands where the links above it lead, inside the image", (t) => {
  for (const [at, target, lands] of [
    ["bin", "usr/bin", "usr/bin/x"],
    ["bin", "/usr/bin", "usr/bin/x"],
    ["bin", "../../../usr/bin", "usr/bin/x"],
    ["a/b", "../../c", "c/x"],
    ["a/b", "/", "x"],
  ] as const) {
    const tree = treeOf([at, link(target)], [`${at}/x`, file("x")]);
    t.deepEqual(tree.find(`/${lands}`), file("x"), `${at} -> ${target}`);
    t.deepEqual(tree.find(at), link(target), "the link stays");
  }
});

test("a file takes the place of a link, of a file and of a folder", (t) => {
  for (const before of [link("/etc/passwd"), file("old"), newFolder()]) {
    const tree = treeOf(["etc/passwd", file("kept")], ["a", before], ["a", file("new")]);
    t.deepEqual(tree.find("a"), file("new"));
    t.deepEqual(tree.find("etc/passwd"), file("kept"));
  }
});

test("links in circles are refused, as are paths that lead out", (t) => {
  const tree = treeOf(["a", link("b")], ["b", link("a")]);
  t.throws(() => tree.put("a/x", file("x")), { code: "INPUT_INVALID", message: /in circles/ });
  for (const path of ["../x", "a/../../x", "x\0y", "n".repeat(256), "d/".repeat(300)]) {
    t.throws(() => tree.put(path, file("x")), { code: "INPUT_INVALID", message: /cannot have the path/ }, path);
  }
});

test("laying one tree over another joins folders, also through a link to one", (t) => {
  const tree = treeOf(["lib", link("usr/lib")], ["usr/lib/ld.so", file("loader")], ["app/old", file("old")]);
  const above = treeOf(["lib/own.py", file("own")], ["app/main", file("main")], ["app/old", file("new")]);
  tree.lay(above.root);
  t.deepEqual(tree.find("usr/lib/own.py"), file("own"));
  t.deepEqual(tree.find("lib/ld.so"), file("loader"));
  t.deepEqual(tree.find("app/old"), file("new"));
  t.deepEqual(tree.find("app/main"), file("main"));
});

test("an image's settings are read again as they were laid into it, or refused", (t) => {
  const settings = { environment: { B: "2", A: "1=x" }, run: ["/bin/x", "-y"] };
  const tree = new ImageTree();
  placeSettings(tree, settings);
  const node = tree.find("etc/gdo-image.json");
  const content = node?.type === "file" ? node.content : undefined;
  t.deepEqual(parseSettings(Buffer.from((content as { bytes: Uint8Array }).bytes).toString()), settings);
  const large = Object.fromEntries(Array.from({ length: 3 }, (_, at) => [`V${at}`, "x".repeat(30_000)]));
  t.throws(() => placeSettings(tree, { environment: large, run: [] }), { code: "INPUT_INVALID", message: /64 KiB/ });
  for (const text of ["{", "{}", '{"environment":{"9":"x"},"run":[]}']) {
    t.throws(() => parseSettings(text), { code: "DAPP_MANIFEST" }, text);
  }
});
