/** What is remembered of late, and what is forgotten first. */
import test from "ava";
import fc from "fast-check";
import { Kept } from "../../lib/base/index.ts";

test("the half of what it may hold that was asked for last is there, and under each key its own value", (t) => {
  const steps = fc.array(fc.record({ key: fc.integer({ min: 0, max: 40 }), isGet: fc.boolean() }), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), steps, (max, all) => {
      const kept = new Kept<number, string>(max);
      const asked: number[] = [];
      for (const { key, isGet } of all) {
        const found = isGet ? kept.get(key) : kept.set(key, `v${key}`);
        if (found === undefined) continue;
        t.is(found, `v${key}`);
        asked.push(key);
      }
      const newest = [...new Set(asked.reverse())].slice(0, Math.max(1, Math.floor(max / 2)));
      for (const key of newest.reverse()) t.is(kept.get(key), `v${key}`);
    }),
  );
});

test("it holds no more than it may", (t) => {
  const kept = new Kept<number, number>(10);
  for (let key = 0; key < 100; key += 1) kept.set(key, key);
  const held = Array.from({ length: 100 }, (_, at) => 99 - at).filter((key) => kept.get(key) !== undefined);
  t.true(held.length >= 5 && held.length <= 10, `${held.length}`);
});

test("what is taken out is gone from both generations", (t) => {
  const kept = new Kept<string, number>(2);
  kept.set("a", 1);
  kept.set("b", 2);
  kept.delete("a");
  t.is(kept.get("a"), undefined);
  kept.set("a", 3);
  kept.clear();
  t.deepEqual([kept.get("a"), kept.get("b")], [undefined, undefined]);
});
