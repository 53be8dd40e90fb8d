// Which content types are a stream of events, so that their bytes are read as they come.

const EVENT_STREAM = /^\s*(?:text\/event-stream|application\/vnd\.amazon\.eventstream)\s*(?:;|$)/i

/** Server-sent events, or the binary frames of AWS. */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType !== undefined && EVENT_STREAM.test(contentType)
}
