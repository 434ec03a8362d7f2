/** [L17] How long a validator abstains whose log had to begin anew. */
import test from "ava";
import { mustAbstain } from "../../lib/node/merging/abstention.ts";

const memoryOf = (): Parameters<typeof mustAbstain>[0] & { readonly kept: Map<string, string> } => {
  const kept = new Map<string, string>();
  return {
    kept,
    appendOwn: () => {},
    lastOf: () => undefined,
    meta: (key: string) => kept.get(key),
    setMeta: (key: string, value: string) => void kept.set(key, value),
  } as never;
};

const three = { branch: "main", n: 3, q: 2, height: 4 } as const;

test("[L17] it abstains until q others have reported, for what they report, and one height more", (t) => {
  const memory = memoryOf();
  const ask = (h: number, reports: readonly number[], turn = "aa"): boolean =>
    mustAbstain(memory, turn, { ...three, h, reports });
  t.true(ask(5, []));
  t.true(ask(5, [6]));
  t.true(ask(5, [6, 7]));
  t.true(ask(8, []));
  t.false(ask(9, []));
  t.true(ask(9, [9], "bb")); // Another turn, another question.
});

test("[L17] a log that goes on votes, and so does everybody where nobody can be spared", (t) => {
  const memory = memoryOf();
  t.false(mustAbstain(memory, undefined, { ...three, h: 5, reports: [] }));
  t.false(mustAbstain(memory, "aa", { ...three, q: 3, h: 5, reports: [] }));
  t.is(memory.kept.size, 0);
});
