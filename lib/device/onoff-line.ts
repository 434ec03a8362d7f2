/**
 * Output lines by sysfs, through onoff: for strikes and lights where the kernel offers nothing better.
 * A line is named by its chip's label and its offset there; the number that sysfs gives it moves from
 * kernel to kernel. Readers are refused: sysfs wakes too late for pulses of 20 to 100 µs.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GdoError } from "../base/index.ts";
import type { OutputLine } from "./line.ts";

const SYSFS_GPIO = "/sys/class/gpio";
const ADDRESS = /^(?<label>[^:]{1,64}):(?<offset>\d{1,4})$/;

function readText(path: string): string {
  return readFileSync(path, "utf8").trim();
}

/** The sysfs number of "LABEL:OFFSET", e.g. "pinctrl-bcm2711:17". LINE_INVALID names what is missing. */
export function sysfsNumberOf(address: string, root = SYSFS_GPIO): number {
  const { label, offset } = ADDRESS.exec(address)?.groups ?? {};
  if (label === undefined)
    throw new GdoError("LINE_INVALID", `a line on sysfs is named CHIP-LABEL:OFFSET, not ${address}`);
  const chips = existsSync(root) ? readdirSync(root).filter((name) => /^gpiochip\d+$/.test(name)) : [];
  const chip = chips.find((name) => readText(join(root, name, "label")) === label);
  if (chip === undefined) throw new GdoError("LINE_INVALID", `no GPIO chip is labelled ${label} under ${root}`);
  const lineCount = Number(readText(join(root, chip, "ngpio")));
  if (Number(offset) >= lineCount)
    throw new GdoError("LINE_INVALID", `chip ${label} has ${lineCount} lines; there is no line ${offset}`);
  return Number(readText(join(root, chip, "base"))) + Number(offset);
}

/** Opens an output, low from the first moment. LINE_INVALID when the kernel has no such line or gives it to nobody. */
export async function openOnoffLine(address: string): Promise<OutputLine> {
  const number = sysfsNumberOf(address);
  try {
    const { Gpio } = await import("onoff"); // Only here: its native part need not load where lines are simulated.
    const gpio = new Gpio(number, "low");
    return {
      name: address,
      write: (high) => gpio.write(high ? 1 : 0),
      close: async () => {
        await gpio.write(0).catch(() => {});
        gpio.unexport();
      },
    };
  } catch (cause) {
    throw new GdoError("LINE_INVALID", `line ${address} cannot be opened as an output`, { cause });
  }
}

/** Why there is no reader on sysfs; always throws LINE_INVALID. */
export function refuseOnoffReader(reader: string): never {
  throw new GdoError(
    "LINE_INVALID",
    `reader ${reader}: a Wiegand reader cannot be read through sysfs (onoff): pulses last 20 to 100 µs and are lost; use simulated lines`,
  );
}
