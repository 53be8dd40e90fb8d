// The only reader of `process.env`. Everybody else gets the environment as a value, so tests and replays
// choose it.

export type Environment = Readonly<Record<string, string | undefined>>

/** A copy: what a release was made from does not change under it. */
export function readEnvironment(): Environment {
  return { ...process.env }
}
