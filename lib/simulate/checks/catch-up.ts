/** I8: a node that has nothing catches up with one that has all, alone with it on a sound network; what that costs. */
import { type Delivery, decodeFrame } from "../../sync/index.ts";
import type { SimNode } from "../world/node.ts";
import type { World } from "../world/world.ts";

const FRAME_BYTES_MAX = 1 << 20;
/** A log's tag and number in a question and in its answer, with the frames' own heads. */
const LOG_BYTES = 64;
const BLOCK_BYTES = 48;
const CATCH_UP_MS_MAX = 120_000;
const STEP_MS = 1000;

/** Takes every other node off the network, so it comes last. */
export async function checkCatchUp(world: World, keeper: SimNode, late: SimNode): Promise<void> {
  for (const node of world.nodes) node.hold("all");
  late.replaceCard();
  const meter = new Meter();
  world.broker.onDelivery = meter.count;
  keeper.release();
  late.release();
  const endMs = world.nowMs + CATCH_UP_MS_MAX;
  while (world.findings.length === 0 && world.nowMs < endMs && !isEqual(keeper, late))
    await world.runUntil(world.nowMs + STEP_MS);
  if (world.findings.length > 0) return;
  if (!isEqual(keeper, late)) return world.fail("I8", `${late.name} did not catch up with ${keeper.name}`);
  const frontier = keeper.db?.frontier() ?? [];
  const missing = frontier.reduce((sum, { n }) => sum + n + 1, 0);
  const bytesMax = LOG_BYTES * frontier.length + BLOCK_BYTES * missing;
  if (meter.bytes > bytesMax)
    world.fail(
      "I8",
      `catching up with ${missing} blocks of ${frontier.length} logs cost ${meter.bytes} bytes, more than ${bytesMax}`,
    );
}

function isEqual(keeper: SimNode, late: SimNode): boolean {
  const [there, here] = [keeper.db, late.db].map((db) => {
    return db === undefined
      ? undefined
      : JSON.stringify([db.frontier(), db.branches().map((name) => db.stateRoots(name))]);
  });
  return there !== undefined && there === here;
}

/** What questions and answers about blocks take beside the blocks; presence and objects are others' matter. */
class Meter {
  bytes = 0;

  readonly count = ({ bytes, from, to }: Delivery): void => {
    if (from === to || bytes.length === 0) return;
    const frame = decodeFrame(bytes, FRAME_BYTES_MAX);
    if (frame.type === "front" || (frame.type === "want" && frame.ranges.length > 0)) this.bytes += bytes.length;
    if (frame.type === "data" && frame.envelopes.length > 0)
      this.bytes += bytes.length - frame.envelopes.reduce((sum, { length }) => sum + length, 0);
  };
}
