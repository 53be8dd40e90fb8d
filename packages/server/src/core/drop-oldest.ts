/** Lets go of what was put into a map first. What is put in again after a `delete` is the newest. */
export function dropOldest<Key>(map: Map<Key, unknown>): void {
  const oldest = map.keys().next()
  if (oldest.done !== true) map.delete(oldest.value)
}
