/** What a dapp's test has to say in a merge: that of a gate decides, that of an advisory dapp is heard. */
import type { AppVerdict } from "../ledger/index.ts";
import type { Manifest } from "./manifest.ts";

/** `test` is asked where there is one; `advise` gets what an advisory dapp found, which keeps nothing out. */
export async function gateVerdict(
  { hasTest, class: kind }: Pick<Manifest, "hasTest" | "class">,
  test: () => Promise<AppVerdict>,
  advise: (findings: readonly string[]) => void,
): Promise<AppVerdict> {
  if (!hasTest) return { verdict: "PASS" };
  const verdict = await test();
  if (kind === "gate" || verdict.verdict === "PASS") return verdict;
  advise(verdict.findings);
  return { verdict: "PASS" };
}
