/** How far a long piece of work is, below the lines that it prints; only on a terminal. */
import { MultiBar } from "cli-progress";

const FORMAT = "{bar}  {label}";

export class ProgressBar {
  readonly #bars: MultiBar;
  readonly #bar: ReturnType<MultiBar["create"]>;

  constructor(total: number, label: string) {
    const stream = process.stdout;
    this.#bars = new MultiBar({ format: FORMAT, stream, clearOnComplete: true, hideCursor: true, gracefulExit: false });
    this.#bar = this.#bars.create(total, 0, { label });
  }

  advance(label: string): void {
    this.#bar.increment(1, { label });
  }

  /** Prints above the bar. */
  line(text: string): void {
    this.#bars.log(`${text}\n`);
  }

  /** Prints what is still to be printed and takes the bar away. */
  stop(): void {
    this.#bars.update();
    this.#bars.stop();
  }
}
