// Splits a body into server-sent events, wherever the network cut it. Only `data` matters to us: both formats
// repeat inside it what the `event` line says.

/** Longest event, in characters. A longer one is not an answer of a model. */
export const EVENT_LENGTH_MAX = 8 * 1024 * 1024

/** The `data` of each event, lines joined. An unfinished event at the end of the body is not given. */
export async function* readEventData(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let data: string[] = []
  let length = 0
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const ended of lines) {
        const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended
        if (line === '') {
          if (data.length > 0) yield data.join('\n')
          data = []
          length = 0
        } else if (line.startsWith('data:')) {
          data.push(line.slice(line[5] === ' ' ? 6 : 5))
          length += line.length
        }
      }
      if (length + rest.length > EVENT_LENGTH_MAX) throw new RangeError('an event of the stream is too long')
    }
  } finally {
    // Also when the consumer stops early: the connection is freed. Nobody needs to know if that fails.
    await reader.cancel().catch(() => undefined)
  }
}
