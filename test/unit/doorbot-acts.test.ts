import { createHash } from "node:crypto";
import test from "ava";
import { importActs, parseDoorbot } from "../../lib/interop/index.ts";

const HEADER = "username,key,value,allowed,hashedCard,lastAccessed";
const hashOf = (card: number): string => createHash("sha224").update(String(card).padStart(10, "0")).digest("hex");
const row = (member: string, level: number, allowed: string, card: number): string =>
  `${member},0,${level},${allowed},${hashOf(card)},x`;
const refOf = (sha224: string): string => `ref-${[...Array(500).keys()].findIndex((card) => hashOf(card) === sha224)}`;
const acts = (...rows: string[]) => importActs(parseDoorbot(Buffer.from([HEADER, ...rows].join("\n"))).rows, refOf);

test("doorbot acts: a member with two cards is one person with two credentials", (t) => {
  t.deepEqual(acts(row("ann", 2, "allowed", 1), row("bob", 0, "allowed", 2), row("ann", 2, "denied", 3)), [
    [
      { type: "person.put", body: { id: "ann", name: "ann", level: 2, status: "active" } },
      { type: "credential.put", body: { ref: "ref-1", person: "ann", status: "active" } },
      { type: "credential.put", body: { ref: "ref-3", person: "ann", status: "denied" } },
      { type: "person.put", body: { id: "bob", name: "bob", level: 0, status: "active" } },
      { type: "credential.put", body: { ref: "ref-2", person: "bob", status: "active" } },
    ],
  ]);
});

test("[A1] doorbot acts: a card in conflict is put once, denied, with the reason; both members stay members", (t) => {
  const [group] = acts(row("ann", 0, "allowed", 1), row("bob", 0, "allowed", 1));
  t.deepEqual(
    group?.map((act) => act.type),
    ["person.put", "credential.put", "person.put"],
  );
  t.like(group?.[1], { body: { status: "denied", person: "ann" } });
  t.regex(String(group?.[1]?.body["note"]), /lines 2, 3/);
});

test("doorbot acts: a member whose level nobody can read has none", (t) => {
  t.like(acts(row("ann", 9, "allowed", 1))[0]?.[0], { body: { level: -1 } });
});

test("[A1] doorbot acts: a card without a member is not put, so the door does not know it", (t) => {
  t.deepEqual(acts(row("", 0, "allowed", 1)), []);
});

test("[A6] doorbot acts: no hash of a card leaves the importer", (t) => {
  const rows = [
    row("ann", 0, "allowed", 1),
    row("ann", 0, "denied", 1),
    row("bob", 9, "allowed", 2),
    `cat,0,allowed,${hashOf(3)},x`,
  ];
  t.notRegex(JSON.stringify(acts(...rows)), /[0-9a-f]{20}/);
});

test("doorbot acts: each group fits one entry, 256 acts and 60 kB, and a person comes before their cards", (t) => {
  const long = "€".repeat(20);
  const groups = acts(...[...Array(400).keys()].map((card) => row(`${long}${card % 300}`, 9, "allowed", card)));
  const seen = new Set<string>();
  for (const { type, body } of groups.flat()) {
    if (type === "person.put") seen.add(String(body["id"]));
    else t.true(seen.has(String(body["person"])));
  }
  t.is(groups.flat().length, 700);
  t.true(groups.length > 2);
  for (const group of groups) {
    t.true(group.length <= 256);
    t.true(Buffer.byteLength(JSON.stringify(group)) <= 60_000);
  }
});

test("doorbot acts: small acts fill a group to its 256", (t) => {
  const groups = acts(...[...Array(300).keys()].map((card) => row(`m${card}`, 0, "allowed", card)));
  t.deepEqual(
    groups.map((group) => group.length),
    [256, 256, 88],
  );
});
