import { MemoryStore, PackStore } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { chunkStoreContract } from "./chunk-store.ts";

chunkStoreContract("MemoryStore", async () => new MemoryStore());
chunkStoreContract("PackStore", async (t) => PackStore.open(await temporaryFolder(t)));
chunkStoreContract("PackStore, small packs", async (t) =>
  PackStore.open(await temporaryFolder(t), { packBytesMax: 4096 }),
);
