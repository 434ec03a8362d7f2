/** The host keeps a dapp's contract: acts and commands that do not fit never reach the program. */
import test, { type ExecutionContext } from "ava";
import { type Dapp, fold, Refusal, serve } from "../../images/sdk/index.ts";
import { FakeClock, GdoError, type Hash, type PublicKey, silentLog } from "../../lib/base/index.ts";
import type { Canonical } from "../../lib/codec/index.ts";
import { type Command, DappHost, FakeRuntime, type Images, Trial } from "../../lib/dapp/index.ts";
import type { AppInput, LedgerEntry } from "../../lib/ledger/index.ts";
import { emptyState } from "../support/dapp-containers.ts";

const files: Record<string, string> = {
  "dapp.yaml": `
name: tally
version: 1.0.0
image: {base: node, run: [node, /app/main.mjs]}
accepts: {add: schemas/add.json, note: schemas/any.json}
commands: {use: {schema: schemas/add.json, right: append}}
`,
  "schemas/add.json": JSON.stringify({
    type: "object",
    properties: { amount: { type: "integer", minimum: 1 } },
    required: ["amount"],
  }),
  "schemas/any.json": "true",
};

function imagesOf(texts: Record<string, string>): Images {
  const text = async (_tree: Hash, path: string): Promise<string> =>
    texts[path] ?? Promise.reject(new GdoError("NOT_FOUND", "no file"));
  return { rootfs: async () => "/none", manifestText: (tree) => text(tree, "dapp.yaml"), text };
}

const SEED = "5".repeat(64) as Hash;
const seen: string[] = [];
const seeds: string[] = [];
const tally: Dapp = {
  reduce: (input, state) => {
    seeds.push(input.seed);
    return fold(input, state, {
      async add(_body, draft, entry) {
        seen.push(entry.id);
        draft.put("seen", true);
      },
      async note() {},
    });
  },
  async test({ seed }) {
    seeds.push(seed);
    return { verdict: "PASS" };
  },
  commands: {
    async use(args, _state, { principal, shown, timeMs }) {
      const { amount } = args as { amount: number };
      if (amount === 13) throw new Refusal("13 is unlucky");
      if (amount === 14) return [["add", { amount: 0 }]];
      if (amount === 15) return [];
      return [
        ["add", { amount }],
        ["note", { principal, shown, timeMs }],
      ];
    },
  },
};

async function withTally<T>(work: (dapp: Awaited<ReturnType<DappHost["dapp"]>>) => Promise<T>): Promise<T> {
  const runtime = new FakeRuntime({ tally: (streams) => serve(tally, streams) });
  const host = new DappHost({ runtime, images: imagesOf(files), log: silentLog, clock: new FakeClock() });
  try {
    return await work(await host.dapp("t" as Hash));
  } finally {
    await host.close();
  }
}

function entryOf(id: string, ...acts: [string, Canonical][]): LedgerEntry {
  const author = "a".repeat(64) as PublicKey;
  const made = acts.map(([type, body]) => ({ type, body }));
  return { id: id as Hash, author, principal: "ada", rights: ["append"], timeMs: 1, app: "tally", acts: made };
}

function inputOf(...entries: LedgerEntry[]): AppInput {
  return { height: 1, seed: SEED, entries, events: [], order: entries.map(({ id }) => id) };
}

test.serial(
  "[D6] an entry with an act that does not fit is void with act and place, and the dapp never sees it",
  async (t) => {
    seen.length = 0;
    const input = inputOf(
      entryOf("1", ["add", { amount: 0 }]),
      entryOf("2", ["add", { amount: 2 }]),
      entryOf("3", ["note", null], ["add", {}]),
      entryOf("4", ["sub", null]),
    );
    const { outcomes } = await withTally((dapp) => dapp.reduce(input, emptyState));
    t.deepEqual(
      outcomes.map(({ id, void: reason }) => [id, reason]),
      [
        ["1", "add: amount must be at least 1"],
        ["2", undefined],
        ["3", "add: amount is missing"],
        ["4", "there is no act sub"],
      ],
    );
    t.deepEqual(seen, ["2"]);
  },
);

