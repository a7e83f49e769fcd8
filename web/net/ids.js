/**
 * A new name for something that is written, or for a device: 128 bits of chance. Pages that did not
 * come over TLS have no `crypto.randomUUID`.
 */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
