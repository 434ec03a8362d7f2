/** A block in sentences, for people who run a maker space. Pure; what is said is what the agent's `show` gives. */
import { moment } from "../ids.ts";

/** What the sentences need of a block as the agent's `show` gives it. */
export interface Explained {
  readonly kind: string;
  readonly app?: string;
  readonly acts?: readonly string[];
  readonly asks?: string;
  readonly branch?: string;
  readonly author: string;
  readonly name: string;
  readonly principal?: string;
  readonly timeMs: number;
  readonly status: string;
  readonly reason?: string;
  readonly seenBy?: number;
  readonly attested?: { readonly count: number; readonly q: number };
  readonly lines?: number;
  readonly signature: string;
  readonly merge?: { readonly branch: string; readonly h: number; readonly included: number; readonly void: number };
  readonly included?: { readonly branch: string; readonly h: number };
  readonly takenBy?: readonly { readonly branch: string; readonly h: number; readonly void?: string }[];
  readonly detail?: Detail;
  readonly followers?: { readonly count: number; readonly first: readonly Follower[] };
}

interface Follower {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly n: number;
}

/** Of charter, merge, vote and evidence; each has some of these. */
interface Detail {
  readonly name?: string;
  readonly fault?: string;
  readonly principals?: readonly unknown[];
  readonly branches?: readonly { readonly branch: string; readonly mode: string }[];
  readonly mode?: string;
  readonly q?: number;
  readonly charter?: number;
  readonly tests?: readonly { readonly app: string; readonly verdict: string }[];
  readonly included?: readonly unknown[];
  readonly from?: readonly { readonly branch: string; readonly h: number }[];
  readonly frozen?: readonly { readonly name: string; readonly n: number }[];
  readonly certificate?: { readonly r: number; readonly voters: readonly string[] };
  readonly branch?: string;
  readonly h?: number;
  readonly r?: number;
  readonly phase?: string;
  readonly merge?: string;
  readonly valid?: number | null;
  readonly verdict?: string;
  readonly code?: string | null;
  readonly log?: string | null;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly claimed?: Readonly<Record<string, string | null>>;
  readonly n?: number;
  readonly blobs?: readonly string[];
}

/** One sentence a line: what it is, by whom and when, how far it has come, what it means, what stands on it. */
export function explain(block: Explained): string[] {
  const { detail = {} } = block;
  const who = block.name || block.author.slice(0, 12);
  const of = !block.principal || block.principal === who ? "" : ` of ${block.principal}`;
  return [
    `${what(block, detail)}, signed by ${who}${of}.`,
    ...(block.signature === "valid"
      ? []
      : ["Its own signature is not its author's: only a later block vouches for it."]),
    `Its author's clock said ${moment(block.timeMs)} UTC; that is advice, no rule depends on it.`,
    ...fate(block),
    ...elsewhere(block),
    ...meaning(block.kind, detail),
    ...standsOnIt(block),
  ];
}

function what(block: Explained, detail: Detail): string {
  const { kind, app, acts = [], asks, branch, merge } = block;
  if (kind === "entry" && app === "merge") return `A request that ${branch} take ${asks ?? "another branch"}`;
  if (kind === "entry") return `An entry of ${app} for the branch ${branch}: ${acts.join(", ")}`;
  if (kind === "charter") return `The charter, with which the organisation ${detail.name} begins`;
  if (merge !== undefined) return `Merge ${merge.h} of the branch ${merge.branch}`;
  if (kind === "vote") return `A vote (${detail.phase}) on height ${detail.h} of ${detail.branch}, round ${detail.r}`;
  return kind === "evidence" ? `Evidence against ${detail.name ?? "a device"}` : `A block of the kind ${kind}`;
}

function fate({ kind, status, reason, seenBy, attested, lines, included, merge }: Explained): string[] {
  const votes = `${attested?.count} of the ${attested?.q} validators that must agree have passed`;
  const taken = included === undefined ? "" : `, taken by ${included.branch}@${included.h}`;
  switch (status) {
    case "local":
      return [
        "It waits for a merge. Only its author's own devices are known to have it: nobody else's block builds on it.",
      ];
    case "seen":
      return [`It waits for a merge; ${seenBy} other${seenBy === 1 ? " has" : "s have"} seen it, or more.`];
    case "merged":
      return [lines === undefined ? "It is in a merge that is not final yet." : `${lines} principals have merged it.`];
    case "attested":
      return [kind === "merge" ? `${votes} it.` : `It is in a merge that is not final yet: ${votes} that.`];
    case "waits":
      return ["It is not applied yet: votes, or what it builds on, are still to come."];
    case "passed-over":
      return [`It was never applied: ${merge?.branch}@${merge?.h} is another merge, or this one is not allowed.`];
    case "void":
      return [`It is void${taken}: ${reason}. It stays in the ledger and changes nothing.`];
    case "final":
      return kind === "charter" ? [] : [`It is final${taken}: nothing that comes later can undo it.`];
    default:
      return [];
  }
}

