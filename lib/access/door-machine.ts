/**
 * A door's states, as far as the strike goes: what a grant does in each, and that every way out of
 * "unlocked" ends locked [A4]. Pure: the strike keeps the time and reports back.
 *
 *   init --released--> locked --granted--> unlocked --elapsed--> relocking --released--> locked
 *                                 ^  |granted: extends       |granted
 *                                 +--+-----------------------+
 */
export type DoorState =
  | { readonly name: "init" } // The strike has not yet been seen released: nothing unlocks.
  | { readonly name: "locked" }
  | { readonly name: "unlocked"; readonly untilNs: bigint }
  | { readonly name: "relocking" };

export type DoorInput =
  | { readonly type: "granted"; readonly nowNs: bigint; readonly unlockMs: number }
  | { readonly type: "elapsed" } // The strike's time is over; it is being released.
  | { readonly type: "released" } // The strike is seen released.
  | { readonly type: "lock" }; // Lock now: shutdown or fault.

export type DoorOutput = { readonly type: "energise"; readonly forMs: number } | { readonly type: "release" };

export interface DoorStep {
  readonly state: DoorState;
  readonly outputs: readonly DoorOutput[];
}

export const DOOR_INIT: DoorState = { name: "init" };

const NS_PER_MS = 1e6;

export function stepDoor(state: DoorState, input: DoorInput): DoorStep {
  switch (input.type) {
    case "granted":
      return unlock(state, input.nowNs, input.unlockMs);
    case "elapsed":
      return { state: state.name === "unlocked" ? { name: "relocking" } : state, outputs: [] };
    case "released":
      return { state: { name: "locked" }, outputs: [] };
    case "lock":
      return { state: state.name === "locked" ? state : { name: "relocking" }, outputs: [{ type: "release" }] };
  }
}

function unlock(state: DoorState, nowNs: bigint, unlockMs: number): DoorStep {
  if (state.name === "init") return { state, outputs: [] };
  const dueNs = nowNs + BigInt(unlockMs) * BigInt(NS_PER_MS);
  // A second grant extends; it never shortens what the first one gave.
  const untilNs = state.name === "unlocked" && state.untilNs > dueNs ? state.untilNs : dueNs;
  const forMs = Number(untilNs - nowNs) / NS_PER_MS;
  return { state: { name: "unlocked", untilNs }, outputs: [{ type: "energise", forMs }] };
}
