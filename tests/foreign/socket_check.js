// Speaks to a running server with the `ws` library, as anybody's program would.
//
// Usage: socket_check.js MODULES ADDRESS TOKEN FRIEND. The token's user writes to the user FRIEND.

const assert = require("node:assert");
const path = require("node:path");

const [modules, address, token, user] = process.argv.slice(2);
const WebSocket = require(path.resolve(modules, "ws"));

const PATIENCE_MS = 20_000;

function open(options = {}) {
  const socket = new WebSocket(`ws://${address}/api/v1/ws`, ["myim.v1"], options);
  socket.frames = [];
  socket.on("message", (data, isBinary) => {
    assert(!isBinary, "the server sends text");
    socket.frames.push(JSON.parse(data.toString()));
    socket.emit("frame");
  });
  return socket;
}

function once(socket, event) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${event} in time`)), PATIENCE_MS);
    socket.once(event, (...values) => {
      clearTimeout(late);
      resolve(values);
    });
    if (event !== "error") socket.once("error", reject);
  });
}

async function ask(socket, id, op, fields) {
  socket.send(JSON.stringify({ id, op, ...fields }));
  for (;;) {
    const answer = socket.frames.find((frame) => frame.id === id);
    if (answer) return answer;
    await once(socket, "frame");
  }
}

async function exchange() {
  const socket = open();
  await once(socket, "open");
  assert.strictEqual(socket.protocol, "myim.v1");
  assert.strictEqual(socket.extensions, "", "nothing is compressed");
  const hello = await ask(socket, 1, "hello", { token });
  assert.notStrictEqual(hello.ok.user.id, user);
  const message = {
    to: { user },
    client_id: "node-1",
    segments: [{ type: "text", text: "hello from Node, 你好 😀" }],
  };
  const sent = await ask(socket, "two", "message.send", message);
  const repeated = await ask(socket, 3, "message.send", message);
  assert.deepStrictEqual(repeated.ok, sent.ok);
  const refused = await ask(socket, 4, "no.such.op", {});
  assert(refused.error.code && refused.error.message, JSON.stringify(refused));
  const text = JSON.stringify({ id: 5, op: "message.send", ...message, client_id: "node-2" });
  for (let at = 0; at < text.length; at += 20) {
    socket.send(text.slice(at, at + 20), { fin: at + 20 >= text.length });
  }
  while (!socket.frames.some((frame) => frame.id === 5)) await once(socket, "frame");
  socket.ping("are you there");
  const [pong] = await once(socket, "pong");
  assert.strictEqual(pong.toString(), "are you there");
  socket.close(1000, "bye");
  const [code] = await once(socket, "close");
  assert.strictEqual(code, 1000);
}

async function closedWith(wanted, first) {
  const socket = open();
  await once(socket, "open");
  first(socket);
  const [code] = await once(socket, "close");
  assert.strictEqual(code, wanted);
}

async function main() {
  await exchange();
  const forged = JSON.stringify({ id: 1, op: "hello", token: "forged" });
  await closedWith(4001, (socket) => socket.send(forged));
  await closedWith(4003, (socket) => socket.send("no json"));
  await closedWith(4003, (socket) => socket.send(Buffer.from([0, 1])));
  const foreign = open({ origin: "https://evil.example" });
  const [, answer] = await once(foreign, "unexpected-response");
  assert.strictEqual(answer.statusCode, 403);
  foreign.on("error", () => {});
  foreign.terminate();
  console.log("ws (Node): all well");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
