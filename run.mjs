import { FAULT_KINDS, simulate } from "./dist/lib/simulate/index.js";
const r = await simulate({ seed: Number(process.argv[2] ?? 596), nodes: 15, days: 7, faults: FAULT_KINDS, cheats: 1 });
console.log(r.findings, Object.keys(r), Object.keys(r.summary)); for (const t of r.timeline) console.log((t.atMs/3600000).toFixed(4), t.node, t.what);
