import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { Problem } from "../net/problem.js";
import { EMPTY, merge, replace, WINDOW_MAX } from "../state/history.js";
import { HistoryLoader } from "../state/history_loader.js";
import { Store } from "../state/store.js";
import { settle } from "./browser.js";

const message = (seq, text = "") => ({ conversation: "1", seq, segments: [{ type: "text", text }] });
const seqs = (window) => window.messages.map(({ seq }) => seq);

/** A conversation on a server, of which a few places are no messages. */
class Log {
  places = [];
  held = null;
  isCut = false;
  write(count) {
    for (let added = 0; added < count; added += 1) this.places.push(message(this.places.length + 1));
  }
  messages = async (_, { before, after, limit }) => {
    if (this.isCut) throw new Problem("network", "");
    const forward = after !== undefined;
    const found = this.places.filter(({ seq }) => (forward ? seq > after : seq < (before ?? Infinity)));
    const places = forward ? found.slice(0, limit) : found.slice(-limit);
    const more = found.length > places.length;
    const next = more ? (forward ? places.at(-1).seq : places[0].seq) : null;
    const answer = { items: places.filter(({ isEdit }) => !isEdit), next };
    if (this.held) await new Promise((go) => this.held.push(go));
    return answer;
  };
}

let log;
let store;
let loader;
const window = () => store.state.windows.get("1");

beforeEach(() => {
  log = new Log();
  store = new Store({ windows: new Map(), route: { page: "chats", parts: ["1"] } });
  loader = new HistoryLoader(store, log);
});

test("what is added takes the place of what was there, in order", () => {
  const now = merge({ ...EMPTY, messages: [message(2, "old"), message(4)] }, [message(3), message(2, "new")], "newer");
  assert.deepEqual(seqs(now), [2, 3, 4]);
  assert.equal(now.messages[0].segments[0].text, "new");
});

test("a window that becomes too long lets go of its other end", () => {
  const long = Array.from({ length: WINDOW_MAX }, (_, at) => message(at + 10));
  const older = merge({ ...EMPTY, messages: long, atEnd: true }, [message(9)], "older");
  assert.deepEqual([older.messages[0].seq, older.messages.length, older.atEnd], [9, WINDOW_MAX, false]);
  const newer = merge({ ...EMPTY, messages: long, atStart: true, atEnd: true }, [message(WINDOW_MAX + 10)], "newer");
  assert.deepEqual([newer.messages[0].seq, newer.atStart, newer.atEnd], [11, false, true]);
});

test("only what is there is replaced", () => {
  const before = { ...EMPTY, messages: [message(1)] };
  assert.equal(replace(before, message(2)), before);
});

test("it begins at the end, and goes back to the start", async () => {
  log.write(150);
  await loader.open("1");
  assert.deepEqual([window().messages[0].seq, window().atStart, window().atEnd], [91, false, true]);
  await loader.older("1");
  await loader.older("1");
  assert.deepEqual([window().messages.length, window().atStart], [150, true]);
  await loader.older("1");
  assert.equal(window().messages.length, 150);
});

test("a jump shows what is around, and one gets from there to the end", async () => {
  log.write(200);
  await loader.around("1", 100);
  assert(seqs(window()).includes(100));
  assert.equal(window().atEnd, false);
  while (!window().atEnd) await loader.newer("1");
  assert.equal(window().messages.at(-1).seq, 200);
});

test("after a reconnect the gap is filled, with edits of what was there", async () => {
  log.write(10);
  await loader.open("1");
  log.places[4] = message(5, "edited");
  log.write(220);
  await loader.catchUp("1");
  assert.deepEqual(seqs(window()), Array.from({ length: 230 }, (_, at) => at + 1));
  assert.equal(window().messages[4].segments[0].text, "edited");
});

test("what is too far behind is begun anew at the end", async () => {
  log.write(10);
  await loader.open("1");
  log.write(2000);
  await loader.catchUp("1");
  assert.equal(window().messages.at(-1).seq, 2010);
  assert(window().atEnd);
  const all = seqs(window());
  assert.deepEqual(all, all.map((_, at) => all[0] + at), "without a gap");
});

test("what events tell while a piece is on its way is neither lost nor undone by it", async () => {
  log.write(10);
  log.held = [];
  const opened = loader.open("1");
  await settle();
  loader.heard(message(11), true);
  loader.heard(message(10, "edited"), false);
  log.held.forEach((go) => go());
  await opened;
  assert.equal(window().messages.at(-1).seq, 11);
  assert.equal(window().messages.at(-2).segments[0].text, "edited");
});

test("places that are no messages are gone past", async () => {
  log.write(10);
  for (let edit = 0; edit < 130; edit += 1) log.places.push({ seq: log.places.length + 1, isEdit: true });
  await loader.open("1");
  assert.equal(window().messages.at(-1).seq, 10);
});

