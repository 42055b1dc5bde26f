import { describe, expect, test } from "vitest";

import { answers, refusalIn } from "../src/answers";
import { BadSpec, NotUnderstood } from "../src/errors";
import { readSpec } from "../src/spec";
import { evaluateTask, trainTask } from "./harness";
import { digits, mnist } from "./specs";

const train = trainTask(1);
const training = train.kind === "train" ? train.training : null;
const ticket = { update_id: "u", upload: { url: "https://storage.invalid", fields: { key: "k" } }, expires_in: 600 };

test("what the server says is taken, and what it says besides is let through", () => {
  expect(answers.task(train)).toEqual(train);
  expect(answers.task(evaluateTask)).toEqual(evaluateTask);
  expect(answers.task({ kind: "wait", seconds: 3, reason: "busy", mood: "sunny" })).toEqual({ kind: "wait", seconds: 3, reason: "busy" });
  expect(answers.ticket({ ...ticket, colour: "green" })).toEqual(ticket);
});

describe("a shape that this page does not know is refused by the name of the member", () => {
  test.each([
    ["task.kind", { kind: "dance" }],
    ["task.kind", {}],
    ["task", null],
    ["task", "x"],
    ["task.seconds", { kind: "wait", reason: "busy" }],
    ["task.seconds", { kind: "wait", seconds: "soon", reason: "busy" }],
    ["task.seconds", { kind: "wait", seconds: Infinity, reason: "busy" }],
    ["task.reason", { kind: "stop", reason: null }],
    ["task.checkpoint", { ...train, checkpoint: null }],
    ["task.checkpoint.bytes", { ...train, checkpoint: { url: "https://storage.invalid", sha256: "s", bytes: -1e9 } }],
    ["task.checkpoint.url", { ...train, checkpoint: { url: "::::", sha256: "s", bytes: 1 } }],
    ["task.training.local_steps", { ...train, training: { ...training, local_steps: 0 } }],
    ["task.training.encoding", { ...train, training: { ...training, encoding: "int4" } }],
    ["task.shards", { ...evaluateTask, shards: [] }],
    ["task.expires_in", { ...evaluateTask, expires_in: undefined }],
  ])("%s in %j", (member, body) => {
    expect(() => answers.task(body)).toThrow(NotUnderstood);
    expect(() => answers.task(body)).toThrow(new RegExp(`: ${member}$`));
  });

  test("tickets, memberships and histories too", () => {
    expect(() => answers.ticket({})).toThrow(/: ticket.update_id$/);
    expect(() => answers.ticket({ ...ticket, upload: { ...ticket.upload, fields: null } })).toThrow(/: ticket.upload.fields$/);
    expect(() => answers.membership({})).toThrow(/: membership.client_id$/);
    expect(() => answers.runs({})).toThrow(/: runs.runs$/);
    expect(() => answers.history({ run: "digits", status: "running" })).toThrow(/: history.head$/);
  });
});

test("a time to live is at least a second and at most a day", () => {
  const lives = [-3, 0, 600, 1e300].map((expires_in) => answers.ticket({ ...ticket, expires_in }).expires_in);
  expect(lives).toEqual([1, 1, 600, 86_400]);
});

test("only the API's own error shape is a refusal", () => {
  const error = { code: "missing", message: "no such run", details: {} };
  expect(refusalIn({ error })).toEqual(error);
  for (const body of [null, {}, { error: "missing" }, { error: { code: "missing" } }, { message: "Forbidden" }]) expect(refusalIn(body)).toBeNull();
});

describe("a spec", () => {
  const bytes = (spec: unknown) => new TextEncoder().encode(JSON.stringify(spec)).buffer;

  test.each([["digits", digits], ["mnist", mnist]])("of %s is read, with members that are not this page's", (_, spec) => {
    expect(readSpec(bytes({ ...spec, limits: { delta_norm: 1 } }))).toMatchObject(spec);
  });

  test.each([
    ["no topology", { ...digits, modelTopology: null }],
    ["no weights", { ...digits, weightsManifest: [] }],
    ["no data", { ...digits, data: undefined }],
    ["nothing at all", null],
  ])("with %s is refused for good", (_, spec) => {
    expect(() => readSpec(bytes(spec))).toThrow(BadSpec);
  });

  test("that is not JSON is refused for good", () => {
    expect(() => readSpec(new Uint8Array([1, 2, 3]).buffer)).toThrow(BadSpec);
  });
});
