// Names, messages, file names and group names that would like to be something else are shown as text.

import assert from "node:assert/strict";
import { api, befriend, newcomer, origin, picture, run } from "./stage.mjs";

const HOSTILE = [
  `<img src=x onerror="window.stolen=1">`,
  `<script>window.stolen=1</script>`,
  `<svg onload=window.stolen=1><a href="javascript:window.stolen=1">`,
  `"><iframe srcdoc="<script>parent.stolen=1</script>">`,
  "javascript:window.stolen=1",
  "[x](javascript:window.stolen=1) https://example.org/\"onmouseover=\"window.stolen=1",
  "data:text/html,<script>window.stolen=1</script>",
  "${window.stolen=1} {{window.stolen=1}} %3Cscript%3E",
];

await run(async () => {
  const ann = await newcomer("ann");
  const bob = await newcomer("bob");
  const id = await befriend(ann, bob);
  const name = HOSTILE[0].slice(0, 60);
  await api(bob.page, "PATCH", "/me", { nickname: name, signature: HOSTILE[1] });
  const bobId = (await api(bob.page, "GET", "/me")).id;
  const { group } = await api(ann.page, "POST", "/groups", { name: HOSTILE[2].slice(0, 60), member_ids: [bobId] });
  await api(ann.page, "PATCH", `/groups/${group.id}`, { announcement: HOSTILE[3] });
  for (const conversation of [id, group.conversation]) {
    for (const [number, text] of HOSTILE.entries()) {
      await api(bob.page, "POST", `/conversations/${conversation}/messages`, {
        client_id: `hostile-${conversation}-${number}`,
        segments: [{ type: "text", text }],
      });
    }
  }
  // Segments that no program of ours would write.
  await api(bob.page, "POST", `/conversations/${id}/messages`, {
    client_id: "hostile-custom",
    segments: [{ type: "custom", data: { html: HOSTILE[0] } }, { type: "<b>", href: "javascript:window.stolen=1" }],
  });

  const pages = [
    `#/chats/${id}`,
    `#/chats/${group.conversation}`,
    "#/people",
    `#/people/user/${bobId}`,
    `#/people/group/${group.id}`,
    "#/people/requests",
  ];
  for (const place of pages) {
    await ann.page.goto(`${origin}/${place}`);
    await ann.page.getByText(/onerror=/).first().waitFor();
    const found = await ann.page.evaluate(() => ({
      stolen: "stolen" in window,
      elements: document.querySelectorAll("iframe, #root img[src='x'], #root script, [onerror], [onload], [onmouseover]").length,
      links: [...document.querySelectorAll("a")].map((link) => link.protocol),
    }));
    assert.equal(found.stolen, false, place);
    assert.equal(found.elements, 0, place);
    for (const protocol of found.links) assert.match(protocol, /^(https?|mailto|blob):$/, place);
  }
  for (const text of HOSTILE) {
    await ann.page.goto(`${origin}/#/chats/${id}`);
    const words = text.slice(0, 24);
    await ann.page.getByRole("log").getByText(words).first().waitFor();
  }
  await picture(ann.page, "hostile");

  // A file whose name and content would like to be a page.
  const token = await ann.page.evaluate(() => JSON.parse(localStorage.getItem("myim.accounts") ?? "[]")[0].token);
  const { file_url } = await api(ann.page, "GET", "/server");
  const upload = await fetch(`${file_url}/files?name=${encodeURIComponent('<img src=x onerror=stolen=1>.html')}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: "<script>window.stolen=1</script>",
  });
  const { file, size, mime, name: kept } = await upload.json();
  await api(ann.page, "POST", `/conversations/${id}/messages`, {
    client_id: "hostile-file",
    segments: [{ type: "file", file, size, mime, name: kept }],
  });
  await ann.page.reload();
  await ann.page.getByRole("log").getByText(/\.html/).last().waitFor();
  assert.equal(await ann.page.evaluate(() => "stolen" in window), false);
  const { url } = await api(ann.page, "GET", `/files/${file}`);
  const answer = await fetch(url);
  assert.equal(answer.headers.get("content-type"), "application/octet-stream");
  assert.match(answer.headers.get("content-disposition") ?? "", /^attachment/);
});
