// One deployment of the simulated provider: requests in, steps of the batching model in real time, tokens out.

import { createHash } from 'node:crypto'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { portOf } from '../processes.js'
import { BatchingModel, type BatchingOptions } from './batching-model.js'
import { CONTENT_FRAME, lastFrames, wholeAnswer } from './chat-answer.js'
import { BLOCK_TOKENS } from './prefix-cache.js'
import type { UpstreamStats } from './upstream-control.js'

/** Steps that came late are caught up with, but not more than this, ms: then the machine was the limit. */
const CATCH_UP_MS = 250
const CHARACTERS_PER_TOKEN = 4
const OUTPUT_TOKENS_DEFAULT = 32

interface ChatBody {
  readonly messages: readonly { readonly content: string }[]
  readonly stream?: boolean
  readonly max_tokens?: number
  readonly max_completion_tokens?: number
}

interface Open {
  readonly response: ServerResponse
  readonly stream: boolean
  readonly promptTokens: number
  readonly cut: boolean
  tokens: number
}

export class Deployment {
  /** How much slower than normal. */
  slowDown = 1
  readonly #model: BatchingModel
  readonly #usesCache: boolean
  readonly #open = new Map<number, Open>()
  readonly #server: Server
  #port = 0
  #nextId = 0
  #isStepping = false
  #requests = 0
  #aborted = 0
  #lateMsMax = 0

  constructor(options: BatchingOptions) {
    this.#model = new BatchingModel(options)
    this.#usesCache = options.cacheBlocks > 0
    this.#server = createServer((request, response) => this.#read(request, response))
  }

  get port(): number {
    return this.#port
  }

  stats(): UpstreamStats {
    const { running, waiting, counters } = this.#model
    const { promptTokens, cachedTokens, outputTokens } = counters
    const own = { requests: this.#requests, aborted: this.#aborted, lateMsMax: this.#lateMsMax }
    return { ...own, running, waiting, promptTokens, cachedTokens, outputTokens }
  }

  appear(): Promise<void> {
    if (this.#server.listening) return Promise.resolve()
    return new Promise((resolve) => {
      this.#server.listen(this.#port, '127.0.0.1', 1_024, () => {
        this.#port = portOf(this.#server)
        resolve()
      })
    })
  }

  /** As if the machine were gone: no connection is left and none is taken. */
  vanish(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  /** Forgets all work and hangs up on everybody. */
  drop(): void {
    this.#server.closeAllConnections()
    for (const id of this.#open.keys()) this.#abort(id)
    this.#lateMsMax = 0
  }

  #read(request: IncomingMessage, response: ServerResponse): void {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => this.#take(JSON.parse(Buffer.concat(pieces).toString()) as ChatBody, response))
  }

  #take(body: ChatBody, response: ServerResponse): void {
    const id = this.#nextId++
    const prompt = body.messages.map(({ content }) => content).join('\n')
    const wanted = Number(/\[\[out=(\d+)\]\]/.exec(prompt)?.[1] ?? OUTPUT_TOKENS_DEFAULT)
    const limit = body.max_completion_tokens ?? body.max_tokens ?? Infinity
    const promptTokens = Math.ceil(prompt.length / CHARACTERS_PER_TOKEN)
    const outputTokens = Math.max(1, Math.min(wanted, limit))
    const cut = limit < wanted
    this.#open.set(id, { response, stream: body.stream === true, promptTokens, cut, tokens: 0 })
    this.#requests += 1
    response.on('close', () => {
      if (!response.writableEnded) this.#abort(id)
    })
    this.#model.submit({ id, promptTokens, outputTokens, blocks: this.#usesCache ? blocksOf(prompt) : [] })
    if (!this.#isStepping) this.#begin(performance.now())
  }

  #abort(id: number): void {
    if (!this.#open.delete(id)) return
    this.#aborted += 1
    this.#model.abort(id)
  }

  #begin(atMs: number): void {
    const lengthMs = this.#model.beginStep()
    this.#isStepping = lengthMs !== null
    if (lengthMs !== null) this.#wait(atMs + lengthMs * this.slowDown)
  }

  /** A step ends when its time is over, not when a timer happens to fire: lateness does not add up. */
  #wait(endMs: number): void {
    const nowMs = performance.now()
    if (nowMs < endMs) {
      setTimeout(() => this.#wait(endMs), Math.max(1, Math.floor(endMs - nowMs)))
      return
    }
    this.#lateMsMax = Math.max(this.#lateMsMax, nowMs - endMs)
    this.#deliver()
    this.#begin(Math.max(endMs, nowMs - CATCH_UP_MS))
  }

  #deliver(): void {
    const { tokens, finished } = this.#model.endStep()
    for (const id of tokens) {
      const open = this.#open.get(id)
      if (open === undefined) continue
      open.tokens += 1
      if (!open.stream) continue
      if (open.tokens === 1) open.response.writeHead(200, { 'content-type': 'text/event-stream' })
      open.response.write(CONTENT_FRAME)
    }
    for (const id of finished) this.#finish(id)
  }

  #finish(id: number): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    this.#open.delete(id)
    if (open.stream) {
      open.response.end(lastFrames(open))
      return
    }
    const whole = wholeAnswer(open)
    const headers = { 'content-type': 'application/json', 'content-length': String(whole.length) }
    open.response.writeHead(200, headers).end(whole)
  }
}

/** A hash per block of the prompt, over everything up to its end. */
function blocksOf(prompt: string): readonly string[] {
  const size = BLOCK_TOKENS * CHARACTERS_PER_TOKEN
  const hash = createHash('sha256')
  const blocks: string[] = []
  for (let end = size; end <= prompt.length; end += size) {
    hash.update(prompt.slice(end - size, end))
    blocks.push(hash.copy().digest('base64'))
  }
  return blocks
}
