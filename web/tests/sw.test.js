import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { runInNewContext } from "node:vm";

const script = (await readFile(new URL("../sw.js", import.meta.url), "utf8")).replace("{{base}}", "/assets/1").replace("{{files}}", "[]");

/** Clicks a notification; pages say whether it is theirs, or nothing. */
async function click(data, pages) {
  const listeners = {};
  const done = [];
  const all = pages.map(({ name, focused = false, answer }) => ({
    focused,
    postMessage: (said, [port]) => {
      done.push(`${name} asked for ${said.go}`);
      if (answer !== undefined) port.postMessage(answer);
      port.close();
    },
    focus: () => done.push(`${name} focused`),
  }));
  const self = {
    addEventListener: (kind, listener) => (listeners[kind] = listener),
    clients: { matchAll: async () => all, openWindow: (url) => done.push(`opened ${url}`) },
  };
  runInNewContext(script, { self, MessageChannel, setTimeout, Promise, location: {} });
  let finished;
  listeners.notificationclick({ notification: { data, close: () => {} }, waitUntil: (work) => (finished = work) });
  await finished;
  return done;
}

const target = { go: "#/chats/1", user_id: "7" };

test("a notification opens in the tab of its account", async () => {
  const done = await click(target, [{ name: "mine", answer: true }, { name: "hers", focused: true, answer: false }]);
  assert.deepEqual(done, ["hers asked for #/chats/1", "mine asked for #/chats/1", "mine focused"]);
});

test("a notification whose tab sleeps or is gone opens in a new one", async () => {
  const done = await click(target, [{ name: "asleep" }, { name: "hers", answer: false }]);
  assert.equal(done.at(-1), "opened /?account=7#/chats/1");
});
