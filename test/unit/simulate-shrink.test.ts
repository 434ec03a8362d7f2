import test from "ava";
import { shrink } from "../../lib/simulate/index.ts";

const ITEMS = [...Array(40).keys()];

test("shrink: finds the two of forty that it takes", async (t) => {
  let runs = 0;
  const few = await shrink(ITEMS, async (part) => {
    runs += 1;
    return part.includes(7) && part.includes(31);
  });
  t.deepEqual(few, [7, 31]);
  t.true(runs <= 81);
});

test("shrink: nothing is left of what fails by itself", async (t) => {
  t.deepEqual(await shrink(ITEMS, async () => true), []);
});

test("shrink: what needs everything stays whole", async (t) => {
  t.deepEqual(await shrink([1, 2, 3], async (part) => part.length === 3), [1, 2, 3]);
});
