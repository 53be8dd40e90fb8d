// The program of a web page: what an application would write with the client library and with the official
// OpenAI client. The journeys in the browser load it, compiled, as the page's own module.

import { SpillwayError, createClient } from '@spillway/client'
import OpenAI from 'openai'
import { runOffline, runOnDevice, runOnOwnRunner } from './page-on-device.js'

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

/** A streamed call by the official client inside a task. */
export async function runTaskWithOpenAi(to: Spillway) {
  const { value } = await createClient(to).task('support_reply', {}, async (t) => {
    const openai = new OpenAI({ ...t.openai, dangerouslyAllowBrowser: true })
    const body = { model: 'support_reply', messages: ask('Where is it?'), stream: true } as const
    const { data, response } = await openai.chat.completions.create(body).withResponse()
    const pieces: string[] = []
    for await (const chunk of data) pieces.push(chunk.choices[0]?.delta.content ?? '')
    return { id: t.id, pieces, taskOfAnswer: response.headers.get('x-spillway-task-id') }
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
export const PROGRAMS = {
  runTask,
  runTaskWithOpenAi,
  whyNoModels,
  runOnDevice,
  runOnOwnRunner,
  runOffline,
}
