import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test, { beforeEach, mock } from "node:test";
import { Transfer } from "../state/transfer.js";
import { browser, say, settle } from "./browser.js";
import { FileServer } from "./file_server.js";

const CONTENT = "what a file says";
const HASH = createHash("sha256").update(CONTENT).digest("hex");

let server;

function transfer(file = new Blob([CONTENT]), onProgress = () => {}) {
  return new Transfer(file, { endpoint: "http://files.example/files/", token: "secret", name: "说明.txt", onProgress });
}

beforeEach(() => {
  browser();
  mock.timers.reset();
  server = new FileServer();
  server.listen();
});

test("a file goes up under its name, and the server says what it has", async () => {
  const shown = [];
  assert.equal(await transfer(undefined, (sent) => shown.push(sent)).run(), HASH);
  assert.deepEqual(server.asked, ["POST", "PATCH 0"]);
  assert.equal(shown.at(-1), CONTENT.length);
  const [{ headers }] = server.uploads.values();
  assert.equal(headers.authorization, "Bearer secret");
  assert.equal(headers["upload-metadata"], `filename ${Buffer.from("说明.txt").toString("base64")}`);
});

test("an empty file is asked about once more, because its creation does not tell its name", async () => {
  assert.equal(await transfer(new Blob([])).run(), createHash("sha256").digest("hex"));
  assert.deepEqual(server.asked, ["POST", "HEAD"]);
});

test("after a cut it goes on where the server is, as soon as the network is back", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  server.cutAfter = 5;
  const sent = transfer().run();
  await settle();
  say("online");
  await settle();
  assert.deepEqual(server.asked, ["POST", "PATCH 0", "HEAD", "HEAD"].slice(0, server.asked.length));
  server.isCut = false;
  server.cutAfter = null;
  say("online");
  await settle();
  assert.equal(await sent, HASH);
  assert.equal(server.asked.at(-1), "PATCH 5");
  assert.equal(server.uploads.size, 1);
});

test("a server that is busy is asked again after as long as it says, and nothing begins anew", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  server.fate = [undefined, { status: 503, headers: { "retry-after": "9" }, body: '{"code":"busy","retry_after":9}' }, { status: 503, headers: {} }];
  const sent = transfer().run();
  await settle();
  assert.deepEqual(server.asked, ["POST", "PATCH 0"]);
  mock.timers.tick(8999);
  await settle();
  assert.equal(server.asked.length, 2);
  mock.timers.tick(1);
  await settle();
  // The question where to go on is answered with 503 too.
  say("online");
  await settle();
  assert.equal(await sent, HASH);
  assert.equal(server.uploads.size, 1);
});

test("an upload that is gone begins anew", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  server.cutAfter = 5;
  const sent = transfer().run();
  await settle();
  server.uploads.clear();
  server.isCut = false;
  server.cutAfter = null;
  say("online");
  await settle();
  assert.equal(await sent, HASH);
});

for (const [status, code] of [[413, "file_too_large"], [415, "picture_unsupported"], [507, "disk_full"], [401, "unauthenticated"]]) {
  test(`${code} is final`, async () => {
    server.fate = [{ status, headers: {}, body: JSON.stringify({ code, detail: "No." }) }];
    await assert.rejects(transfer().run(), { code, detail: "No." });
    assert.equal(server.asked.length, 1);
  });
}

test("a file that cannot be read any more is no broken network", async () => {
  server.isCut = true;
  const file = new Blob([CONTENT]);
  file.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("moved", "NotReadableError")) });
  await assert.rejects(transfer(file).run(), { code: "file_unreadable" });
});

test("what is given up ends, also while it waits", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  server.isCut = true;
  const one = transfer();
  const sent = one.run();
  await settle();
  one.stop();
  await assert.rejects(sent);
  const { length } = server.asked;
  say("online");
  await settle();
  assert.equal(server.asked.length, length);
});

test("the server is told once that it is given up", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  server.cutAfter = 5;
  const one = transfer();
  const sent = one.run();
  await settle();
  server.isCut = false;
  one.cancel();
  one.cancel();
  await assert.rejects(sent);
  await settle();
  assert.deepEqual(server.asked.filter((asked) => asked === "DELETE"), ["DELETE"]);
});

test("a request that moves nothing is made again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { send } = XMLHttpRequest.prototype;
  let silent = true;
  XMLHttpRequest.prototype.send = function (body) {
    if (!silent) return send.call(this, body);
  };
  const sent = transfer().run();
  await settle();
  silent = false;
  mock.timers.tick(60_000);
  await settle();
  mock.timers.tick(0);
  await settle();
  assert.equal(await sent, HASH);
});