test("a failure is told, and trying again mends it", async () => {
  log.write(3);
  log.isCut = true;
  await loader.open("1");
  assert.equal(window().error.code, "network");
  log.isCut = false;
  await loader.open("1");
  assert.deepEqual([seqs(window()).length, window().error, window().loading], [3, null, false]);
});

test("who comes back finds the end only", async () => {
  log.write(200);
  await loader.open("1");
  await loader.older("1");
  loader.close("1");
  assert.equal(window().messages.length, 60);
  await loader.around("1", 50);
  loader.close("1");
  assert.equal(window(), undefined);
});

test("what cannot be filled in is no end, and trying again fills it in", async () => {
  log.write(10);
  await loader.open("1");
  log.write(3);
  loader.missed();
  log.write(1);
  loader.heard(message(14), true);
  assert(loader.isBroken("1"));
  log.isCut = true;
  await assert.rejects(loader.catchUp("1"), { code: "network" });
  assert.deepEqual([seqs(window()).at(-1), window().atEnd, window().error.code, loader.isBroken("1")], [10, false, "network", false]);
  loader.heard(message(15), true);
  assert.equal(seqs(window()).at(-1), 10, "nothing is put behind a gap");
  log.write(1);
  log.isCut = false;
  await loader.catchUp("1");
  await loader.newer("1");
  assert.deepEqual([seqs(window()), window().atEnd, window().error], [Array.from({ length: 15 }, (_, at) => at + 1), true, null]);
});

test("what is filled in is whole again", async () => {
  log.write(10);
  await loader.open("1");
  loader.missed();
  log.write(2);
  loader.heard(message(12), true);
  await loader.catchUp("1");
  assert(!loader.isBroken("1"));
  assert.equal(window().messages.length, 12);
});

test("a refusal that stays is nothing to try again", async () => {
  log.write(3);
  await loader.open("1");
  loader.api = { messages: async () => { throw new Problem("not_a_member", "", { status: 403 }); } };
  await loader.catchUp("1");
  assert.equal(window().error.code, "not_a_member");
});

test("who asks many times to fill in waits for one more answer at most", async () => {
  log.write(3);
  await loader.open("1");
  let asked = 0;
  const { messages } = log;
  loader.api = { messages: (...piece) => ((asked += 1), messages(...piece)) };
  const first = loader.catchUp("1");
  await settle(1);
  await Promise.all([first, ...Array.from({ length: 9 }, () => loader.catchUp("1"))]);
  assert(asked <= 2, `${asked} requests`);
});

test("a window that was let go while it was loaded is not there", async () => {
  log.write(10);
  log.held = [];
  const opened = loader.open("1");
  await settle();
  log.held.forEach((go) => go());
  log.held = null;
  await opened;
  log.held = [];
  const caught = loader.catchUp("1");
  await settle();
  store.put("windows", "1", undefined);
  log.held.forEach((go) => go());
  await caught;
  assert.equal(window(), undefined);
  log.held = null;
  await loader.open("1");
  assert.equal(window().messages.length, 10);
});

test("more own messages than fit into a piece leave no gap", async () => {
  log.write(3);
  await loader.open("1");
  log.write(100);
  await loader.newest("1");
  assert.deepEqual([window().messages.length, window().atEnd], [63, false]);
});

test("a large group that moves is filled in where somebody looks, until that succeeds", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const pass = async (ms) => {
    mock.timers.tick(ms);
    await settle();
  };
  log.write(5);
  await loader.open("1");
  log.write(3);
  log.isCut = true;
  loader.moved("1");
  await pass(0);
  assert.deepEqual([window().messages.length, window().atEnd], [5, false]);
  log.isCut = false;
  await pass(1_000);
  await loader.newer("1");
  assert.deepEqual([window().messages.length, window().atEnd], [8, true]);
  mock.timers.reset();
});

test("a large group that moves where nobody looks is loaded when somebody does", async () => {
  log.write(5);
  await loader.open("1");
  store.set({ route: { page: "people", parts: [] } });
  loader.moved("1");
  assert.equal(window(), undefined);
  log.write(1);
  await loader.open("1");
  assert.equal(window().messages.length, 6);
});

test("of another history nothing stays, and what is on the screen is loaded anew", async () => {
  log.write(5);
  await loader.open("1");
  store.put("windows", "2", EMPTY);
  log.places = [];
  log.write(2);
  loader.forget();
  assert.deepEqual([...store.state.windows.keys()], ["1"]);
  await loader.catchUp("1");
  assert.deepEqual([seqs(window()), window().atEnd], [[1, 2], true]);
});
