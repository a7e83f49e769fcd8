import { admin } from "./admin.js";
import { auth } from "./auth.js";
import { chat } from "./chat.js";
import { common } from "./common.js";
import { compose } from "./compose.js";
import { errors } from "./errors.js";
import { lists } from "./lists.js";
import { people } from "./people.js";
import { settings } from "./settings.js";

/** @type {Record<string, import("../index.js").Text>} */
export const texts = {
  ...admin,
  ...auth,
  ...chat,
  ...common,
  ...compose,
  ...errors,
  ...lists,
  ...people,
  ...settings,
};
