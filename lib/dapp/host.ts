/**
 * The dapps of a node: finds an image, starts its container, keeps it warm, asks it, starts it again
 * after a failure. Calls to one dapp wait for each other. Rules: docs/design/dapps.md.
 */
import type { Clock, Hash, Log } from "../base/index.ts";
import { GdoError } from "../base/index.ts";
import { type Canonical, jsonFromCanonical } from "../codec/index.ts";
import type { Act, AppInput, AppVerdict, ReduceResult, StateChange } from "../ledger/index.ts";
import type { Command, DappCalls, DappState, TestStates } from "./calls.ts";
import { kernelMemory, type MemorySource } from "./container/memory.ts";
import { Contract } from "./contract.ts";
import { type AnyForm, DappInForm, type Migration, requireUnmarked } from "./form.ts";
import { type ImageSettings, parseSettings, SETTINGS_PATH } from "./image/settings.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { ContainerPool } from "./pool.ts";
import { hostCallsFor } from "./protocol/host-calls.ts";
import {
  commandAnswerFromWire,
  inputToWire,
  migrationFromWire,
  reduceResultFromWire,
  valueFromWire,
  verdictFromWire,
} from "./protocol/wire.ts";
import { formatBytes } from "./quantity.ts";
import type { ContainerRuntime, ContainerSpec } from "./runtime.ts";
import { stateBytes } from "./state-size.ts";
import { type DappJournal, WarmContainer } from "./warm.ts";

/** Where root file systems and manifests come from; ImageCache is the real one. */
export interface Images {
  /** Folder of the root file system, whole and verified. */
  rootfs(tree: Hash): Promise<string>;
  /** Text of the image's dapp.yaml. */
  manifestText(tree: Hash): Promise<string>;
  /** Text of another small file of the image. NOT_FOUND when there is none at that path, and for nothing else. */
  text(tree: Hash, path: string): Promise<string>;
}

export interface DappHostOptions {
  readonly runtime: ContainerRuntime;
  readonly images: Images;
  readonly log: Log;
  readonly clock: Clock;
  /** Where each dapp's own log goes; nowhere by default. */
  readonly journal?: DappJournal;
  /** Dapps whose containers stay though memory is short, by name. */
  readonly keepWarm?: readonly string[];
  /** The kernel's word by default. */
  readonly memory?: MemorySource;
}

export class DappHost {
  readonly #options: DappHostOptions;
  readonly #pool: ContainerPool;
  readonly #dapps = new Map<Hash, WarmDapp>();
  #isClosed = false;

  constructor(options: DappHostOptions) {
    this.#options = options;
    const { clock, log, memory = kernelMemory, keepWarm = [] } = options;
    this.#pool = new ContainerPool({ clock, log, memory, keepWarm });
  }

