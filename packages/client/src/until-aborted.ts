// Work that ends when its signal does, also when the work itself does not listen to the signal.

/** Settles as `run` does, or rejects with the signal's reason as soon as it aborts. */
export function untilAborted<T>(signal: AbortSignal, run: () => Promise<T> | T): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = () => reject(signal.reason)
    const settled = () => signal.removeEventListener('abort', onAbort)
    signal.addEventListener('abort', onAbort, { once: true })
    Promise.resolve().then(run).finally(settled).then(resolve, reject)
  })
}
