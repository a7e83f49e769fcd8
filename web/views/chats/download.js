/** @import { Segment } from "../../types.js" */
import { app } from "../../state/app.js";

/**
 * Saves a stored file under a name. The address is asked for at that moment, because it is good for an
 * hour only.
 * @param {string} file @param {string} name @param {"file" | "image"} kind
 */
export async function download(file, name, kind) {
  const found = await app.client?.files.address(file, kind);
  if (!found) return;
  const url = new URL(found.url, location.href);
  url.searchParams.set("download", "1");
  if (name) url.searchParams.set("name", name);
  const link = document.createElement("a");
  link.href = url.href;
  link.download = name;
  // It opens nothing: the answer says that it is to be saved. Without this an error would take the page's place.
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.click();
}

/** @param {Extract<Segment, {type: "file"}>} segment @returns {Promise<string>} */
export async function playableUrl({ file }) {
  const found = await app.client?.files.address(file, "file");
  return found?.url ?? "";
}
