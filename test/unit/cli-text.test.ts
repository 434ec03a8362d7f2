import { Writable } from "node:stream";
import test from "ava";
import { GdoError } from "../../lib/base/index.ts";
import { describeFailure, renderFailure } from "../../lib/cli/failure.ts";
import { moment, uniqueDigits } from "../../lib/cli/ids.ts";
import { Output, printable } from "../../lib/cli/output.ts";
import { commandName } from "../../lib/cli/parser.ts";
import { payloadText } from "../../lib/cli/text/payload.ts";
import { table } from "../../lib/cli/text/text-table.ts";
import { wholeNumber } from "../../lib/cli/values.ts";

function collect(): { stream: Writable; text: () => string } {
  const pieces: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      pieces.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => pieces.join("") };
}

const noHint = (): string => "gdo --help";

test("ids are shortened while unique, and lengthened where two begin alike", (t) => {
  t.is(uniqueDigits(["a".repeat(64), "b".repeat(64)]), 12);
  t.is(uniqueDigits([`${"a".repeat(20)}1${"0".repeat(43)}`, `${"a".repeat(20)}2${"0".repeat(43)}`]), 21);
  t.is(uniqueDigits(["a".repeat(64), "a".repeat(64)]), 12, "the same id twice needs no more digits");
});

test("times are printed in UTC, the same on every machine", (t) => {
  t.is(moment(Date.UTC(2026, 10, 23, 7, 1, 24)), "2026-11-23 07:01:24");
});

test("names from the ledger cannot steer the terminal", (t) => {
  t.is(printable("a\u001b[2Jb\u0007\u009b\u202ec"), "a\ufffd[2Jb\ufffd\ufffd\ufffdc");
  t.is(printable("two\nlines, Žluť"), "two\nlines, Žluť");
});

test("--json gives one object a line with its type, and no text", (t) => {
  const { stream, text } = collect();
  const out = new Output(stream, true);
  out.emit("entry", { id: "ab" }, () => "ab");
  out.line("for people");
  t.is(text(), '{"type":"entry","id":"ab"}\n');
});

test("an error is one line and a hint, or one JSON object", (t) => {
  const failure = describeFailure(new GdoError("HOME_MISSING", "no gdo home\nat x", { hint: "gdo init NAME" }), noHint);
  t.is(renderFailure(failure, { json: false, isOnTerminal: false }), "gdo: no gdo home at x\nhint: gdo init NAME");
  t.deepEqual(JSON.parse(renderFailure(failure, { json: true, isOnTerminal: true })), {
    type: "error",
    code: "HOME_MISSING",
    message: "no gdo home\nat x",
    hint: "gdo init NAME",
    exit: 3,
  });
});

test("a bug is called a bug and keeps its stack", (t) => {
  const failure = describeFailure(new TypeError("x is not a function"), noHint);
  t.is(failure.exit, 70);
  t.regex(failure.message, /this is a bug: TypeError: x is not a function\n {4}at /);
});

test("a file that is not there is the user's matter, not a bug", (t) => {
  const error = Object.assign(new Error("ENOENT"), { code: "ENOENT", path: "/nowhere" });
  t.deepEqual(describeFailure(error, noHint), { code: "IO", message: "there is no /nowhere", exit: 13 });
});

test("the command is the first word that is no option and no option's value", (t) => {
  t.is(commandName(["--home", "status", "log"]), "log");
  t.is(commandName(["--json", "--home=x", "put", "a"]), "put");
  t.is(commandName(["--json"]), undefined);
});

test("whole numbers are taken within their bounds only", (t) => {
  const parse = wholeNumber("--speed", 1, 50);
  t.is(parse("50"), 50);
  for (const text of ["0", "51", "", "1.5", "-1", "1e1", "ten", " 7"])
    t.throws(() => parse(text), { code: "USAGE" }, text);
});

test("what a block says shows hashes as everything else does, and is no longer than it must be", (t) => {
  const bytes = (byte: number): unknown => ({ "/": { bytes: Buffer.alloc(32, byte).toString("base64") } });
  const hex = (byte: number): string => Buffer.alloc(32, byte).toString("hex");
  t.is(payloadText({ h: 1, from: [], prev: null, cert: {} }), '{ "h": 1, "from": [], "prev": null, "cert": {} }');
  t.is(
    payloadText({ prev: bytes(1), heads: [bytes(2)], "/": 1 }),
    `{\n  "prev": "${hex(1)}",\n  "heads": ["${hex(2)}"],\n  "/": 1\n}`,
  );
  t.is(payloadText("x".repeat(90)), `"${"x".repeat(90)}"`);
});

test("a moment that no calendar has is said as it is", (t) => {
  t.is(moment(0), "1970-01-01 00:00:00");
  t.is(moment(-1000), "1969-12-31 23:59:59");
  t.is(moment(9e15), "9000000000000000 ms");
});

test("a table aligns numbers to the right", (t) => {
  t.is(
    table(
      ["door", "n"],
      [
        ["front", "9"],
        ["lab", "10"],
      ],
    ),
    "door    n\n-----  --\nfront   9\nlab    10",
  );
});
