// Waiting for what happens in another process: a condition is asked again and again, and not for ever.

const POLL_MS = 20
const POLLS_MAX = 1_000

/** The first value that is neither null nor false. Fails with `what` when it does not come. */
export async function waitFor<T>(
  what: string,
  look: () => T | null | false | Promise<T | null | false>,
): Promise<T> {
  for (let polls = 0; polls < POLLS_MAX; polls++) {
    const found = await look()
    if (found !== null && found !== false) return found
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`waited in vain for ${what}`)
}
