/** What the volunteer page knows of its run. */

import type { Story } from "../index";
import { write } from "./dom";
import { count } from "./format";

/** How often, and after how long, the story is looked for again that tells of the end: the server writes it down last. */
const LAST_LOOKS = 4;
const LAST_LOOK_MS = 500;

export class Heard {
  /** It is over, whoever said so first. */
  finished = false;
  /** It was deleted. */
  gone = false;
  private newest = -1;
  private clients: number | null = null;
  private status: Story["status"] | null = null;
  private looks = 0;
  /** Looks at once how the run gets on. */
  lookAgain: () => void = () => undefined;

  constructor(private readonly createdAt: number) {}

  /** Whether this is of another run of the name: a head never goes back, and what is gone does not come back. */
  isOfAnother({ about, head }: Story): boolean {
    if (this.gone) return true;
    return about ? about.createdAt > this.createdAt : head.version < this.newest;
  }

  hear({ head, clients, status }: Story): void {
    this.newest = head.version;
    this.clients = clients;
    this.status = status;
  }

  /** It was looked, whether there was something new or not. What there is to read may not tell of the end yet. */
  looked(): void {
    if (!this.finished || this.gone) return;
    if (this.status !== "finished" && this.looks++ < LAST_LOOKS) setTimeout(() => this.lookAgain(), LAST_LOOK_MS);
  }

  /** The server counts who has asked it for something: a page that has just begun is at work before that. */
  showClients(atWork: boolean): void {
    if (this.clients !== null) write("clients", count(Math.max(this.clients, Number(atWork))));
  }
}
