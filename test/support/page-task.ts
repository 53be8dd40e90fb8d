// The program of a web page: what an application would write with the client library and with the official
// SDKs. The journeys in the browser load it, compiled, as the page's own module.

import Anthropic from '@anthropic-ai/sdk'
import { SpillwayError, createClient } from '@spillway/client'
import OpenAI from 'openai'

export interface Spillway {
  readonly baseUrl: string
  readonly apiKey: string
}

const ask = (content: string) => [{ role: 'user' as const, content }]

/** A tool, a call, a streamed call, one call too many, a step, an outcome. */
export async function runTask(to: Spillway) {
  const options = { externalId: 'browser-1', attributes: { account_tier: 'enterprise' } }
  return createClient(to).task('support_reply', options, async (t) => {
    const order = await t.tool('find_order', { id: 7 }, () => ({ status: 'sent' }))
    const chat = await t.chat({ messages: ask(`Where is my order? It is ${order.status}.`) })
    const stream = t.streamChat({ messages: ask('Shorter?'), stream_options: { include_usage: true } })
    const pieces: string[] = []
    for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '')
    const refusal = await refusalOf(t.chat({ messages: ask('And again?') }))
    await t.step({ kind: 'retrieval', name: 'knowledge_base', duration_ms: 12 })
    t.succeed({ output: pieces.join(''), evidence: ['order 7'], score: 0.9 })
    const { answer: _, ...answered } = chat
    return { id: t.id, chat: answered, pieces, streamed: stream.spillway, refusal, left: t.remaining() }
  })
}

/** A call by each official SDK inside one task. */
export async function runTaskWithSdks(to: Spillway) {
  const { value } = await createClient(to).task('support_reply', {}, async (t) => {
    const inBrowser = { dangerouslyAllowBrowser: true }
    const body = { model: 'support_reply', messages: ask('Where is it?') }
    const chat = await new OpenAI({ ...t.openai, ...inBrowser }).chat.completions.create(body)
    const anthropic = new Anthropic({ ...t.anthropic, ...inBrowser })
    const pieces: string[] = []
    for await (const event of anthropic.messages.stream({ ...body, max_tokens: 50 })) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
        pieces.push(event.delta.text)
    }
    return { id: t.id, chat: chat.choices[0]?.message.content ?? null, pieces }
  })
  return value
}

/** Why a list of models cannot be had. */
export function whyNoModels(to: Spillway) {
  return refusalOf(createClient(to).models())
}

async function refusalOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof SpillwayError)) return { code: `no refusal: ${String(error)}` }
  const { code, status, shouldRetry, requestId, taskId } = error
  return { code, status, shouldRetry, requestId, taskId }
}

/** What the page hands to the journey, by name. */
export const PROGRAMS = { runTask, runTaskWithSdks, whyNoModels }
