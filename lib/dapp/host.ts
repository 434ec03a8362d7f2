/**
 * The dapps of a node: finds an image, starts its container, keeps it warm, asks it, starts it again
 * after a failure. Calls to one dapp wait for each other. Rules: docs/design/dapps.md.
 */
import type { Clock, Hash, Log } from "../base/index.ts";
import { GdoError } from "../base/index.ts";
import { type Canonical, jsonFromCanonical } from "../codec/index.ts";
import type { AppInput, AppVerdict, ReduceResult } from "../ledger/index.ts";
import type { DappCalls, DappState, TestStates } from "./calls.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { hostCallsFor } from "./protocol/host-calls.ts";
import { DappSession } from "./protocol/session.ts";
import { inputToWire, reduceResultFromWire, valueFromWire, verdictFromWire } from "./protocol/wire.ts";
import type { ContainerRuntime } from "./runtime.ts";

/** Where root file systems and manifests come from; ImageCache is the real one. */
export interface Images {
  /** Folder of the root file system, whole and verified. */
  rootfs(tree: Hash): Promise<string>;
  /** Text of the image's dapp.yaml. */
  manifestText(tree: Hash): Promise<string>;
}

export interface DappHostOptions {
  readonly runtime: ContainerRuntime;
  readonly images: Images;
  readonly log: Log;
  readonly clock: Clock;
}

export class DappHost {
  readonly #options: DappHostOptions;
  readonly #dapps = new Map<Hash, WarmDapp>();
  #isClosed = false;

  constructor(options: DappHostOptions) {
    this.#options = options;
  }

  /** The dapp whose image is this tree. DAPP_MANIFEST, STORE_MISSING. */
  async dapp(tree: Hash): Promise<DappCalls & { readonly manifest: Manifest }> {
    if (this.#isClosed) throw new GdoError("DAPP_ERROR", "the dapp host is closed");
    const known = this.#dapps.get(tree);
    if (known !== undefined) return known;
    const manifest = parseManifest(await this.#options.images.manifestText(tree));
    const made = this.#dapps.get(tree) ?? new WarmDapp(tree, manifest, this.#options);
    this.#dapps.set(tree, made);
    return made;
  }

  /** The same dapp in a container of its own, which is started for the first call and ends with `close`. As dapp(). */
  async fresh(tree: Hash): Promise<DappCalls & { readonly manifest: Manifest; close(): Promise<void> }> {
    const { manifest } = await this.dapp(tree);
    return new WarmDapp(tree, manifest, this.#options);
  }

  /** Stops every container; calls under way are rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#dapps.values()].map((dapp) => dapp.close()));
    this.#dapps.clear();
    await this.#options.runtime.cleanup();
  }
}

/** One dapp and the container that serves it, when there is one. */
class WarmDapp implements DappCalls {
  readonly manifest: Manifest;
  readonly #tree: Hash;
  readonly #options: DappHostOptions;
  #session: DappSession | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(tree: Hash, manifest: Manifest, options: DappHostOptions) {
    this.#tree = tree;
    this.manifest = manifest;
    this.#options = options;
  }

  async reduce(input: AppInput, state: DappState): Promise<ReduceResult> {
    const ids = input.entries.map(({ id }) => id);
    return this.#ask("reduce", inputToWire(input), { now: state }, (answer) => reduceResultFromWire(answer, ids));
  }

  async test(input: AppInput, { before, after }: TestStates): Promise<AppVerdict> {
    return this.#ask("test", inputToWire(input), { after, before }, verdictFromWire);
  }

  async query(name: string, args: Canonical, state: DappState): Promise<Canonical> {
    if (!Object.hasOwn(this.manifest.queries, name)) {
      const known = Object.keys(this.manifest.queries).join(", ");
      throw new GdoError("NOT_FOUND", `${this.manifest.name} has no query ${name}`, { hint: `its queries: ${known}` });
    }
    const params = { name, args: jsonFromCanonical(args) };
    return this.#ask("query", params, { now: state }, (answer) => valueFromWire(answer, "the answer to query"));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#session?.close();
  }

  /** An answer that is refused ends the container like any other failure. */
  #ask<T>(method: string, params: unknown, views: Record<string, DappState>, read: (answer: unknown) => T): Promise<T> {
    const calls = hostCallsFor(this.manifest, views);
    const answered = this.#turn.then(async () => {
      const session = await this.#warm();
      try {
        return read(await session.call(method, params, calls));
      } catch (cause) {
        await session.close();
        throw this.#named(cause);
      }
    });
    this.#turn = answered.catch(() => undefined);
    return answered;
  }

  /** What `read` refuses does not say whose answer it was. */
  #named(cause: unknown): unknown {
    const isUnnamed = cause instanceof GdoError && !cause.message.startsWith(this.manifest.name);
    return isUnnamed ? new GdoError(cause.code, `${this.manifest.name}: ${cause.message}`, { cause }) : cause;
  }

  async #warm(): Promise<DappSession> {
    if (this.#isClosed) throw new GdoError("DAPP_ERROR", `${this.manifest.name} was stopped`);
    if (this.#session !== undefined && !this.#session.isOver) return this.#session;
    const { name: dapp, run, limits } = this.manifest;
    const { runtime, images, log, clock } = this.#options;
    const rootfs = await images.rootfs(this.#tree);
    const session = new DappSession({ dapp, limits, clock, log });
    session.attach(await runtime.start({ dapp, rootfs, run, limits }, session.listener));
    this.#session = session;
    if (this.#isClosed) await session.close();
    return session;
  }
}
