/** Where the page's messages arrive, in order, for a client that may not be there yet. */

import type { Client } from "./client";
import type { PageMessage } from "./protocol";

export type JoinMessage = PageMessage & { type: "join" };

export interface Desk {
  assemble(message: JoinMessage): Promise<Client>;
  /** The client is there. */
  onReady(): void;
  /** There will be none. */
  onFailure(): void;
}

/** What is said before the client is there waits for it: a pause must never be lost, nor come after the first request. */
export function createDesk({ assemble, onReady, onFailure }: Desk): (message: PageMessage) => void {
  let joining: Promise<Client> | null = null;
  let held = false;

  const open = async (message: JoinMessage) => {
    const client = await assemble(message);
    onReady();
    if (!held) client.start();
    return client;
  };

  return (message) => {
    if (message.type === "pause" || message.type === "stop") held = true;
    if (message.type === "resume" || message.type === "join") held = false;
    if (message.type === "join") {
      joining = open(message);
      joining.catch(onFailure);
    } else joining?.then((client) => obey(client, message)).catch(() => undefined); // that there is no client is told once
  };
}

function obey(client: Client, message: PageMessage): void {
  if (message.type === "pause") client.pause();
  if (message.type === "resume") client.start();
  if (message.type === "power") client.setPower(message.power);
  if (message.type === "wake") client.wake();
  if (message.type === "stop") void client.stop();
}
