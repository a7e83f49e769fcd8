// Names, messages, file names and group names that would like to be something else are shown as text:
// every one of hostile.json, wherever people may put words of their own.

import assert from "node:assert/strict";
import fs from "node:fs";
import { api, befriend, newcomer, origin, picture, run } from "./stage.mjs";

/** @type {string[]} */
const HOSTILE = JSON.parse(fs.readFileSync(new URL("hostile.json", import.meta.url), "utf8"));
/** What a name may hold, in bytes. */
const NAME_BYTES_MAX = 63;
/** How many are on a page at a time: all of them are seen before the next ones push them away. */
const AT_A_TIME = 8;

const names = HOSTILE.filter((text) => Buffer.byteLength(text) <= NAME_BYTES_MAX);

/**
 * A call with something hostile in it; null if the server takes no such text at all.
 * @param {string} text
 * @param {Parameters<typeof api>} call
 */
async function attempt(text, ...call) {
  try {
    return await api(...call);
  } catch (error) {
    // Control characters, and in names the marks that turn text around.
    assert.match(text, /[\u0000-\u001f\u202a-\u202e\u2066-\u2069]/, String(error));
    return null;
  }
}

/** @param {string[]} texts */
function* batches(texts) {
  for (let at = 0; at < texts.length; at += AT_A_TIME) yield texts.slice(at, at + AT_A_TIME);
}

/**
 * What happened in a browser that only a script or an address of theirs makes happen.
 * @param {import("playwright-core").BrowserContext} browsing @param {string[]} ours where requests may go
 */
