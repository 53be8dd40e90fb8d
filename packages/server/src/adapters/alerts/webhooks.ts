// Events to webhooks: one POST each, signed as Standard Webhooks say, tried again a few times. A receiver
// that is slow or away costs its own messages, which are counted and logged; it holds nothing up.

import { createHmac } from 'node:crypto'
import type { AlertWebhook } from '../../core/release/release.js'
import type { Entry, EventHappened } from '../../core/task/records.js'
import type { System } from '../../engine/ports.js'

/** Messages that wait for an answer or for their next try. */
const PENDING_MAX = 200
/** Waits before the second, third and fourth try, ms. */
const RETRY_MS = [1_000, 10_000, 60_000]
const ANSWER_MS = 5_000

/** Sends one message. Resolves with the status of the answer, rejects when there is none. */
export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<number>

export interface WebhooksOptions {
  readonly system: Pick<System, 'newId' | 'nowMs' | 'after'>
  /** Of the release that serves. */
  readonly webhooks: () => readonly AlertWebhook[]
  /** Told once per lost message, without secrets and without the path of the address. */
  readonly onLost: (host: string, why: string) => void
  readonly post?: Post
}

export class Webhooks {
  readonly #options: WebhooksOptions
  readonly #post: Post
  #pending = 0

  constructor(options: WebhooksOptions) {
    this.#options = options
    this.#post = options.post ?? postJson(options.system)
  }

  observe(entry: Entry): void {
    if (entry.kind !== 'event') return
    for (const webhook of this.#options.webhooks()) {
      if (webhook.events.length === 0 || webhook.events.includes(entry.event)) this.#send(webhook, entry)
    }
  }

  #send(webhook: AlertWebhook, entry: EventHappened): void {
    if (this.#pending >= PENDING_MAX) {
      this.#options.onLost(hostOf(webhook), 'too many messages wait')
      return
    }
    this.#pending += 1
    const id = this.#options.system.newId('message')
    const { event, atMs, subject, detail } = entry
    const timestamp = new Date(atMs).toISOString()
    const body = JSON.stringify({ type: event, timestamp, data: { subject, ...detail } })
    this.#try({ webhook, id, body }, 0)
  }

  #try(message: Message, tries: number): void {
    const { webhook, id, body } = message
    const headers = signedHeaders(webhook, { id, body, nowMs: this.#options.system.nowMs() })
    this.#post(webhook.url, headers, body).then(
      (status) => this.#answered(message, tries, status >= 200 && status < 300 ? null : `status ${status}`),
      (error: unknown) => this.#answered(message, tries, error instanceof Error ? error.name : 'no answer'),
    )
  }

  #answered(message: Message, tries: number, problem: string | null): void {
    const waitMs = RETRY_MS[tries]
    if (problem !== null && waitMs !== undefined) {
      this.#options.system.after(waitMs, () => this.#try(message, tries + 1))
      return
    }
    this.#pending -= 1
    if (problem !== null) this.#options.onLost(hostOf(message.webhook), problem)
  }
}

interface Message {
  readonly webhook: AlertWebhook
  readonly id: string
  readonly body: string
}

function hostOf({ url }: AlertWebhook): string {
  return new URL(url).host
}

/** The id stays the same over all tries, so that a receiver can leave out what it has. */
function signedHeaders(
  { secret }: AlertWebhook,
  message: { readonly id: string; readonly body: string; readonly nowMs: number },
): Readonly<Record<string, string>> {
  const { id, body, nowMs } = message
  const timestamp = String(Math.floor(nowMs / 1000))
  const headers = { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp }
  if (secret === null) return headers
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { ...headers, 'webhook-signature': `v1,${signature}` }
}

/** `whsec_` and base64, as Standard Webhooks write it, or any text. */
function keyOf(secret: string): Buffer {
  const prefix = 'whsec_'
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret)
}

/** A redirect is not followed: it would carry the message to an address that nobody configured. */
function postJson(system: Pick<System, 'after'>): Post {
  return async (url, headers, body) => {
    const abort = new AbortController()
    const timer = system.after(ANSWER_MS, () => abort.abort())
    const { signal } = abort
    try {
      const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
      await answer.body?.cancel()
      return answer.status
    } finally {
      timer.cancel()
    }
  }
}
