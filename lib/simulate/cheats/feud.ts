/**
 * Two administrators who want each other out: at one time each takes from the other what it can, by honest logs and
 * operations that are in order. The charter must come to one outcome everywhere, and never be without anybody who can act.
 */
import type { Rng } from "../../base/index.ts";
import { type Act, CHARTER_APP } from "../../ledger/index.ts";
import type { SimNode } from "../world/node.ts";
import { STEWARD, STEWARD_RIGHTS, VALIDATOR, VALIDATOR_RIGHTS } from "../world/organisation.ts";
import type { World } from "../world/world.ts";

/** Then they are reconciled, as far as they still can: the next feud begins where this one began. */
const PEACE_AFTER_MS = 3_600_000;
const BLOWS_MAX = 4;

/** What one may do to the other, and how often relative to the rest. */
const BLOWS: readonly ((other: SimNode, self: SimNode) => Act)[] = [
  ({ name }) => ({ type: "role.revoke", body: { principal: name, role: STEWARD } }),
  ({ member }) => ({ type: "device.revoke", body: { key: member.pair.publicKey } }),
  ({ name }) => ({ type: "principal.remove", body: { id: name } }),
  () => ({ type: "role.set", body: { role: STEWARD, rights: without(STEWARD_RIGHTS) } }),
  (_other, self) => ({ type: "role.grant", body: { principal: self.name, role: STEWARD } }),
];

export function feud(world: World, pair: readonly SimNode[], rng: Rng): void {
  pair.forEach((self, index) => {
    const other = pair[1 - index];
    if (other === undefined) return;
    // Often the others are put out of it first: whoever is left then is the last who can act.
    if (rng.next() < 0.5) say(self, { type: "role.set", body: { role: VALIDATOR, rights: without(VALIDATOR_RIGHTS) } });
    for (let blow = 0; blow <= rng.next() * BLOWS_MAX; blow += 1) {
      const act = BLOWS[Math.floor(rng.next() * BLOWS.length)]?.(other, self);
      if (act !== undefined) say(self, act);
    }
    world.plan(world.nowMs + PEACE_AFTER_MS, () => {
      say(self, { type: "role.set", body: { role: VALIDATOR, rights: VALIDATOR_RIGHTS } });
      say(self, { type: "role.set", body: { role: STEWARD, rights: STEWARD_RIGHTS } });
      say(self, { type: "role.grant", body: { principal: other.name, role: STEWARD } });
    });
  });
}

function say(node: SimNode, act: Act): void {
  node.process?.append(CHARTER_APP, [act]);
}

/** The right to govern is what they fight for. */
function without(rights: readonly string[]): readonly string[] {
  return rights.filter((right) => right !== "govern");
}
