/** The simulated organisation: validators that govern and merge, doors that append; keys from the seed. */
import type { Rng } from "../../base/index.ts";
import { type Block, type KeyPair, keyFromSeed, signBlock } from "../../codec/index.ts";
import { branchPolicy, encodeGenesis, type FaultModel } from "../../ledger/index.ts";

export interface Member {
  /** Also its principal's. */
  readonly name: string;
  readonly pair: KeyPair;
  readonly isValidator: boolean;
  /** Of two doors, the owners govern, too: they may fall out. */
  readonly isSteward: boolean;
  /** Of one door the owner stands in for validators that are away. */
  readonly isDeputy: boolean;
}

export interface Organisation {
  readonly charter: Block;
  readonly members: readonly Member[];
  /** What validators may do that they should not: stop, or lie. */
  readonly fault: FaultModel;
}

const SEED_BYTES = 32;
/** Roles, and what they may do. */
export const VALIDATOR = "validator";
export const VALIDATOR_RIGHTS = ["append", "govern", "validate"];
export const STEWARD = "steward";
export const STEWARD_RIGHTS = ["append", "govern"];
const STEWARDS = 2;

export interface Size {
  readonly nodes: number;
  /** Of these so many validate: a third, seven at most, unless said. */
  readonly validators?: number | undefined;
}

export function foundOrganisation(
  { nodes, validators = aThird(nodes) }: Size,
  rng: Rng,
  startMs: number,
): Organisation {
  const members = [...Array(nodes).keys()].map((index): Member => {
    const isValidator = index < validators;
    const isSteward = !isValidator && index < validators + STEWARDS;
    const name = isValidator ? `validator-${index + 1}` : `door-${index - validators + 1}`;
    const isDeputy = index === validators + STEWARDS;
    return { name, pair: keyFromSeed(rng.bytes(SEED_BYTES)), isValidator, isSteward, isDeputy };
  });
  const [first] = members as [Member];
  const mode =
    validators === 1
      ? ({ mode: "single", validator: first.name } as const)
      : ({ mode: "quorum", validators: VALIDATOR, q: null } as const);
  const fault: FaultModel = validators > 3 ? "byzantine" : "crash";
  const d = encodeGenesis({
    name: "A simulated maker space",
    fault,
    principals: members.map(({ name, pair, isValidator, isSteward }) => ({
      id: name,
      devices: [pair.publicKey],
      roles: isValidator ? [VALIDATOR] : ["door", ...(isSteward ? [STEWARD] : [])],
      recovery: null,
    })),
    roles: { [VALIDATOR]: VALIDATOR_RIGHTS, [STEWARD]: STEWARD_RIGHTS, door: ["append"] },
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
  return { charter: signBlock({ ...fields, p: [], c: 1, t: [startMs, null, 0], d }, first.pair), members, fault };
}

function aThird(nodes: number): number {
  return Math.max(1, Math.min(7, Math.round(nodes / 3)));
}
