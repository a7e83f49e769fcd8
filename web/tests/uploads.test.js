import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test, { beforeEach, mock } from "node:test";
import { Outbox } from "../state/outbox.js";
import { Store } from "../state/store.js";
// What uploads load when they need it is there, so that tests wait for nothing but turns.
import "../state/transfer.js";
import { isPicture, Uploads } from "../state/uploads.js";
import { browser, leaves, say, settle } from "./browser.js";
import { FileServer } from "./file_server.js";

let server;
let client;
let sent;

const hashOf = (text) => createHash("sha256").update(text).digest("hex");
const file = (text, name = "a.txt", type = "text/plain") => ({ file: new File([text], name, { type }), name, picture: false });
const pending = () => client.store.state.pending.get("1") ?? [];

/** What the browser keeps, by store; tabs share it. */
let kept;
const database = {
  name: "myim-7",
  get: async (store, key) => kept[store].get(key),
  put: async (store, row) => void kept[store].set(row.client_id ?? row.id, { ...row }),
  remove: async (store, key) => void kept[store].delete(key),
  all: async (store) => [...kept[store].values()],
};

/** A tab of the account. */
function tab(facts = { file_url: "http://files.example", image_url: "http://images.example/" }) {
  const store = new Store({ pending: new Map(), server: facts });
  const api = {
    send: async (_, message) => {
      sent.push(message);
      return { seq: sent.length, time: "now" };
    },
  };
  const made = {
    store,
    database,
    account: { token: "secret" },
    files: { address: async (hash, kind) => ({ url: "", size: 1, mime: "text/plain", ...(kind === "image" ? { width: 4, height: 3, thumbhash: "abc" } : {}) }) },
    outbox: new Outbox(store, api, database, () => {}),
  };
  made.uploads = new Uploads(made);
  return made;
}

beforeEach(() => {
  browser();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  server = new FileServer();
  server.listen();
  sent = [];
  kept = { outbox: new Map(), files: new Map() };
  client = tab();
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

test("after a crash the files go on where they were", async () => {
  server.cutAfter = 2;
  await client.uploads.send("1", [file("one"), { ...file("pixels", "p.png", "image/png"), picture: true }], [{ type: "text", text: "look" }], 5);
  await settle();
  client.uploads.stop();
  client.outbox.stop();
  server.isCut = false;
  server.cutAfter = null;
  const { length } = server.asked;
  client = tab(null);
  await client.outbox.restore();
  await settle();
  assert.equal(pending()[0].state, "uploading");
  assert.match(pending()[0].uploads[1].preview, /^blob:/);
  assert.equal(server.asked.length, length, "it is not known yet where they go");
  client.store.set({ server: { file_url: "http://files.example", image_url: "http://images.example/" } });
  await settle(100);
  assert.deepEqual(server.asked.slice(length).filter((one) => one === "POST"), [], "nothing begins anew");
  assert.deepEqual(sent[0].segments.map(({ type, file }) => [type, file]), [["file", hashOf("one")], ["image", hashOf("pixels")], ["text", undefined]]);
  assert.equal(sent[0].reply_to, 5);
  assert.deepEqual([kept.outbox.size, kept.files.size], [0, 0]);
});

test("another tab takes files up only when the one that had them is gone", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one")], []);
  await settle();
  const other = tab();
  await other.outbox.restore();
  await settle();
  assert.equal(other.store.state.pending.size, 0);
  const first = client;
  first.uploads.stop();
  first.outbox.stop();
  server.isCut = false;
  await settle(100);
  assert.equal(sent.length, 1);
  assert.equal(sent[0].segments[0].file, hashOf("one"));
});

test("what was sent meanwhile is not taken up", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one")], []);
  await settle();
  const other = tab();
  await other.outbox.restore();
  server.isCut = false;
  client.uploads.wake();
  await settle(100);
  client.uploads.wake();
  await settle(100);
  assert.equal(sent.length, 1);
  assert.equal(other.store.state.pending.size, 0);
});

