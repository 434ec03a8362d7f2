/** The simulated dapps as a node opens them. */
import type { Hash, Rng } from "../../base/index.ts";
import type { CanonicalMap } from "../../codec/index.ts";
import type { MergeApp, StateView } from "../../ledger/index.ts";
import type { NodeApps } from "../../node/index.ts";
import { FLAKY_DAPP, flakyDapp, makerSpaceDapp } from "./maker-space.ts";

/** Those that the charter has installed; one that a cheat has brought depends on its surroundings, here `rng`. */
export function installedApps(charter: StateView, rng: Rng): MergeApp[] {
  return [...charter.scan("dapp/")].map(([key, value]) => {
    const name = key.slice("dapp/".length);
    const image = (value as CanonicalMap)["tree"] as Hash;
    return name === FLAKY_DAPP ? flakyDapp(image, () => rng.next()) : makerSpaceDapp(name, image);
  });
}

export function simulatedApps(rng: Rng): NodeApps {
  return {
    open: async (charter) => ({ apps: installedApps(charter, rng), missing: [], close: async () => {} }),
  };
}
