/**
 * Policy snapshots as the node handles them. The validator has the door dapp compile one after each merge
 * that changes what doors decide by, signs it and records it; every node finds the newest in the final
 * state, fetches its content, checks its signature and hands it to its doors. Rules: docs/design/door.md.
 */
import { decodePolicy, encodeSignedPolicy, type Policy, signPolicy, verifySignedPolicy } from "../../access/index.ts";
import { fromHex, GdoError, type Hash, OBJECT_BYTES_MAX, type PublicKey, toHex } from "../../base/index.ts";
import { type Canonical, deriveHash, verifySignature } from "../../codec/index.ts";
import { authorOf } from "../../ledger/index.ts";
import { putBlob, readBlobBytes } from "../../store/index.ts";
import type { GdoNode } from "../node.ts";

const DOOR_APP = "door";
/** Key in the door dapp's state. */
const LATEST = "latest";
const RIGHT_POLICY = "policy";
const META_FINGERPRINT = "policy.fingerprint";
const META_ISSUED = "policy.issued";
/** Of the newest policy that this node has published, final or not yet. */
const META_GENERATION = "policy.generation";
const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;

/** What the door dapp's state says of the newest policy. */
interface PolicyRecord {
  readonly policy: Hash;
  readonly generation: number;
  readonly issuer: PublicKey;
  /** Hex. */
  readonly signature: string;
}

export interface HeldPolicy {
  readonly id: Hash;
  readonly policy: Policy;
  /** As doors take it. */
  readonly signed: Uint8Array;
}

export class PolicyBook {
  readonly #node: GdoNode;
  #held: HeldPolicy | undefined;
  #turn: Promise<void> = Promise.resolve();
  #publishing: Promise<void> = Promise.resolve();
  #publishingCount = 0;

  constructor(node: GdoNode) {
    this.#node = node;
  }

  /** The newest policy of the final state that is held whole. */
  get held(): HeldPolicy | undefined {
    return this.#held;
  }

  /** Whether a snapshot is being compiled that may become an entry. */
  get isPublishing(): boolean {
    return this.#publishingCount > 0;
  }

  /** Generation of the newest policy that the final state names; 0 for none. */
  get latest(): number {
    return this.#record()?.generation ?? 0;
  }

  #record(): PolicyRecord | undefined {
    return this.#node.parts.db.state(DOOR_APP).get(LATEST) as unknown as PolicyRecord | undefined;
  }

  /** Looks whether the final state names a newer policy, and gets it. */
  refresh(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#refresh());
    return this.#turn;
  }

  async #refresh(): Promise<void> {
    const { fetcher } = this.#node;
    const record = this.#record();
    if (record === undefined || record.generation <= (this.#held?.policy.generation ?? 0)) return;
    if (!(await fetcher.has(record.policy, record.issuer))) return;
    try {
      await this.#take(record);
    } catch (cause) {
      if (!(cause instanceof GdoError)) throw cause;
      this.#complain(cause);
    }
  }

  async #take(record: PolicyRecord): Promise<void> {
    const { store, db } = this.#node.parts;
    const bytes = await readBlobBytes(store, record.policy, OBJECT_BYTES_MAX);
    const signature = fromHex(record.signature) ?? new Uint8Array();
    const signed = { policy: bytes, issuer: record.issuer, signature };
    const author = authorOf(db.charterAt(), record.issuer);
    const issuers = author?.rights.includes(RIGHT_POLICY) === true ? [record.issuer] : [];
    verifySignedPolicy(signed, issuers, verifySignature);
    const policy = decodePolicy(bytes);
    if (policy.generation <= (this.#held?.policy.generation ?? 0)) return;
    this.#held = { id: record.policy, policy, signed: encodeSignedPolicy(signed) };
    this.#node.listener.policyChanged(policy.generation);
  }

  #complain(cause: GdoError): void {
    this.#node.countRefusal("policy");
    this.#node.parts.log.error("a policy was refused", { why: cause.message });
  }

  /** The validator's part, after a merge: compiles, and publishes when doors would decide otherwise or the last grows old. */
  publish(height: number): Promise<void> {
    this.#publishingCount += 1;
    const published = this.#publishing.then(() => this.#publish(height));
    this.#publishing = published.catch(() => undefined);
    return published.finally(() => {
      this.#publishingCount -= 1;
    });
  }

  async #publish(height: number): Promise<void> {
    const { parts } = this.#node;
    if (this.#node.treeOf(DOOR_APP) === undefined) return;
    const timeless = { generation: 0, height: 0, issuedMs: 0, softMs: 0, hardMs: 0 };
    const fingerprint = deriveHash("gdo v1 policy content", await this.#compile(timeless));
    if (fingerprint === parts.db.meta(META_FINGERPRINT) && !this.#growsOld()) return;
    const { generation, issuedMs, ...times } = this.#header();
    const bytes = await this.#compile({ generation, height, issuedMs, ...times });
    const { id } = await putBlob(parts.store, bytes);
    await parts.store.commit();
    const { signature } = signPolicy(bytes, parts.pair);
    const body = { policy: id, generation, height, issuer: parts.pair.publicKey, signature: toHex(signature) };
    this.#node.append(DOOR_APP, [{ type: "policy.publish", body }]);
    parts.db.setMeta(META_FINGERPRINT, fingerprint);
    parts.db.setMeta(META_ISSUED, String(issuedMs));
    parts.db.setMeta(META_GENERATION, String(generation));
  }

  #header(): { generation: number; issuedMs: number; softMs: number; hardMs: number } {
    const { clock, config, db } = this.#node.parts;
    const issuedMs = Math.floor(clock.nowMs());
    const published = Number(db.meta(META_GENERATION) ?? 0); // Perhaps not merged yet.
    return {
      generation: Math.max(this.latest, published) + 1,
      issuedMs,
      softMs: issuedMs + config.policy.softHours * MS_PER_HOUR,
      hardMs: issuedMs + config.policy.hardDays * HOURS_PER_DAY * MS_PER_HOUR,
    };
  }

  #growsOld(): boolean {
    const { clock, config, db } = this.#node.parts;
    const issuedMs = Number(db.meta(META_ISSUED) ?? 0);
    return clock.nowMs() > issuedMs + (config.policy.softHours * MS_PER_HOUR) / 2;
  }

  async #compile(header: Readonly<Record<string, number>>): Promise<Uint8Array> {
    const answer: Canonical = await this.#node.query(DOOR_APP, "policy", header);
    const compiled = (answer as { policy?: Canonical } | null)?.policy;
    if (compiled instanceof Uint8Array) return compiled;
    throw new GdoError("DAPP_ERROR", "door: the answer to the query policy is no bytes");
  }
}
