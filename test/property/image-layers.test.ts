/** Layers over each other against a model that knows nothing but a list of paths; and images out and in again. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { putImage } from "../../lib/agent/image/tree-store.ts";
import { unpack } from "../../lib/agent/image/unpack.ts";
import type { Hash } from "../../lib/base/index.ts";
import { type ImageFile, type ImageFolder, type ImageNode, ImageTree, newFolder } from "../../lib/dapp/index.ts";
import { exportImage, importImage } from "../../lib/interop/index.ts";
import { Layer } from "../../lib/interop/oci/layer.ts";
import type { TarMember } from "../../lib/interop/oci/tar-reader.ts";
import { readTar } from "../../lib/interop/oci/tar-reader.ts";
import { writeTar } from "../../lib/interop/oci/tar-writer.ts";
import { MemoryStore, putBlob, readBlob } from "../../lib/store/index.ts";

type Step =
  | { readonly does: "file" | "link" | "folder" | "hide" | "opaque"; readonly path: string; readonly text: string }
  | { readonly does: "hardlink"; readonly path: string; readonly text: string };

const name = fc.constantFrom("a", "b", "c");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const does = fc.constantFrom("file", "file", "folder", "link", "hide", "opaque", "hardlink") as fc.Arbitrary<
  Step["does"]
>;
const step = fc.record({ does, path, text: fc.constantFrom("1", "2", "a", "b", "a/b") }) as fc.Arbitrary<Step>;
const layers = fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 4 });

interface Place {
  what: string;
  layer: number;
}

/** The rules of the specification over a flat list: what is at each path, and which layer brought it. */
class ListOfPaths {
  readonly places = new Map<string, Place>();

