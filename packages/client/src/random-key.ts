// Names that nobody else has, for requests and for answers of the device.

/** 32 hexadecimal digits. */
export function randomKey(): string {
  // Not `randomUUID`: browsers have that in secure contexts only.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
