/** Where the page's messages arrive, in order, for a seat that may not be there yet. */

import type { Seat } from "./assemble";
import type { Client } from "./client";
import type { PageMessage, WorkerMessage } from "./messages";
import { verdictOn } from "./verdict";

type Opening = PageMessage & { type: "open" };
type Question = PageMessage & { type: "predict" };

export interface Desk {
  assemble(message: Opening): Promise<Seat>;
  say(message: WorkerMessage): void;
}

/** What is said before the client is there waits for it: a pause must never be lost, nor come after the first request. */
export function createDesk({ assemble, say }: Desk): (message: PageMessage) => void {
  let seat: Promise<Seat> | null = null;
  let client: Promise<Client> | null = null;
  let held = false;
  const fail = () => say({ type: "failed" });

  const open = (message: Opening) => {
    seat = assemble(message);
    seat.then(() => say({ type: "ready" }), fail);
  };

  const join = (order: PageMessage & { type: "join" }) => {
    const joining = seat?.then((there) => {
      const joined = there.contribute(order);
      if (!held) joined.start();
      return joined;
    });
    client = joining ?? null;
    // That there is no seat is told once.
    joining?.catch(() => seat?.then(fail, () => undefined));
  };

  return (message) => {
    if (message.type === "pause" || message.type === "stop") held = true;
    if (message.type === "resume" || message.type === "join") held = false;
    if (message.type === "open") open(message);
    else if (message.type === "join") join(message);
    else if (message.type === "predict") void seat?.then((there) => answer(there, message, say)).catch(() => undefined);
    else client?.then((there) => obey(there, message)).catch(() => undefined);
  };
}

async function answer(seat: Seat, { id, inputs, version }: Question, say: Desk["say"]): Promise<void> {
  try {
    say({ type: "predicted", id, prediction: await seat.predict(inputs, version) });
  } catch (error) {
    const { code, message, detail } = verdictOn(error, true);
    say({ type: "unpredicted", id, code, message: detail ?? message });
  }
}

function obey(client: Client, message: PageMessage): void {
  if (message.type === "pause") client.pause();
  if (message.type === "resume") client.start();
  if (message.type === "power") client.setPower(message.power);
  if (message.type === "wake") client.wake();
  if (message.type === "save") client.save();
  if (message.type === "stop") void client.stop();
}
