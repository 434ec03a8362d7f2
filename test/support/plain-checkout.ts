/**
 * Restores a tree as a user who is not root, and prints what was left out, a line each:
 * node plain-checkout.js PACKS TREE DEST UID. Started by root, it first becomes that user.
 */
import type { Hash } from "../../lib/base/index.ts";
import { checkout, PackStore } from "../../lib/store/index.ts";

const [packs = "", tree = "", dest = "", uid = ""] = process.argv.slice(2);
const store = await PackStore.open(packs, { readOnly: true });
await store.get(tree as Hash); // Opens the pack, which the user may not.
if (process.getuid?.() === 0) process.setuid?.(Number(uid));
const onSkipped = (path: string, why: string): void => console.log(`${path.slice(dest.length)}: ${why}`);
await checkout(store, tree as Hash, dest, { onSkipped });
await store.close();