  apply(layer: number, { does, path, text }: Step): void {
    if (does === "hide") this.#hide(layer, path);
    else if (does === "opaque") for (const each of this.#below(path)) this.#hide(layer, each);
    else if (does === "hardlink") {
      const there = this.places.get(text);
      if (there !== undefined && there.what !== "folder") this.#put(layer, path, there.what);
    } else this.#put(layer, path, does === "folder" ? "folder" : `${does} ${text}`);
  }

  #put(layer: number, path: string, what: string): void {
    const names = path.split("/");
    for (let count = 1; count < names.length; count += 1) {
      const above = names.slice(0, count).join("/");
      if (this.places.get(above)?.what === "folder") continue;
      this.places.set(above, { what: "folder", layer: -1 }); // In nobody's layer: it stays while something is in it.
    }
    if (what !== "folder" || this.places.get(path)?.what !== "folder") {
      for (const each of this.#below(path)) this.places.delete(each);
    }
    this.places.set(path, { what, layer });
  }

  /** Takes what is of lower layers, deepest first, and keeps folders that something is left in. */
  #hide(layer: number, path: string): void {
    for (const each of [...this.#below(path), path].sort((a, b) => b.length - a.length)) {
      const isOwn = this.places.get(each)?.layer === layer;
      if (!isOwn && this.#below(each).length === 0) this.places.delete(each);
    }
  }

  #below(path: string): string[] {
    return [...this.places.keys()].filter((each) => each.startsWith(`${path}/`));
  }
}

function memberOf({ does, path, text }: Step): TarMember {
  const slash = path.lastIndexOf("/") + 1;
  const hidden = `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
  const shown = { hide: hidden, opaque: `${path}/.wh..wh..opq` } as Readonly<Record<string, string>>;
  const kind = does === "hide" || does === "opaque" ? "file" : does;
  const content = (async function* () {
    yield Buffer.from(text);
  })();
  return { path: shown[does] ?? path, kind, mode: 0o644, sizeBytes: 1, target: text, offset: 0, content };
}

async function gathered(source: AsyncIterable<Uint8Array>): Promise<{ bytes: Uint8Array }> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return { bytes: new Uint8Array(Buffer.concat(pieces)) };
}

function flat({ entries }: ImageFolder, at = "", into = new Map<string, string>()): Map<string, string> {
  for (const [each, node] of entries) {
    const here = `${at}${each}`;
    into.set(here, whatOf(node));
    if (node.type === "folder") flat(node, `${here}/`, into);
  }
  return into;
}

function whatOf(node: ImageNode): string {
  if (node.type === "link") return `link ${node.target}`;
  return node.type === "folder" ? "folder" : `file ${Buffer.from(bytesOf(node)).toString("latin1")}`;
}

function bytesOf({ content }: ImageFile): Uint8Array {
  return "bytes" in content ? content.bytes : Buffer.from("?");
}

/** Links are given names of their own in the model's paths, so that no path leads through one. */
function isThroughLink(model: ListOfPaths, { path, does, text }: Step): boolean {
  const names = path.split("/");
  const depth = does === "opaque" ? names.length : names.length - 1;
  const prefixes = Array.from({ length: depth }, (_, at) => names.slice(0, at + 1).join("/"));
  const leads = (each: string): boolean => model.places.get(each)?.what.startsWith("link") === true;
  const dangles = does === "hardlink" && (model.places.get(text)?.what ?? "folder") === "folder";
  return prefixes.some(leads) || dangles;
}

test("layers applied give what a flat list of paths gives", async (t) => {
  const check = async (steps: readonly (readonly Step[])[]): Promise<void> => {
    const image = new ImageTree();
    const model = new ListOfPaths();
    for (const [at, each] of steps.entries()) {
      const layer = new Layer(image);
      for (const next of each) {
        if (isThroughLink(model, next)) continue;
        model.apply(at, next);
        await layer.apply(memberOf(next), gathered);
      }
    }
    const expected = [...model.places].map(([each, { what }]) => [each, what]);
    assert.deepEqual([...flat(image.root)].sort(), expected.sort());
  };
  await fc.assert(fc.asyncProperty(layers, check), { numRuns: 2000 });
  t.pass();
});

const longName = fc.string({ unit: fc.constantFrom("é", "x", " "), minLength: 1, maxLength: 80 });
const leaf = fc.oneof(
  fc.record({
    type: fc.constant("file" as const),
    mode: fc.constantFrom(0o644, 0o755),
    content: fc.record({ bytes: fc.uint8Array({ maxLength: 1500 }) }),
  }),
  fc.record({ type: fc.constant("link" as const), target: longName }),
);
const { folder: anyFolder } = fc.letrec<{ folder: ImageFolder; node: ImageNode }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, leaf, tie("folder")),
  folder: fc
    .array(fc.tuple(longName, tie("node")), { maxLength: 5 })
    .map((entries) => ({ type: "folder" as const, entries: new Map(entries) })),
}));

test("a tar archive of an image has every name, link and byte of it", async (t) => {
  const check = async (root: ImageFolder): Promise<void> => {
    const image = new ImageTree(newFolder());
    const layer = new Layer(image);
    const content = {
      sizeOf: (file: ImageFile) => bytesOf(file).length,
      read: async function* (file: ImageFile) {
        yield bytesOf(file);
      },
    };
    for await (const member of readTar(writeTar(root, content), { members: 1000, bytes: 1e9 })) {
      await layer.apply(member, gathered);
    }
    assert.deepEqual([...flat(image.root)].sort(), [...flat(root)].sort());
  };
  await fc.assert(fc.asyncProperty(anyFolder, check), { numRuns: 300 });
  t.pass();
});

test("an image that was exported and imported is the same tree", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "gdo-export-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const check = async (root: ImageFolder): Promise<void> => {
    const store = new MemoryStore();
    const tree = await putImage(store, root);
    const folder = join(mkdtempSync(join(dir, "run-")), "layout");
    const stored = async (file: ImageFile) =>
      "id" in file.content ? file.content : await putBlob(store, bytesOf(file));
    await exportImage(new ImageTree(root), folder, {
      tag: "t",
      architecture: "amd64",
      settings: { environment: {}, run: [] },
      content: {
        sizeOf: (file) => bytesOf(file).length,
        read: async function* (file) {
          yield* readBlob(store, (await stored(file)).id as Hash);
        },
      },
    });
    const putFile = (content: AsyncIterable<Uint8Array>) => putBlob(store, content);
    const { image, name } = await importImage(folder, { architecture: "amd64", putFile, unpack });
    assert.equal(name, "t");
    assert.equal(await putImage(store, image.root), tree);
  };
  await fc.assert(fc.asyncProperty(anyFolder, check), { numRuns: 25 });
  t.pass();
});