  /** The dapp whose image is this tree. DAPP_MANIFEST, STORE_MISSING. */
  async dapp(tree: Hash): Promise<DappCalls & { readonly manifest: Manifest }> {
    return new DappInForm(await this.#known(tree), (other) => this.#known(other));
  }

  async #known(tree: Hash): Promise<WarmDapp> {
    if (this.#isClosed) throw new GdoError("DAPP_ERROR", "the dapp host is closed");
    const known = this.#dapps.get(tree);
    if (known !== undefined) return known;
    const { images } = this.#options;
    const manifest = parseManifest(await images.manifestText(tree));
    const contract = await Contract.load(manifest, (path) => images.text(tree, path));
    const { environment } = await settingsOf(images, tree);
    const made = this.#dapps.get(tree) ?? new WarmDapp({ tree, manifest, contract, environment }, this.#warmOptions);
    this.#dapps.set(tree, made);
    return made;
  }

  /**
   * The same dapp in a container of its own, started for the first call where its surroundings are others, for a
   * second opinion [D3]; it ends with `close`. As dapp().
   */
  async fresh(tree: Hash): Promise<DappCalls & { readonly manifest: Manifest; close(): Promise<void> }> {
    const started: WarmDapp[] = [];
    const start = async (image: Hash): Promise<WarmDapp> => {
      const made = new WarmDapp(await this.#known(image), { ...this.#warmOptions, isVaried: true });
      started.push(made);
      return made;
    };
    const dapp = new DappInForm(await start(tree), start);
    return Object.assign(dapp, { close: async () => void (await Promise.all(started.map((each) => each.close()))) });
  }

  /** Images of the dapps that it has been asked for: their root file systems may be in use. */
  trees(): Hash[] {
    return [...this.#dapps.keys()];
  }

  /** Stops every container; calls under way are rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pool.close();
    await Promise.all([...this.#dapps.values()].map((dapp) => dapp.close()));
    this.#dapps.clear();
    await this.#options.runtime.cleanup();
  }

  get #warmOptions(): WarmOptions {
    return { ...this.#options, pool: this.#pool };
  }
}

/** What an image holds of its dapp, read once. */
interface DappImage {
  readonly tree: Hash;
  readonly manifest: Manifest;
  readonly contract: Contract;
  readonly environment: ImageSettings["environment"];
}

/** Most images say nothing of their programs. One that cannot be read is no such image: nodes would run it differently. */
async function settingsOf(images: Images, tree: Hash): Promise<ImageSettings> {
  const text = await images.text(tree, SETTINGS_PATH).catch((error) => {
    if (error instanceof GdoError && error.code === "NOT_FOUND") return undefined;
    throw error;
  });
  return text === undefined ? { environment: {}, run: [] } : parseSettings(text);
}

interface WarmOptions extends DappHostOptions {
  readonly pool: ContainerPool;
  readonly isVaried?: boolean;
}

/** One dapp: its calls checked before and after the container that serves it. */
class WarmDapp implements AnyForm, DappImage {
  readonly manifest: Manifest;
  readonly contract: Contract;
  readonly tree: Hash;
  readonly environment: ImageSettings["environment"];
  readonly #container: WarmContainer;

  constructor({ tree, manifest, contract, environment }: DappImage, options: WarmOptions) {
    this.tree = tree;
    this.manifest = manifest;
    this.contract = contract;
    this.environment = environment;
    const { name: dapp, run, limits } = manifest;
    const { images, isVaried = false } = options;
    const spec = async (): Promise<ContainerSpec> => ({
      dapp,
      rootfs: await images.rootfs(tree),
      run,
      environment,
      limits,
      isVaried,
    });
    this.#container = new WarmContainer(manifest, { ...options, spec });
  }

  /** [D6] Entries with an act that does not fit its schema are void before the dapp sees them. */
  async reduce(input: AppInput, state: DappState): Promise<ReduceResult> {
    const wire = inputToWire(input);
    const reasons = new Map<Hash, string>();
    for (const { id, acts } of wire.entries) {
      const why = this.contract.whyVoid(acts);
      if (why !== undefined) reasons.set(id, why);
    }
    const entries = reasons.size === 0 ? wire.entries : wire.entries.filter(({ id }) => !reasons.has(id));
    const ids = entries.map(({ id }) => id);
    const result = await this.#ask("reduce", { ...wire, entries }, { now: state }, (answer) =>
      reduceResultFromWire(answer, ids),
    );
    requireUnmarked(this.manifest.name, result.changes);
    this.#checkSize(result.changes, state);
    return reasons.size === 0 ? result : { ...result, outcomes: withVoids(input, result, reasons) };
  }

  /** [D2] What makes a state smaller is let through, also where it is too large already: another image may allow less. */
  #checkSize(changes: readonly StateChange[], state: DappState): void {
    const { name, limits } = this.manifest;
    const { before, after } = stateBytes(state, name, changes);
    if (after > limits.stateBytes && after > before)
      throw new GdoError("DAPP_LIMIT", `${name} hit its state limit of ${formatBytes(limits.stateBytes)}`);
  }

  async migrate(step: Migration, state: DappState): Promise<readonly StateChange[]> {
    const changes = await this.#ask("migrate", step, { now: state }, migrationFromWire);
    requireUnmarked(this.manifest.name, changes);
    this.#checkSize(changes, state);
    return changes;
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

  async command({ name, args, actor, timeMs }: Command, state: DappState): Promise<readonly Act[]> {
    const { name: dapp, commands } = this.manifest;
    const right = Object.hasOwn(commands, name) ? commands[name]?.right : undefined;
    if (right === undefined) {
      const known = Object.keys(commands).join(", ");
      throw new GdoError("NOT_FOUND", `${dapp} has no command ${name}`, { hint: `its commands: ${known}` });
    }
    if (!actor.rights.includes(right))
      throw new GdoError("REFUSED", `${dapp} ${name}: ${actor.principal} does not have the right ${right}`);
    const params = { name, args: jsonFromCanonical(args), actor, time: timeMs };
    const why = this.contract.whyNotArgs(name, params.args);
    if (why !== undefined) throw new GdoError("INPUT_INVALID", `${dapp} ${name}: ${why}`);
    const answer = await this.#ask("command", params, { now: state }, (made) => this.#fitting(made));
    if ("refused" in answer) throw new GdoError("REFUSED", `${dapp} ${name}: ${answer.refused}`);
    return answer.acts;
  }

  /** A dapp that would append what it would not take is at fault itself. */
  #fitting(answer: unknown): ReturnType<typeof commandAnswerFromWire> {
    const read = commandAnswerFromWire(answer);
    if ("refused" in read) return read;
    const why = this.contract.whyVoid(read.acts.map(({ type, body }) => [type, jsonFromCanonical(body)]));
    if (why !== undefined) throw new GdoError("DAPP_ERROR", `the answer to command does not fit: ${why}`);
    return read;
  }

  close(): Promise<void> {
    return this.#container.close();
  }

  /** An answer that is refused ends the container like any other failure. */
  #ask<T>(method: string, params: unknown, views: Record<string, DappState>, read: (answer: unknown) => T): Promise<T> {
    const calls = hostCallsFor(this.manifest, views);
    return this.#container
      .use(async (session) => read(await session.call(method, params, calls)))
      .catch((cause: unknown) => {
        throw this.#named(cause);
      });
  }

  /** What `read` refuses does not say whose answer it was. */
  #named(cause: unknown): unknown {
    const isUnnamed = cause instanceof GdoError && !cause.message.startsWith(this.manifest.name);
    return isUnnamed ? new GdoError(cause.code, `${this.manifest.name}: ${cause.message}`, { cause }) : cause;
  }
}

/** All outcomes in the order of the entries. */
function withVoids(
  { entries }: AppInput,
  { outcomes }: ReduceResult,
  reasons: ReadonlyMap<Hash, string>,
): ReduceResult["outcomes"] {
  const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
  return entries.flatMap(({ id }) => {
    const reason = reasons.get(id);
    return reason === undefined ? (byId.get(id) ?? []) : [{ id, void: reason, events: [] }];
  });
}
