import { Problem } from "../../net/problem.js";
import { app } from "../../state/app.js";

/** The administration's calls of the API. */
export function admin() {
  if (!app.client) throw new Problem("unauthenticated", "Nobody is signed in.");
  return app.client.api.admin;
}
