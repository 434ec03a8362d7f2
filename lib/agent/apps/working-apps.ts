/** The charter's dapps in their containers, and blobs in the store, as a node's work on its ledger needs them. */
import { GdoError, type Hash, type Log, OBJECT_BYTES_MAX } from "../../base/index.ts";
import type { CanonicalMap } from "../../codec/index.ts";
import { type DappHost, type DappState, dappState, gateVerdict, imageOfForm } from "../../dapp/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import { CHARTER_APP, MAIN_BRANCH, type MergeApp, type StatesView, type StateView } from "../../ledger/index.ts";
import type { NodeApps, NodeBlobs, TentativeStates } from "../../node/index.ts";
import { type ChunkStore, type PackStore, putBlob, readBlobBytes } from "../../store/index.ts";
import type { RootFetcher } from "../storage/object-access.ts";

/** Content for dapps: whole, and no larger than an object may be. */
export function blobReader(store: ChunkStore): (id: Hash) => Promise<Uint8Array> {
  return (id) => readBlobBytes(store, id, OBJECT_BYTES_MAX);
}

/** What is final on this node, on `main` or another line, as dapps are asked about it. */
export function finalState({ parts: { db, store } }: { readonly parts: StateParts }, line?: string): DappState {
  return dappState((app) => (app === CHARTER_APP ? db.charterAt() : db.state(app, line)), blobReader(store));
}

/** As finalState, with what waits for the next merge of `main`. */
export async function tentativeState(node: {
  readonly parts: StateParts;
  readonly tentative: TentativeStates;
}): Promise<DappState> {
  const { state } = await node.tentative.at(MAIN_BRANCH);
  return dappState(state, blobReader(node.parts.store));
}

interface StateParts {
  readonly db: LedgerDb;
  readonly store: ChunkStore;
}

export function storeBlobs(store: PackStore, fetcher: RootFetcher): NodeBlobs {
  return {
    put: async (bytes) => {
      const { id } = await putBlob(store, bytes);
      await store.commit();
      return id;
    },
    read: blobReader(store),
    has: (id, near) => fetcher.has(id, near),
    holding: (work) => store.holding(work),
  };
}

/** Names and images of the dapps that the charter has installed. */
export function installedDapps(charter: StateView): { name: string; tree: Hash }[] {
  return [...charter.scan("dapp/")].map(([key, value]) => ({
    name: key.slice("dapp/".length),
    tree: (value as CanonicalMap)["tree"] as Hash,
  }));
}

export interface ContainerAppsOptions {
  readonly dapps: DappHost;
  readonly store: ChunkStore;
  readonly fetcher: RootFetcher;
  readonly log: Log;
}

/** An image that is not held is asked for, and its dapp is missing for now. */
export function containerApps({ dapps, store, fetcher, log }: ContainerAppsOptions): NodeApps {
  return {
    async open(charter, conditions) {
      const apps: MergeApp[] = [];
      const missing: string[] = [];
      const closers: (() => Promise<void>)[] = [];
      for (const { name, tree } of installedDapps(charter)) {
        if (!(await isThere(dapps, fetcher, tree))) {
          missing.push(name);
          continue;
        }
        const dapp = conditions === "fresh" ? await dapps.fresh(tree) : await dapps.dapp(tree);
        if (conditions === "fresh") closers.push(() => (dapp as FreshDapp).close());
        apps.push(fetchingForms(containerApp(name, tree, { dapp, store, log }), fetcher));
      }
      return { apps, missing, close: async () => void (await Promise.all(closers.map((close) => close()))) };
    },
  };
}

/** [D9] A state may have to be moved by an image that is installed no more, and that this node never had. */
function fetchingForms(app: MergeApp, fetcher: Pick<RootFetcher, "has">): MergeApp {
  return {
    ...app,
    async reduce(input, now) {
      const mover = app.isDue?.(now) === true ? imageOfForm(now(app.name)) : undefined;
      if (mover !== undefined) await fetcher.has(mover);
      return app.reduce(input, now);
    },
  };
}

type Dapp = Awaited<ReturnType<DappHost["dapp"]>>;
type FreshDapp = Awaited<ReturnType<DappHost["fresh"]>>;

async function isThere(dapps: DappHost, fetcher: RootFetcher, tree: Hash): Promise<boolean> {
  try {
    await dapps.dapp(tree);
    return true;
  } catch (error) {
    if (!(error instanceof GdoError) || error.code !== "STORE_MISSING") throw error;
    await fetcher.has(tree);
    return false;
  }
}

/** One dapp as a merge needs it. */
export function containerApp(name: string, image: Hash, { dapp, store, log }: AppParts): MergeApp {
  const at = (views: StatesView): DappState => dappState(views, blobReader(store));
  return {
    name,
    image,
    reads: dapp.manifest.reads,
    isDue: (now) => dapp.isDue(at(now)),
    reduce: (input, now) => dapp.reduce(input, at(now)),
    test: (input, before, after) =>
      gateVerdict(
        dapp.manifest,
        () => dapp.test(input, { before: at(before), after: at(after) }),
        (findings) =>
          log.warn("a dapp advises against", { dapp: name, h: input.height, findings: findings.join("; ") }),
      ),
  };
}

interface AppParts {
  readonly dapp: Dapp;
  readonly store: ChunkStore;
  readonly log: Log;
}