function elsewhere({ takenBy = [] }: Explained): string[] {
  return takenBy.map(({ branch, h, void: reason }) =>
    reason === undefined
      ? `${branch}@${h} took it, too.`
      : `${branch}@${h} took it, too, and found it void there: ${reason}.`,
  );
}

function meaning(kind: string, detail: Detail): string[] {
  if (kind === "charter") return charterWords(detail);
  if (kind === "merge") return mergeWords(detail);
  if (kind === "vote") return voteWords(detail);
  if (kind === "evidence") return [evidenceWords(detail)];
  return [];
}

function evidenceWords({ blobs = [], n }: Detail): string {
  if (n === undefined)
    return "It names two blocks that are kept as objects: it proves nothing here until both have come.";
  const where = blobs.length === 0 ? "It holds" : "It names, kept as objects,";
  return `${where} two blocks, both signed, with number ${n} of one log: an honest device never does that.`;
}

function charterWords({ principals = [], branches = [], fault }: Detail): string[] {
  const named = branches.map(({ branch, mode }) => `${branch} (${mode})`).join(", ");
  const trust = fault === "crash" ? "may be away but not lie" : "may be away or lie";
  const many = principals.length === 1 ? "1 principal" : `${principals.length} principals`;
  return [`It names ${many}, and the branches ${named}. Some of those who validate ${trust}.`];
}

function mergeWords(detail: Detail): string[] {
  const { mode, q, tests = [], included = [], from = [], frozen = [], certificate, charter } = detail;
  const tested = tests.map(({ app, verdict }) => `${app} ${verdict}`).join(", ");
  return [
    `It takes what is pending from ${included.length} ${included.length === 1 ? "log" : "logs"}, judged by the charter at height ${charter}.`,
    ...(tested === "" ? [] : [`Tests: ${tested}.`]),
    ...from.map(({ branch, h }) => `It takes all of ${branch} up to height ${h}, too.`),
    ...frozen.map(
      ({ name, n }) => `What ${name} wrote from number ${n} on counts for nothing: that log was used twice.`,
    ),
    ...(mode === "quorum" ? [`It is final once ${q} validators have committed to it in one round.`] : []),
    ...(certificate === undefined
      ? []
      : [`The merge before it is final by the votes of ${certificate.voters.join(", ")} in round ${certificate.r}.`]),
  ];
}

function voteWords(detail: Detail): string[] {
  const merge = detail.merge?.slice(0, 12);
  if (detail.phase === "skip") return ["It says that this round's time is up for the voter; it decides nothing."];
  if (detail.phase === "commit") return [`It commits to the merge ${merge}: enough of these in one round are final.`];
  if (detail.phase === "propose")
    return [
      detail.valid === null || detail.valid === undefined
        ? `It proposes the new merge ${merge}.`
        : `It proposes the merge ${merge} again, which enough had passed in round ${detail.valid}.`,
    ];
  return attestWords(detail, merge);
}

function attestWords({ verdict, code, log, outputs = {}, claimed = {} }: Detail, merge: string | undefined): string[] {
  const why = code === null || code === undefined ? "" : ` (${code})`;
  const abstains =
    verdict === "PASS" || verdict === "FAIL" ? "" : " That is no vote against it: the node could not tell.";
  const apps = [...new Set([...Object.keys(claimed), ...Object.keys(outputs)])].sort();
  const others = apps.filter((app) => (claimed[app] ?? undefined) !== outputs[app]);
  const side = (hash: string | null | undefined): string => hash?.slice(0, 12) ?? "nothing";
  return [
    `The voter did the work of the merge ${merge} again and says ${verdict}${why}.${abstains}`,
    ...(verdict === "PASS" ? others : []).map(
      (app) =>
        `Its output of ${app} is another: the merge says ${side(claimed[app])}, the voter ${side(outputs[app])}.`,
    ),
    ...(log === null || log === undefined ? [] : [`What the dapps said: gdo cat ${log}`]),
  ];
}

function standsOnIt({ followers }: Explained): string[] {
  if (followers === undefined || followers.count === 0) return ["Nothing builds on it yet."];
  const named = followers.first.map(({ id, kind, name, n }) => `${kind} ${id.slice(0, 12)} (${name}:${n})`);
  const more = followers.count - followers.first.length;
  return [`On it builds: ${named.join(", ")}${more > 0 ? `, and ${more} more` : ""}.`];
}
