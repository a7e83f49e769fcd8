import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test, { beforeEach, mock } from "node:test";
import { Outbox } from "../state/outbox.js";
import { Store } from "../state/store.js";
import { isPicture, Uploads } from "../state/uploads.js";
import { browser, leaves, say, settle } from "./browser.js";
import { FileServer } from "./file_server.js";

let server;
let client;
let sent;

const hashOf = (text) => createHash("sha256").update(text).digest("hex");
const file = (text, name = "a.txt", type = "text/plain") => ({ file: new File([text], name, { type }), name, picture: false });
const pending = () => client.store.state.pending.get("1") ?? [];

beforeEach(() => {
  browser();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  server = new FileServer();
  server.listen();
  sent = [];
  const store = new Store({ pending: new Map(), server: { file_url: "http://files.example", image_url: "http://images.example/" } });
  const kept = { name: "myim-7", put: async () => {}, remove: async () => {}, all: async () => [] };
  const api = {
    send: async (_, message) => {
      sent.push(message);
      return { seq: sent.length, time: "now" };
    },
  };
  client = {
    store,
    account: { token: "secret" },
    files: { address: async (hash, kind) => ({ url: "", size: 1, mime: "text/plain", ...(kind === "image" ? { width: 4, height: 3, thumbhash: "abc" } : {}) }) },
    outbox: new Outbox(store, api, kept, () => {}),
  };
  client.uploads = new Uploads(client);
});

test("a message is sent when all its files are there, with them first and in their order", async () => {
  await client.uploads.send("1", [file("one", "1.txt"), file("two", "2.txt")], [{ type: "text", text: "look" }], 5);
  assert.equal(pending()[0].state, "uploading");
  await settle();
  assert.deepEqual(sent[0].segments, [
    { type: "file", file: hashOf("one"), name: "1.txt", size: 3, mime: "text/plain" },
    { type: "file", file: hashOf("two"), name: "2.txt", size: 3, mime: "text/plain" },
    { type: "text", text: "look" },
  ]);
  assert.equal(sent[0].reply_to, 5);
  assert.deepEqual(pending(), []);
});

test("a picture is described by what the server found in it", async () => {
  await client.uploads.send("1", [{ ...file("pixels", "p.png", "image/png"), picture: true }], []);
  assert.match(pending()[0].uploads[0].preview, /^blob:/);
  await settle();
  const { file: hash, ...rest } = sent[0].segments[0];
  assert.deepEqual(rest, { type: "image", name: "p.png", size: 1, width: 4, height: 3, thumbhash: "abc" });
  assert.match(client.uploads.previews.of(hash), /^blob:/);
});

test("text that is written later does not wait for files", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one")], []);
  await settle();
  await client.outbox.add({ client_id: "t", conversation: "1", segments: [{ type: "text", text: "t" }], created: 2, state: "queued" });
  await settle();
  assert.deepEqual(sent.map(({ client_id }) => client_id), ["t"]);
  server.isCut = false;
  client.uploads.wake();
  await settle();
  client.uploads.wake();
  await settle();
  assert.equal(sent.length, 2);
});

test("what the server refuses is told, and the rest goes up; then it can be left out", async () => {
  server.fate = [{ status: 413, body: '{"code":"file_too_large","detail":"no"}' }];
  await client.uploads.send("1", [file("one"), file("two", "2.txt")], []);
  await settle();
  const [message] = pending();
  assert.equal(message.state, "failed");
  assert.equal(message.error.code, "file_too_large");
  const failed = message.uploads.find(({ error }) => error);
  client.uploads.cancel(message, failed.id);
  await settle();
  assert.equal(sent.length, 1);
  assert.equal(sent[0].segments.length, 1);
  assert.deepEqual(pending(), []);
});

test("trying again sends only what is not there yet", async () => {
  server.fate = [{ status: 507, body: '{"code":"disk_full"}' }];
  await client.uploads.send("1", [file("one"), file("two", "2.txt")], []);
  await settle();
  const { length } = server.asked;
  await client.outbox.retry("1", pending()[0].client_id);
  assert.equal(pending()[0].state, "uploading");
  await settle();
  assert.deepEqual(server.asked.slice(length), ["POST", "PATCH 0"]);
  assert.deepEqual(sent[0].segments.map(({ name }) => name), ["a.txt", "2.txt"]);
});

test("what is given up stops, and is not sent", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one")], []);
  await settle();
  await client.outbox.discard("1", pending()[0].client_id);
  server.isCut = false;
  say("online");
  await settle();
  assert.deepEqual(pending(), []);
  assert.deepEqual(sent, []);
});

test("leaving out the only file gives the message up", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one")], [{ type: "text", text: "look" }]);
  await settle();
  const [message] = pending();
  client.uploads.cancel(message, message.uploads[0].id);
  await settle();
  assert.deepEqual(pending(), []);
});

test("only two files go up at a time", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("1"), file("2"), file("3")], []);
  await settle();
  assert.equal(server.asked.filter((one) => one === "POST").length, 2);
  server.isCut = false;
  client.uploads.wake();
  await settle();
  client.uploads.wake();
  await settle(100);
  assert.equal(sent[0].segments.length, 3);
});

test("leaving the page is asked about while something goes up", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one")], []);
  await settle();
  assert.equal(leaves(), false);
  await client.outbox.discard("1", pending()[0].client_id);
  await settle();
  assert.equal(leaves(), true);
});

test("pictures are what the image server takes", () => {
  const limits = { picture_bytes_max: 10 };
  const picture = (type, text = "x") => isPicture(new Blob([text], { type }), limits);
  assert(picture("image/png") && picture("image/webp") && picture("image/bmp"));
  assert(!picture("image/svg+xml") && !picture("image/avif") && !picture("text/html"));
  assert(!picture("image/png", "") && !picture("image/png", "more than ten bytes"));
});
