// One try of one request: a chat completion over HTTP, timed token by token.

import { type Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Arrival } from './arrivals.js'
import type { GeneratorJob } from './generator.js'
import { modelFor } from './systems.js'

export interface Try {
  /** null: no answer came. */
  readonly status: number | null
  readonly headers: Readonly<Record<string, string>>
  readonly isComplete: boolean
  /** The client gave up. */
  readonly isTimeout: boolean
  /** When the first and the last byte of the answer came. */
  readonly firstMs: number | null
  readonly lastMs: number
  readonly tokens: number
}

export interface TryAsk {
  readonly job: GeneratorJob
  readonly agent: Agent
  readonly arrival: Arrival
  readonly index: number
}

const CHARACTERS_PER_TOKEN = 4
/** No caller knows how long its answer will be: the limit is generous. */
export const OUTPUT_TOKENS_MAX = 256
/** The end of an answer: usage, and of a stream its last line. */
const TAIL_BYTES = 8_192

function bodyOf({ arrival, index }: TryAsk): Buffer {
  const { promptTokens, outputTokens, stream } = arrival
  const start = `Request ${index} of ${arrival.tenant}. [[out=${outputTokens}]] `
  const content = start.padEnd(promptTokens * CHARACTERS_PER_TOKEN, 'All the words of a long question. ')
  return Buffer.from(
    JSON.stringify({
      model: modelFor(arrival.criticality),
      messages: [{ role: 'user', content }],
      max_tokens: OUTPUT_TOKENS_MAX,
      stream,
      ...(stream ? { stream_options: { include_usage: true } } : {}),
    }),
  )
}

function flat(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

class Answer {
  status: number | null = null
  headers: Record<string, string> = {}
  firstMs: number | null = null
  lastMs = performance.now()
  isTimeout = false
  #tail: Buffer = Buffer.alloc(0)

  push(piece: Buffer): void {
    this.lastMs = performance.now()
    this.firstMs ??= this.lastMs
    const tail = this.#tail.length === 0 ? piece : Buffer.concat([this.#tail, piece])
    this.#tail = tail.length > TAIL_BYTES ? tail.subarray(tail.length - TAIL_BYTES) : tail
  }

  close(isEnded: boolean, stream: boolean): Try {
    const { status, headers, firstMs, isTimeout } = this
    const text = this.#tail.toString('latin1')
    const tokens = Number(/"completion_tokens":(\d+)/.exec(text)?.[1] ?? 0)
    const isWhole = isEnded && tokens > 0 && (!stream || text.includes('data: [DONE]'))
    const isComplete = status === 200 && isWhole
    const lastMs = isComplete ? this.lastMs : performance.now()
    return { status, headers, isComplete, isTimeout, firstMs, lastMs, tokens }
  }
}

export function tryOnce(ask: TryAsk): Promise<Try> {
  const { job, agent, arrival } = ask
  const body = bodyOf(ask)
  const headers = {
    authorization: `Bearer ${job.keys[arrival.tenant] ?? ''}`,
    'content-type': 'application/json',
    'content-length': String(body.length),
  }
  return new Promise((resolve) => {
    const answer = new Answer()
    const url = `${job.url}/v1/chat/completions`
    const request = httpRequest(url, { method: 'POST', agent, headers }, (response) => {
      answer.status = response.statusCode ?? null
      answer.headers = flat(response.headers)
      response.on('data', (piece: Buffer) => {
        clearTimeout(timer)
        answer.push(piece)
      })
      response.on('close', () => done(response.complete))
      response.on('error', () => {})
    })
    const timer = setTimeout(
      () => {
        answer.isTimeout = true
        request.destroy(new Error('the client gave up'))
      },
      arrival.stream ? job.patienceMs : job.wholePatienceMs,
    )
    const done = (isEnded: boolean): void => {
      clearTimeout(timer)
      resolve(answer.close(isEnded, arrival.stream))
    }
    request.on('error', () => done(false))
    request.end(body)
  })
}
