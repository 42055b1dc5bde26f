/**
 * Who may use TF.js. A worker has one engine with one current backend, for training and for predicting alike: they take
 * turns, and training gives its turn away wherever it pauses.
 */
export class Turns {
  private taken = false;
  private readonly waiting: (() => void)[] = [];

  /** Does what nothing may come between. Never to be called by who has the turn. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await work();
    } finally {
      this.give();
    }
  }

  /** Gives the turn away for as long as a pause lasts. To be called by who has it. */
  async during<T>(pause: Promise<T>): Promise<T> {
    this.give();
    try {
      return await pause;
    } finally {
      await this.take();
    }
  }

  private take(): Promise<void> {
    if (this.taken) return new Promise((resolve) => this.waiting.push(resolve));
    this.taken = true;
    return Promise.resolve();
  }

  private give(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.taken = false;
  }
}
