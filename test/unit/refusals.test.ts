/** How `gdo status` says what was refused from others. */
import test from "ava";
import { refusedText } from "../../lib/cli/text/refusals.ts";

test("status: what was refused is said in words; a code without words stands for itself", (t) => {
  t.is(refusedText("rate", 3), "3 × messages beyond what a device may send at a time");
  t.is(refusedText("disk", 1), "1 × disk");
});
