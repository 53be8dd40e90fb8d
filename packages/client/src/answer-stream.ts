// A streamed answer: events as they arrive, and an error whenever it is not the whole answer.

import type { DeviceEnd } from '@spillway/protocol'
import { type AnswerFacts, factsOfHeaders, memberOf } from './answer-facts.js'
import { readEventData } from './server-sent-events.js'
import { CLIENT_CODES, SpillwayError, errorInBand, isRecord, readErrorDetail } from './spillway-error.js'

/** How a format says that a stream is complete. */
export interface StreamFormat {
  /** `data` that is no JSON but the end marker, when the format has such a one. */
  readonly endText: string | null
  /** `type` of the event that is the end marker, when the format has such a one. */
  readonly endType: string | null
}

export const CHAT_STREAM: StreamFormat = { endText: '[DONE]', endType: null }
export const MESSAGES_STREAM: StreamFormat = { endText: null, endType: 'message_stop' }

export interface Opened {
  readonly response: Response
  /** What became of the call on the device; null when it was not tried there. */
  readonly onDevice: DeviceEnd | null
}

export interface StreamSource {
  readonly format: StreamFormat
  /** Sends the request; called once, when the first event is asked for. */
  readonly open: () => Promise<Opened>
  readonly signal: AbortSignal
  /** Sees the facts of the head, and again when the last event brought more. */
  readonly onFacts: (facts: AnswerFacts) => void
}

/**
 * Iterate once. Throws `SpillwayError` on an error frame (its own code) and when the stream ends or breaks
 * before its end marker (`client.stream_unfinished`). Leaving the loop early closes the connection; what was
 * generated is paid.
 */
export class AnswerStream<Event> implements AsyncIterable<Event> {
  readonly #source: StreamSource
  #started = false
  #facts: AnswerFacts | null = null
  #tried: Pick<AnswerFacts, 'on_device'> = {}

  constructor(source: StreamSource) {
    this.#source = source
  }

  /**
   * null until the first event. Cost and budget come with the final usage, if the request asked for usage.
   */
  get spillway(): AnswerFacts | null {
    return this.#facts
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    if (this.#started) throw new TypeError('a streamed answer can be read once')
    this.#started = true
    const { response, onDevice } = await this.#source.open()
    this.#tried = onDevice === null ? {} : { on_device: onDevice }
    this.#learn(factsOfHeaders(response.headers))
    yield* this.#events(response)
  }

  async *#events(response: Response): AsyncGenerator<Event, void, undefined> {
    const { endText, endType } = this.#source.format
    for await (const data of this.#data(response)) {
      if (data === endText) return
      const event = parseEvent(data)
      if (readErrorDetail(event) !== null) throw errorInBand(event, response.headers)
      const member = memberOf(event)
      if (member !== null) this.#learn({ ...factsOfHeaders(response.headers), ...member })
      // The format's types are the caller's; the bytes are the provider's and pass through as they are.
      yield event as Event
      if (endType !== null && isRecord(event) && event['type'] === endType) return
    }
    throw unfinished(undefined)
  }

  async *#data(response: Response): AsyncGenerator<string, void, undefined> {
    if (response.body === null) return
    try {
      yield* readEventData(response.body)
    } catch (cause) {
      this.#source.signal.throwIfAborted()
      throw unfinished(cause)
    }
  }

  #learn(facts: AnswerFacts): void {
    this.#facts = { ...facts, ...this.#tried }
    this.#source.onFacts(this.#facts)
  }
}

function parseEvent(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw new SpillwayError({
      code: CLIENT_CODES.badAnswer,
      message: 'an event of the stream is not JSON',
      cause,
    })
  }
}

function unfinished(cause: unknown): SpillwayError {
  const message = 'the stream ended before its end marker: the answer is not whole'
  return new SpillwayError({ code: CLIENT_CODES.streamUnfinished, message, shouldRetry: false, cause })
}
