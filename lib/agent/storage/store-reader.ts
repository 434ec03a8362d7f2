/** Reading a home's store beside the process that writes it: what `cat`, `ls` and `get` are made of. */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { GdoError } from "../../base/index.ts";
import {
  blobSizeBytes,
  checkout,
  displayName,
  type ListedEntry,
  list,
  PackStore,
  readBlob,
  resolvePath,
} from "../../store/index.ts";
import { openHome } from "../home/home.ts";

export interface ListedName {
  readonly name: string;
  readonly type: string;
  readonly id?: string;
  readonly mode?: number;
  readonly sizeBytes?: number;
  readonly target?: string;
}

export interface StoreReader {
  /** Bytes of a file, named `ID[:path]`. NOT_FOUND, AMBIGUOUS, STORE_MISSING, STORE_CORRUPT. */
  cat(spec: string): AsyncIterable<Uint8Array>;
  /** Entries of a folder, or the one file that the name is of. */
  list(spec: string): Promise<ListedName[]>;
  /** Writes a file or a folder to a path that does not exist yet. */
  get(spec: string, destination: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the store of a home for reading; HOME_MISSING when there is none. */
export async function openStoreReader(root: string): Promise<StoreReader> {
  const store = await PackStore.open(openHome(root).packs, { readOnly: true });
  return {
    async *cat(spec) {
      const found = await resolvePath(store, spec);
      if (found.kind === "tree") throw new GdoError("INPUT_INVALID", `${spec} is a folder`, { hint: `gdo ls ${spec}` });
      if (found.kind === "chunk") yield (await store.get(found.id)).bytes;
      else yield* readBlob(store, found.id);
    },
    async list(spec) {
      const found = await resolvePath(store, spec);
      if (found.kind === "tree") return (await list(store, found.id)).map(listedName);
      const name = found.entry === undefined ? found.id : displayName(found.entry);
      return [
        {
          name,
          type: found.kind,
          id: found.id,
          ...(found.kind === "blob" ? { sizeBytes: await blobSizeBytes(store, found.id) } : {}),
        },
      ];
    },
    async get(spec, destination) {
      const found = await resolvePath(store, spec);
      if (found.kind === "tree") return checkout(store, found.id, destination);
      await writeNew(
        destination,
        found.kind === "blob" ? readBlob(store, found.id) : [(await store.get(found.id)).bytes],
      );
    },
    close: () => store.close(),
  };
}

async function writeNew(path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  try {
    await pipeline(pieces, createWriteStream(path, { flags: "wx" }));
  } catch (cause) {
    if (cause instanceof GdoError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST")
      throw new GdoError("REFUSED", `${path} exists already`, { hint: "choose another destination", cause });
    throw new GdoError(code === "EACCES" ? "PERMISSION" : "IO", `cannot write ${path}: ${code ?? "unknown error"}`, {
      cause,
    });
  }
}

function listedName(entry: ListedEntry): ListedName {
  return {
    name: displayName(entry),
    type: entry.type,
    ...("id" in entry ? { id: entry.id } : {}),
    ...(entry.attributes === undefined ? {} : { mode: entry.attributes.mode }),
    ...("sizeBytes" in entry ? { sizeBytes: entry.sizeBytes } : {}),
    ...("target" in entry ? { target: Buffer.from(entry.target).toString("utf8") } : {}),
  };
}
