/** A dapp's log on disk: lines with their time, bounded, and read while it grows. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { DappLogReader, DappLogs } from "../../lib/agent/apps/dapp-logs.ts";
import { FakeClock, silentLog } from "../../lib/base/index.ts";

const BYTES_MAX = 200;
const STAMP = "1970-01-01T00:00:01.000Z";

function open(t: ExecutionContext): { logs: DappLogs; dir: string } {
  const dir = join(mkdtempSync(join(tmpdir(), "gdo-logs-")), "logs");
  const logs = new DappLogs({ dir, clock: new FakeClock(1000), log: silentLog, bytesMax: BYTES_MAX });
  t.teardown(() => {
    logs.close();
    rmSync(join(dir, ".."), { recursive: true, force: true });
  });
  return { logs, dir };
}

test("each dapp has a file of its own, a line begins with its time, and control characters do not reach a terminal", (t) => {
  const { logs, dir } = open(t);
  logs.write("door", "one");
  logs.write("member", "two\u001b[2J\rx");
  t.is(readFileSync(join(dir, "door.log"), "utf8"), `${STAMP} one\n`);
  t.is(readFileSync(join(dir, "member.log"), "utf8"), `${STAMP} two\ufffd[2J\ufffdx\n`);
  t.is(statSync(join(dir, "door.log")).mode & 0o777, 0o600);
});

test("a log takes four files at most, none larger than its bound, and keeps the newest lines", (t) => {
  const { logs, dir } = open(t);
  for (let line = 0; line < 100; line += 1) logs.write("door", `line ${line}`);
  t.deepEqual(readdirSync(dir).sort(), ["door.log", "door.log.1", "door.log.2", "door.log.3"]);
  for (const name of readdirSync(dir)) t.true(statSync(join(dir, name)).size <= BYTES_MAX, name);
  const reader = new DappLogReader(dir, "door");
  t.deepEqual(
    reader.last(8).map((line) => line.slice(STAMP.length + 1)),
    Array.from({ length: 8 }, (_, index) => `line ${92 + index}`),
  );
  reader.close();
});

test("what comes is read once, whole lines only, also across the change of files", (t) => {
  const { logs, dir } = open(t);
  logs.write("door", "first");
  const reader = new DappLogReader(dir, "door");
  t.deepEqual(reader.last(0), []);
  const heard: string[] = [];
  for (let line = 0; line < 20; line += 1) {
    logs.write("door", `line ${line}`);
    if (line % 3 === 0) heard.push(...reader.next());
  }
  heard.push(...reader.next(), ...reader.next());
  t.deepEqual(
    heard,
    Array.from({ length: 20 }, (_, index) => `${STAMP} line ${index}`),
  );
  reader.close();
});

test("a second process goes on where the first ended, and a log that cannot be written costs the line alone", (t) => {
  const { logs, dir } = open(t);
  logs.write("door", "one");
  logs.close();
  logs.write("door", "two");
  t.is(readFileSync(join(dir, "door.log"), "utf8"), `${STAMP} one\n${STAMP} two\n`);
  const nowhere = new DappLogs({ dir: join(dir, "door.log"), clock: new FakeClock(), log: silentLog });
  t.notThrows(() => nowhere.write("door", "lost"));
});

test("a dapp without a log is not found, and a name leads nowhere else", (t) => {
  const { dir } = open(t);
  for (const name of ["door", "../door", "", "a/b"]) {
    t.throws(() => new DappLogReader(dir, name), { code: "NOT_FOUND" }, name);
  }
  t.false(existsSync(dir));
});