test.serial(
  "[D3] reduce and test get the seed as the host has it; a trial gives one a merge, the same in each",
  async (t) => {
    seeds.length = 0;
    await withTally((dapp) => dapp.reduce(inputOf(), emptyState));
    await withTally((dapp) => dapp.test(inputOf(), { before: emptyState, after: emptyState }));
    t.deepEqual(seeds.splice(0), [SEED, SEED]);
    const entry = { by: "ada", acts: [["note", null]] } as const;
    for (const _ of [1, 2]) {
      await withTally(async (dapp) => {
        const trial = new Trial(dapp);
        await trial.merge([entry]);
        await trial.merge([entry]);
      });
    }
    const [first, second, ...again] = seeds;
    t.regex(String(first), /^[0-9a-f]{64}$/);
    t.not(first, second);
    t.deepEqual(again, [first, second]);
  },
);

function command(fields: Partial<Command>): Command {
  const actor = { principal: "ada", author: "a".repeat(64) as PublicKey, rights: ["append"], shown: "key" } as const;
  return { name: "use", args: { amount: 1 }, actor, timeMs: 7, ...fields };
}

async function refused(t: ExecutionContext, fields: Partial<Command>): Promise<string> {
  const asked = withTally((dapp) => dapp.command(command(fields), emptyState));
  const error = await t.throwsAsync(asked, { instanceOf: GdoError });
  return `${error?.code} ${error?.message}`;
}

test.serial("[D7] a command becomes acts; the dapp is told who asks, how they showed it, and when", async (t) => {
  const acts = await withTally((dapp) => dapp.command(command({}), emptyState));
  t.deepEqual(JSON.parse(JSON.stringify(acts)), [
    { type: "add", body: { amount: 1 } },
    { type: "note", body: { principal: "ada", shown: "key", timeMs: 7 } },
  ]);
});

test.serial(
  "[D7] without the right, with arguments that do not fit, or by the dapp's own words it is refused",
  async (t) => {
    const nobody = { ...command({}).actor, rights: [] };
    t.is(await refused(t, { actor: nobody }), "REFUSED tally use: ada does not have the right append");
    t.is(await refused(t, { args: { amount: 0 } }), "INPUT_INVALID tally use: amount must be at least 1");
    t.is(await refused(t, { args: { amount: 13 } }), "REFUSED tally use: 13 is unlucky");
    t.is(await refused(t, { name: "give" }), "NOT_FOUND tally has no command give");
  },
);

test.serial("[D7] a dapp that would append what it does not take is at fault", async (t) => {
  const words = "DAPP_ERROR tally: the answer to command does not fit: add: amount must be at least 1";
  t.is(await refused(t, { args: { amount: 14 } }), words);
  t.is(await refused(t, { args: { amount: 15 } }), "DAPP_ERROR tally: the answer to command has 0 acts, not 1 to 256");
});

test("[D6] a schema that is not there is named when the dapp is loaded", async (t) => {
  const images = imagesOf({ "dapp.yaml": files["dapp.yaml"] ?? "" });
  const host = new DappHost({ runtime: new FakeRuntime({}), images, log: silentLog, clock: new FakeClock() });
  const message = "dapp.yaml names schemas/add.json, which cannot be read";
  await t.throwsAsync(host.dapp("t" as Hash), { code: "DAPP_MANIFEST", message });
});

test("[D3] an image whose settings cannot be read is not run without them", async (t) => {
  const broken: Images = {
    ...imagesOf(files),
    text: (tree, path) =>
      path.startsWith("etc/") ? Promise.reject(new GdoError("IO", "a read failed")) : imagesOf(files).text(tree, path),
  };
  const host = new DappHost({
    runtime: new FakeRuntime({}),
    images: broken,
    log: silentLog,
    clock: new FakeClock(),
  });
  await t.throwsAsync(host.dapp("t" as Hash), { code: "IO" });
  await host.close();
});