async function watched(browsing, ours) {
  /** @type {string[]} */
  const happened = [];
  browsing.on("dialog", (dialog) => {
    happened.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  browsing.on("request", (request) => {
    const { origin: where, protocol } = new URL(request.url());
    if (!ours.includes(where) && !["blob:", "data:"].includes(protocol)) happened.push(`a request: ${request.url()}`);
  });
  browsing.on("page", (page) => happened.push(`a page: ${page.url()}`));
  // Console errors are complaints, which fail the test.
  await browsing.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`against the policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return happened;
}

/**
 * Nothing of it has become part of the page.
 * @param {import("playwright-core").Page} page @param {string} place
 */
async function isText(page, place) {
  const found = await page.evaluate(() => ({
    stolen: "stolen" in window,
    elements: [
      ...document.querySelectorAll(
        "iframe, frame, object, embed, applet, base, xss, marquee, math, keygen, isindex, [srcdoc], [style*='fixed;inset:0'], " +
          "#root :is(script, style, link, meta, template, form[action], img[src='x'], svg :is(script, foreignObject, animate, set, use[href^='data:']))",
      ),
      ...[...document.querySelectorAll("*")].filter((one) => one.getAttributeNames().some((name) => name.startsWith("on"))),
    ].map((one) => one.outerHTML.slice(0, 200)),
    links: [...document.querySelectorAll("a")].map((link) => link.protocol),
  }));
  assert.equal(found.stolen, false, place);
  assert.deepEqual(found.elements, [], place);
  for (const protocol of found.links) assert.match(protocol, /^(https?|mailto|blob):$/, place);
}

/**
 * Somebody takes each of the names.
 * @param {import("./stage.mjs").Person} person @param {import("playwright-core").Page} seen where somebody else looks
 * @param {string} id
 */
async function callsOneself(person, seen, id) {
  await seen.goto(`${origin}/#/people/user/${id}`);
  for (const name of names) {
    if (!(await attempt(name, person.page, "PATCH", "/me", { nickname: name, signature: name }))) continue;
    await seen.getByText(name).first().waitFor();
    await isText(seen, `somebody called ${JSON.stringify(name)}`);
  }
}

/**
 * A group takes each of the names.
 * @param {import("./stage.mjs").Person} owner @param {import("playwright-core").Page} seen where it is looked at
 * @param {string} id
 */
async function isCalled(owner, seen, id) {
  await seen.goto(`${origin}/#/people/group/${id}`);
  for (const [at, name] of names.entries()) {
    const body = { name, announcement: HOSTILE[at] };
    if (!(await attempt(name + body.announcement, owner.page, "PATCH", `/groups/${id}`, body))) continue;
    await seen.getByText(name).first().waitFor();
    await isText(seen, `a group called ${JSON.stringify(name)}`);
  }
}

await run(async () => {
  assert(HOSTILE.length >= 200);
  const ann = await newcomer("ann");
  const bob = await newcomer("bob");
  const id = await befriend(ann, bob);
  const bobId = (await api(bob.page, "GET", "/me")).id;
  const { file_url, image_url } = await api(ann.page, "GET", "/server");
  const ours = [origin, file_url, image_url].map((url) => new URL(url).origin);
  const beside = await ann.context.newPage();
  const happened = await watched(ann.context, ours);
  const { group } = await api(ann.page, "POST", "/groups", { name: "group", member_ids: [bobId] });
  // From its first moment.
  await ann.page.reload();
  const log = ann.page.getByRole("log");

  // Messages, in the conversation that Ann looks at and in one whose preview she sees.
  await ann.page.goto(`${origin}/#/chats/${id}`);
  await log.waitFor();
  let number = 0;
  for (const texts of batches(HOSTILE)) {
    const sends = texts.flatMap((text) => {
      number += 1;
      return [id, group.conversation].map((conversation) => {
        const body = { client_id: `text-${conversation}-${number}`, segments: [{ type: "text", text }] };
        return attempt(text, bob.page, "POST", `/conversations/${conversation}/messages`, body);
      });
    });
    await Promise.all(sends);
    const visible = texts.filter((text) => !/[\u0000-\u001f]/.test(text));
    await Promise.all(visible.map((text) => log.getByText(text).first().waitFor()));
    await isText(ann.page, `a message of ${JSON.stringify(texts)}`);
  }

  // Segments that no program of ours would write.
  const odd = [{ type: "custom", data: { html: HOSTILE[0] } }, { type: "<b>", href: "javascript:window.stolen=1" }];
  await api(bob.page, "POST", `/conversations/${id}/messages`, { client_id: "custom", segments: odd });

  // A file whose content would like to be a page, under all of these names.
  const token = await bob.page.evaluate(() => JSON.parse(localStorage.getItem("myim.accounts") ?? "[]")[0].token);
  const upload = await fetch(`${file_url}/files?name=${encodeURIComponent("<img src=x onerror=stolen=1>.html")}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: "<script>window.stolen=1</script>",
  });
  const { file, size, mime } = await upload.json();
  for (const texts of batches(HOSTILE)) {
    const sends = texts.map(async (name) => {
      number += 1;
      const body = { client_id: `file-${number}`, segments: [{ type: "file", file, size, mime, name }] };
      const stored = await attempt(name, bob.page, "POST", `/conversations/${id}/messages`, body);
      if (!stored) return;
      const kept = await api(bob.page, "GET", `/conversations/${id}/messages/${stored.seq}`);
      await log.getByText(kept.segments[0].name).first().waitFor();
    });
    await Promise.all(sends);
    await isText(ann.page, `a file called ${JSON.stringify(texts)}`);
  }
  await picture(ann.page, "hostile");
  const { url } = await api(ann.page, "GET", `/files/${file}`);
  const answer = await fetch(url);
  assert.equal(answer.headers.get("content-type"), "application/octet-stream");
  assert.match(answer.headers.get("content-disposition") ?? "", /^attachment/);

  // What people call themselves and say of themselves, while somebody looks; the same for groups,
  // whose announcement may be longer.
  await Promise.all([callsOneself(bob, ann.page, bobId), isCalled(ann, beside, group.id)]);
  // And whatever shows all of it once more.
  for (const place of [`#/chats/${id}`, `#/chats/${group.conversation}`, "#/people", "#/people/requests"]) {
    await ann.page.goto(`${origin}/${place}`);
    await ann.page.reload();
    await ann.page.getByRole("navigation", { name: "Main" }).waitFor();
    await isText(ann.page, place);
  }
  assert.deepEqual(happened, []);
});
