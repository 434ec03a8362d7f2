/**
 * Delta debugging (Zeller and Hildebrandt, 2002): of a schedule of faults with which a run fails, a part with
 * which it still does, and of which nothing can be left out.
 */

/** At most so many runs; what is left then is small enough to look at. */
const RUNS_MAX = 80;

/** `fails` plays a part of the items. The result fails, if `items` does. */
export async function shrink<T>(
  items: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let left = items;
  let pieces = 2;
  let runs = 1;
  if (items.length > 0 && (await fails([]))) return [];
  while (left.length > 1 && runs < RUNS_MAX) {
    const smaller = await firstThat(without(left, pieces), async (part) => {
      runs += 1;
      return runs <= RUNS_MAX && (await fails(part));
    });
    if (smaller !== undefined) {
      left = smaller;
      pieces = Math.max(2, pieces - 1);
    } else if (pieces >= left.length) break;
    else pieces = Math.min(left.length, pieces * 2);
  }
  return left;
}

/** All items but those of one of so many pieces. */
function without<T>(items: readonly T[], pieces: number): T[][] {
  const size = Math.ceil(items.length / pieces);
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += size)
    parts.push([...items.slice(0, start), ...items.slice(start + size)]);
  return parts;
}

async function firstThat<T>(parts: readonly T[], holds: (part: T) => Promise<boolean>): Promise<T | undefined> {
  for (const part of parts) if (await holds(part)) return part;
  return undefined;
}
