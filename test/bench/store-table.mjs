/** The measurements as tables: every tool's figures, then the goals of docs/design/store.md. */
const MB = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const S = (seconds) => (seconds === undefined ? "–" : `${seconds.toFixed(2)} s`);
const RATE = (rate) => `${(rate / 1e9).toFixed(2)} GB/s`;

function rows(cells) {
  for (const row of cells) console.log(`| ${row.join(" | ")} |`);
}

/** The peer with the least of something. */
function best(tools, field) {
  const peers = Object.entries(tools).filter(([name, result]) => name !== "gdo" && result[field] !== undefined);
  return peers.reduce((a, b) => (b[1][field] < a[1][field] ? b : a));
}

/** "met" or "missed", and by which ratio. */
function judge(value, goal, isAtMost = true) {
  return [
    value.toFixed(2),
    `${isAtMost ? "≤" : "≥"} ${goal}`,
    (isAtMost ? value <= goal : value >= goal) ? "met" : "missed",
  ];
}

function storeRows(tools, count) {
  const { gdo, casync } = tools;
  const [sizePeer, size] = best(tools, "storedBytes");
  const [putPeer, put] = best(tools, "putSeconds");
  const [restorePeer, restore] = best(tools, "restoreSeconds");
  return [
    [
      `${count} versions, size`,
      MB(gdo.storedBytes),
      `${sizePeer} ${MB(size.storedBytes)}`,
      ...judge(gdo.storedBytes / size.storedBytes, 0.55),
    ],
    [
      `${count} versions, wall`,
      `${S(gdo.putSeconds)} (${S(gdo.putInside)} inside)`,
      `${putPeer} ${S(put.putSeconds)}`,
      ...judge(gdo.putSeconds / put.putSeconds, 0.6),
    ],
    [
      "store again what is known",
      `${S(gdo.againSeconds)} (${S(gdo.againInside)} inside)`,
      `casync ${S(casync.againSeconds)}`,
      ...judge(casync.againSeconds / gdo.againInside, 8, false),
    ],
    [
      "restore, verified",
      `${S(gdo.restoreSeconds)} (${S(gdo.restoreInside)} inside)`,
      `${restorePeer} ${S(restore.restoreSeconds)}`,
      ...judge(gdo.restoreSeconds / restore.restoreSeconds, 0.7),
    ],
  ];
}

function rateRows(gdo, rates) {
  const aboveBytes = gdo.peakBytes - rates.nodePeakBytes;
  return [
    ["cut only, 64 KiB, one core", RATE(rates.cut), "–", ...judge(rates.cut / 1e9, 7, false)],
    [
      "the same against FastCDC in C++",
      RATE(rates.cut),
      `FastCDC ${RATE(rates.fastCdc)}`,
      ...judge(rates.cut / rates.fastCdc, 2, false),
    ],
    [
      "BLAKE3, one thread, whole process",
      S(rates.hashSeconds),
      `b3sum ${S(rates.b3sumSeconds)}`,
      ...judge(rates.b3sumSeconds / rates.hashSeconds, 1, false),
    ],
    ["cut + id through JavaScript", RATE(rates.cutAndId), "–", ...judge(rates.cutAndId / 1e9, 2, false)],
    [
      "the same against Node's SHA-256",
      RATE(rates.cutAndId),
      `SHA-256 ${RATE(rates.sha256)}`,
      ...judge(rates.cutAndId / rates.sha256, 1.2, false),
    ],
    [
      "update, bytes",
      MB(gdo.updateBytes),
      `zstd ${MB(rates.patchBytes)}`,
      ...judge(gdo.updateBytes / rates.patchBytes, 0.65),
    ],
    [
      "update, memory above bare Node",
      MB(aboveBytes),
      `zstd ${MB(rates.patchPeakBytes)}`,
      ...judge(aboveBytes / 1e6, 64),
    ],
    ["peak memory above bare Node", MB(aboveBytes), "–", ...judge(aboveBytes / 1e6, 40)],
  ];
}

export function printTable(tools, rates, count) {
  console.log("");
  rows([["tool", "size", "put", "put again", "restore", "peak memory"], Array(6).fill("---")]);
  rows(
    Object.entries(tools).map(([name, one]) => [
      name,
      MB(one.storedBytes),
      S(one.putSeconds),
      S(one.againSeconds),
      S(one.restoreSeconds),
      MB(one.peakBytes),
    ]),
  );
  console.log("");
  rows([["work", "gdo", "peer", "value", "goal", ""], Array(6).fill("---")]);
  rows([...rateRows(tools.gdo, rates).slice(0, 5), ...storeRows(tools, count), ...rateRows(tools.gdo, rates).slice(5)]);
  console.log(
    "\nInside: without the start of Node.js. Savings at equal mean size are the deduplication test's matter.",
  );
}
