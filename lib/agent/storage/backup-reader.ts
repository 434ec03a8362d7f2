/** Looking at snapshots and restoring them, beside the process that writes the store: needs no agent and no lock. */
import {
  checkout,
  type KeptSnapshot,
  PackStore,
  Refs,
  SnapshotCatalog,
  type SnapshotStats,
  snapshotStats,
} from "../../store/index.ts";
import { openHome } from "../home/home.ts";

export interface ListedSnapshot {
  readonly name: string;
  readonly id: string;
  readonly timeMs: number;
  readonly host: string;
  /** The folder that it is of; bytes that are not UTF-8 are written as replacement characters. */
  readonly source: string;
  readonly tree: string;
  readonly previous?: string;
  readonly files: number;
  readonly sizeBytes: number;
  readonly lacking: number;
}

export interface RestoreOptions {
  readonly overwrite: boolean;
  /** Paths in the snapshot; everything when there are none. */
  readonly include: readonly string[];
  readonly onSkipped: (path: string, why: string) => void;
  /** How much of the snapshot's content is there. */
  readonly onProgress: (doneBytes: number) => void;
}

export interface SnapshotReader {
  /** Of one name or of all, oldest first. Damaged refs are told and left out. */
  list(name: string | undefined, onDamaged: (path: string, why: string) => void): Promise<ListedSnapshot[]>;
  /** `NAME` or `NAME@ID`. NOT_FOUND, AMBIGUOUS, INPUT_INVALID. */
  resolve(spec: string): Promise<ListedSnapshot>;
  /** Errors as checkout. */
  restore(snapshot: ListedSnapshot, destination: string, options: RestoreOptions): Promise<void>;
  /** NOT_FOUND when nothing is kept under the name. */
  stats(name: string | undefined): Promise<SnapshotStats & { readonly packBytes: number }>;
  close(): Promise<void>;
}

/** Opens the snapshots of a home for reading; HOME_MISSING when there is none. */
export async function openSnapshotReader(root: string): Promise<SnapshotReader> {
  const paths = openHome(root);
  const store = await PackStore.open(paths.packs, { readOnly: true });
  const catalog = new SnapshotCatalog(new Refs(paths.refs));
  return {
    async list(name, onDamaged) {
      const tell = ({ path, why }: { path: string; why: string }): void => onDamaged(path, why);
      return (name === undefined ? await catalog.all(tell) : await catalog.list(name, tell)).map(listed);
    },
    resolve: async (spec) => listed(await catalog.resolve(spec)),
    async restore({ name, id }, destination, { overwrite, include, onSkipped, onProgress }) {
      const { tree } = await catalog.resolve(`${name}@${id}`);
      let doneBytes = 0;
      const onFile = (sizeBytes: number): void => {
        doneBytes += sizeBytes;
        onProgress(doneBytes);
      };
      const chosen = include.length === 0 ? {} : { include };
      await checkout(store, tree, destination, { overwrite, onSkipped, onFile, ...chosen });
    },
    async stats(name) {
      if (name !== undefined) await catalog.resolve(name);
      const snapshots = name === undefined ? await catalog.all() : await catalog.list(name);
      return { ...(await snapshotStats(store, snapshots)), packBytes: await store.sizeBytes() };
    },
    close: () => store.close(),
  };
}

function listed({ source, ...snapshot }: KeptSnapshot): ListedSnapshot {
  return { ...snapshot, source: Buffer.from(source).toString("utf8") };
}
