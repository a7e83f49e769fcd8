import { describe } from "../i18n/index.js";
import { toast } from "./toast.js";

/**
 * Does what somebody asked for, and says it if that did not work.
 * @template T
 * @param {() => Promise<T>} work
 * @param {string} [done] what to say when it worked
 * @returns {Promise<T | undefined>} nothing if it failed
 */
export async function attempt(work, done) {
  try {
    const result = await work();
    if (done) toast(done);
    return result;
  } catch (error) {
    toast(describe(error), "error");
    return undefined;
  }
}
