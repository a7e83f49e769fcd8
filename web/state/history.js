/** @import { HistoryWindow, Message } from "../types.js" */

/** How many messages of a conversation are held at most; what is far from the screen is let go. */
export const WINDOW_MAX = 240;

/** @type {HistoryWindow} */
export const EMPTY = { messages: [], atStart: false, atEnd: false, loading: false, error: null };

/**
 * Puts messages into a window: newer versions take the place of older ones.
 * @param {HistoryWindow} window
 * @param {Message[]} added
 * @param {"older" | "newer" | "inside"} where which end they are added at; the other end is cut off
 *   where the window becomes too long
 * @returns {HistoryWindow}
 */
export function merge(window, added, where) {
  const bySeq = new Map(window.messages.map((message) => [message.seq, message]));
  for (const message of added) bySeq.set(message.seq, message);
  const messages = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  if (messages.length <= WINDOW_MAX) return { ...window, messages };
  return where === "older"
    ? { ...window, messages: messages.slice(0, WINDOW_MAX), atEnd: false }
    : { ...window, messages: messages.slice(-WINDOW_MAX), atStart: false };
}

/**
 * Shows a message as it is now, if it is in the window.
 * @param {HistoryWindow} window
 * @param {Message} message
 * @returns {HistoryWindow}
 */
export function replace(window, message) {
  const at = window.messages.findIndex((one) => one.seq === message.seq);
  return at < 0 ? window : { ...window, messages: window.messages.with(at, message) };
}
