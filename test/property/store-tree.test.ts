import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { compareBytes, equalBytes, GdoError, hashOf32 } from "../../lib/base/index.ts";
import { checkObject, checkout, linksOf, MemoryStore, objectId, putTree } from "../../lib/store/index.ts";
import { nameFault } from "../../lib/store/tree/name.ts";
import { decodeTreeNode, encodeTreeNode, type TreeEntry, type TreeNode } from "../../lib/store/tree/node.ts";
import {
  addHardLink,
  describeFolder,
  describeXattrs,
  filesOf,
  folderModel,
  writeModel,
} from "../support/folder-model.ts";

test("[T4] any folder comes back as it was: names, contents, modes, times, links of both kinds, extended attributes", async (t) => {
  const property = fc.asyncProperty(folderModel, fc.array(fc.nat(), { maxLength: 3 }), async (model, again) => {
    const base = mkdtempSync(join(tmpdir(), "gdo-test-"));
    try {
      const store = new MemoryStore();
      const top = Buffer.from(join(base, "in"));
      writeModel(top, model);
      const files = filesOf(top);
      for (const [index, file] of again.entries()) {
        const name = Buffer.from(`again ${index}`).toString("hex");
        if (files.length > 0) addHardLink(top, name, files[file % files.length] as Buffer);
      }
      const id = await putTree(store, join(base, "in"));
      await checkout(store, id, join(base, "out"));
      t.deepEqual(describeFolder(Buffer.from(join(base, "out"))), describeFolder(Buffer.from(join(base, "in"))));
      t.is(describeXattrs(join(base, "out")), describeXattrs(join(base, "in")));
      t.is(await putTree(store, join(base, "out")), id);
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  });
  await fc.assert(property, { numRuns: 80 });
});

const name = fc.uint8Array({ minLength: 1, maxLength: 255 }).filter((bytes) => nameFault(bytes) === undefined);
const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hashOf32);
const uint32 = fc.nat(2 ** 31 - 1).map((value) => value * 2 + 1);
const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 }).filter((value) => !value.includes(0));
const xattrs = fc
  .uniqueArray(fc.record({ name: bytes, value: fc.uint8Array({ maxLength: 9 }) }), {
    minLength: 1,
    maxLength: 3,
    selector: (x) => String(x.name),
  })
  .map((list) => list.sort((a, b) => compareBytes(a.name, b.name)));
const attributes = fc.record(
  {
    mode: fc.nat(0o7777),
    uid: uint32,
    gid: uint32,
    mtimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    xattrs,
  },
  { requiredKeys: ["mode", "uid", "gid", "mtimeNs"] },
);
const entry = fc.oneof(
  fc.record({ type: fc.constant("directory"), name, id }),
  fc.record({ type: fc.constant("file"), name, attributes, id, sizeBytes: fc.maxSafeNat() }),
  fc.record({
    type: fc.constant("file"),
    name,
    attributes,
    id,
    sizeBytes: fc.nat(),
    linkGroup: fc.constant("0123456789abcdef"),
  }),
  fc.record({
    type: fc.constant("file"),
    name,
    attributes,
    id,
    sizeBytes: fc.nat(),
    origin: fc.record({ inode: fc.bigInt(0n, 2n ** 64n - 1n), ctimeNs: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
  }),
  fc.record({
    type: fc.constant("symlink"),
    name,
    attributes,
    target: bytes,
    linkGroup: fc.constant("0123456789abcdef"),
  }),
  fc.record({ type: fc.constant("symlink"), name, attributes, target: bytes }),
  fc.record({ type: fc.constantFrom("character", "block"), name, attributes, major: uint32, minor: uint32 }),
  fc.record({ type: fc.constant("fifo"), name, attributes }),
) as fc.Arbitrary<TreeEntry>;
const node: fc.Arbitrary<TreeNode> = fc.record({
  attributes,
  entries: fc
    .uniqueArray(entry, { maxLength: 8, selector: (each) => String(each.name) })
    .map((entries) => entries.sort((a, b) => compareBytes(a.name, b.name))),
});

test("[T4] a tree node with every type of entry and field decodes to what was encoded", (t) => {
  fc.assert(
    fc.property(node, (value) => {
      const encoded = encodeTreeNode(value);
      t.deepEqual(decodeTreeNode(encoded), value);
      t.true(checkObject(objectId("tree", encoded), "tree", encoded));
      const ids = value.entries.flatMap((each) => ("id" in each ? [each.id] : []));
      t.deepEqual(linksOf("tree", encoded), [...new Set(ids)]);
    }),
  );
});

test("[T4] bytes of a tree node with any byte changed are refused or are another canonical node", (t) => {
  fc.assert(
    fc.property(node, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, position, change) => {
      const mutated = encodeTreeNode(value);
      const at = position % mutated.length;
      mutated[at] = (mutated[at] ?? 0) ^ change;
      try {
        t.true(equalBytes(encodeTreeNode(decodeTreeNode(mutated)), mutated));
      } catch (error) {
        t.true(error instanceof GdoError && error.code === "STORE_CORRUPT", String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
