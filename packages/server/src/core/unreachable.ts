/** Makes a switch over a union exhaustive: the compiler complains where a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`)
}