test("a file that was not kept can only be left out", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one"), file("two", "2.txt")], []);
  await settle();
  client.uploads.stop();
  client.outbox.stop();
  server.isCut = false;
  kept.files.delete(pending()[0].uploads[0].id);
  client = tab();
  await client.outbox.restore();
  await settle(100);
  const [message] = pending();
  assert.deepEqual([message.state, message.error.code], ["failed", "file_unreadable"]);
  client.uploads.retry(message);
  await settle();
  assert.equal(pending()[0].state, "failed");
  client.uploads.cancel(message, message.uploads[0].id);
  await settle(100);
  assert.deepEqual(sent[0].segments.map(({ name }) => name), ["2.txt"]);
});

test("leaving the page is asked about while a file would be lost by it", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one")], []);
  await settle();
  assert.equal(leaves(), true, "it is kept");
  // The browser has no room for another one.
  kept.files.set = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  await client.uploads.send("1", [file("two")], []);
  await settle();
  assert.equal(leaves(), false);
  await client.outbox.discard("1", pending()[1].client_id);
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

test("an upload goes on where it was, also if its address came before the copy was written", async () => {
  const { put } = database;
  // A large file takes its time.
  const slow = mock.method(database, "put", async (store, row) => {
    if (row.file) await new Promise((resolve) => setTimeout(resolve, 1000));
    return put(store, row);
  });
  server.cutAfter = 2;
  void client.uploads.send("1", [file("one")], []);
  await settle();
  mock.timers.tick(1000);
  await settle();
  slow.mock.restore();
  client.uploads.stop();
  client.outbox.stop();
  server.isCut = false;
  server.cutAfter = null;
  const { length } = server.asked;
  client = tab();
  await client.outbox.restore();
  await settle(100);
  assert.deepEqual(server.asked.slice(length), ["HEAD", "PATCH 2"]);
  assert.equal(sent[0].segments[0].file, hashOf("one"));
  assert.deepEqual([kept.outbox.size, kept.files.size], [0, 0]);
});

test("a file that went up before its copy was written is there after a reload while its message waits", async () => {
  const { put } = database;
  const slow = mock.method(database, "put", async (store, row) => {
    if (row.file) await new Promise((resolve) => setTimeout(resolve, 1000));
    return put(store, row);
  });
  server.fate = [undefined, { status: 413, body: '{"code":"file_too_large"}' }];
  void client.uploads.send("1", [file("one"), file("two", "2.txt")], []);
  await settle();
  mock.timers.tick(1000);
  await settle();
  slow.mock.restore();
  assert.equal(pending()[0].state, "failed");
  client.uploads.stop();
  client.outbox.stop();
  client = tab();
  await client.outbox.restore();
  await settle(100);
  assert.deepEqual(sent[0]?.segments.map(({ name }) => name), ["a.txt", "2.txt"]);
});

test("a file that was left out stays so after a reload", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one"), file("two", "2.txt")], []);
  await settle();
  const [message] = pending();
  client.uploads.cancel(message, message.uploads[0].id);
  await settle();
  client.uploads.stop();
  client.outbox.stop();
  server.isCut = false;
  client = tab();
  await client.outbox.restore();
  await settle(100);
  assert.deepEqual(sent[0]?.segments.map(({ name }) => name), ["2.txt"]);
});

test("what is here is not taken up twice", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one")], []);
  await settle();
  const locks = mock.method(navigator.locks, "request");
  await client.outbox.restore();
  await settle();
  assert.deepEqual(locks.mock.calls.filter(({ arguments: [name] }) => name.startsWith("myim.claim.")), []);
});

test("while a file gets no further, it is said why", async () => {
  server.isCut = true;
  await client.uploads.send("1", [file("one")], []);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await settle();
    client.uploads.wake();
  }
  await settle();
  assert.deepEqual([pending()[0].state, pending()[0].uploads[0].hindrance], ["uploading", "network"]);
  server.isCut = false;
  server.fate = [undefined, { status: 503, headers: {} }];
  client.uploads.wake();
  await settle();
  assert.equal(pending()[0].uploads[0].hindrance, undefined, "it gets on again");
});
