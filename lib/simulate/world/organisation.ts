/** The simulated organisation: validators that govern and merge, doors that append; keys from the seed. */
import type { Rng } from "../../base/index.ts";
import { type Block, type KeyPair, keyFromSeed, signBlock } from "../../codec/index.ts";
import { branchPolicy, encodeGenesis, type FaultModel } from "../../ledger/index.ts";

export interface Member {
  /** Also its principal's. */
  readonly name: string;
  readonly pair: KeyPair;
  readonly isValidator: boolean;
}

export interface Organisation {
  readonly charter: Block;
  readonly members: readonly Member[];
}

const SEED_BYTES = 32;

/** How many of so many nodes validate: three to seven that are better connected. */
export function validatorsOf(nodes: number): number {
  return Math.max(1, Math.min(7, Math.round(nodes / 3)));
}

export function foundOrganisation(nodes: number, rng: Rng, startMs: number): Organisation {
  const validators = validatorsOf(nodes);
  const members = [...Array(nodes).keys()].map((index): Member => {
    const isValidator = index < validators;
    const name = isValidator ? `validator-${index + 1}` : `door-${index - validators + 1}`;
    return { name, pair: keyFromSeed(rng.bytes(SEED_BYTES)), isValidator };
  });
  const [first] = members as [Member];
  const mode =
    validators === 1
      ? ({ mode: "single", validator: first.name } as const)
      : ({ mode: "quorum", validators: "validator", q: null } as const);
  const fault: FaultModel = validators > 3 ? "byzantine" : "crash";
  const d = encodeGenesis({
    name: "A simulated maker space",
    fault,
    principals: members.map(({ name, pair, isValidator }) => ({
      id: name,
      devices: [pair.publicKey],
      roles: [isValidator ? "validator" : "door"],
      recovery: null,
    })),
    roles: { validator: ["append", "govern", "validate"], door: ["append"] },
    branches: {
      charter: branchPolicy(mode, { fork: "deny" }),
      main: branchPolicy(mode),
    },
    limits: {},
  });
  const fields = {
    v: 1,
    k: "charter",
    o: null,
    a: first.pair.publicKey,
    l: "0000000000000000",
    n: 0,
    b: null,
  } as const;
  return { charter: signBlock({ ...fields, p: [], c: 1, t: [startMs, null, 0], d }, first.pair), members };
}
