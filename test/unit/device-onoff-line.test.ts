import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { openOnoffLine, refuseOnoffReader, sysfsNumberOf } from "../../lib/device/index.ts";

const INVALID = { code: "LINE_INVALID" };

function sysfs(t: { teardown(end: () => void): void }): string {
  const root = mkdtempSync(join(tmpdir(), "gdo-sysfs-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  const chips = [
    { name: "gpiochip512", label: "pinctrl-bcm2711", base: 512, ngpio: 58 },
    { name: "gpiochip570", label: "raspberrypi-exp-gpio", base: 570, ngpio: 8 },
  ];
  for (const { name, ...values } of chips) {
    mkdirSync(join(root, name));
    for (const [key, value] of Object.entries(values)) writeFileSync(join(root, name, key), `${value}\n`);
  }
  return root;
}

test("onoff: a line is found by its chip's label and offset, whatever the kernel's numbers", (t) => {
  const root = sysfs(t);
  t.is(sysfsNumberOf("pinctrl-bcm2711:17", root), 529);
  t.is(sysfsNumberOf("raspberrypi-exp-gpio:0", root), 570);
});

test("onoff: a line that is not there is named", (t) => {
  const root = sysfs(t);
  t.throws(() => sysfsNumberOf("pinctrl-rp1:17", root), { ...INVALID, message: /pinctrl-rp1/ });
  t.throws(() => sysfsNumberOf("pinctrl-bcm2711:58", root), { ...INVALID, message: /58 lines/ });
  t.throws(() => sysfsNumberOf("17", root), INVALID);
  t.throws(() => sysfsNumberOf("pinctrl-bcm2711:17", join(root, "absent")), INVALID);
});

test("onoff: opening a line that no kernel offers fails clearly", async (t) => {
  await t.throwsAsync(openOnoffLine("no-such-chip:3"), INVALID);
});

test("onoff: a Wiegand reader is refused with the reason", (t) => {
  t.throws(() => refuseOnoffReader("front-door"), { ...INVALID, message: /front-door.*pulses.*lost/ });
});
