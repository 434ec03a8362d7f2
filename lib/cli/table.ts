/** The commands: name, what help says of each, and where its code is. Nothing is loaded but what runs. */
import type { CommandSpec } from "./command.ts";

export interface TableRow {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandSpec>;
}

/** In the order in which a newcomer meets them. */
export const COMMANDS: readonly TableRow[] = [
  row(
    "demo",
    "a maker space on this machine, with its doors and one day of cards",
    async () => (await import("./commands/process/demo.ts")).demo,
  ),
  row("init", "make a home and an organisation in it", async () => (await import("./commands/ledger/init.ts")).init),
  row(
    "status",
    "organisation, branches, peers, door, dapps, store",
    async () => (await import("./commands/process/status.ts")).status,
  ),
  row("agent", "run this home's node", async () => (await import("./commands/process/agent.ts")).agent),
  row("door", "run this home's door process", async () => (await import("./commands/process/door.ts")).door),
  row("put", "keep files and folders in the store", async () => (await import("./commands/store/put.ts")).put),
  row("get", "write a file or folder of the store to disk", async () => (await import("./commands/store/get.ts")).get),
  row("cat", "print a file of the store", async () => (await import("./commands/store/cat.ts")).cat),
  row("ls", "list a folder of the store", async () => (await import("./commands/store/ls.ts")).ls),
  row("backup", "take a snapshot of a folder", async () => (await import("./commands/store/backup.ts")).backup),
  row(
    "snapshots",
    "list the snapshots that are kept",
    async () => (await import("./commands/store/snapshots.ts")).snapshots,
  ),
  row(
    "restore",
    "write a snapshot back into a folder",
    async () => (await import("./commands/store/restore.ts")).restore,
  ),
  row("forget", "forget old snapshots", async () => (await import("./commands/store/forget.ts")).forget),
  row("gc", "remove from the store what nothing names", async () => (await import("./commands/store/gc.ts")).gc),
  row(
    "image",
    "images for dapps: build, import, export, list, remove",
    async () => (await import("./commands/store/image.ts")).image,
  ),
  row("stats", "what snapshots take, and what is saved", async () => (await import("./commands/store/stats.ts")).stats),
  row("log", "the blocks held, newest first", async () => (await import("./commands/ledger/log.ts")).log),
  row(
    "events",
    "final entries in order, from a cursor on",
    async () => (await import("./commands/ledger/events.ts")).events,
  ),
  row("show", "one block in words", async () => (await import("./commands/ledger/show.ts")).show),
  row(
    "invite",
    "a token by which one more device joins",
    async () => (await import("./commands/ledger/invite.ts")).invite,
  ),
  row("join", "join an organisation by a token", async () => (await import("./commands/ledger/join.ts")).join),
  row(
    "person",
    "who is in the organisation: guardians, new keys, recovery",
    async () => (await import("./commands/people/person.ts")).person,
  ),
  row("device", "the devices, and this one's key", async () => (await import("./commands/people/device.ts")).device),
  row("branch", "the branches and who merges them", async () => (await import("./commands/ledger/branch.ts")).branch),
  row(
    "fork",
    "a branch from another, with a policy of its own",
    async () => (await import("./commands/ledger/fork.ts")).fork,
  ),
  row(
    "charter",
    "who is in the organisation, or change that",
    async () => (await import("./commands/ledger/charter.ts")).charter,
  ),
  row("append", "append an entry to this node's log", async () => (await import("./commands/ledger/append.ts")).append),
  row("dapp", "make, try and install a dapp", async () => (await import("./commands/process/dapp.ts")).dapp),
  row("call", "give a dapp a command", async () => (await import("./commands/ledger/call.ts")).call),
  row("query", "ask a dapp", async () => (await import("./commands/ledger/query.ts")).query),
  row(
    "merge",
    "merge what is pending into a branch now",
    async () => (await import("./commands/ledger/merge.ts")).merge,
  ),
  row("sync", "exchange blocks with the peers now", async () => (await import("./commands/process/sync.ts")).sync),
  row("import", "take in another system's data", async () => (await import("./commands/process/import.ts")).importData),
  row(
    "export",
    "write the books or a certificate in a format of others",
    async () => (await import("./commands/process/export.ts")).exportData,
  ),
  row(
    "simulate",
    "play an organisation in virtual time, and check what must hold",
    async () => (await import("./commands/process/simulate.ts")).simulate,
  ),
  row("verify", "check every byte and every block", async () => (await import("./commands/store/verify.ts")).verify),
];

function row(name: string, summary: string, load: () => Promise<CommandSpec>): TableRow {
  return { name, summary, load };
}
