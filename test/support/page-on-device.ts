// The program of a web page that tries the user's own device first: the browser's model, or one that the
// application brought along.

import { type Task, browserLanguageModel, createClient, fromRunner } from '@spillway/client'

interface Spillway {
  readonly baseUrl: string
  readonly apiKey: string
}

const ask = (content: string) => ({ messages: [{ role: 'user' as const, content }] })

async function streamed(t: Task, question: string) {
  const stream = t.streamChat(ask(question), { onDevice: { streams: 'live' } })
  const pieces: string[] = []
  for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '')
  return { pieces: pieces.filter((piece) => piece !== ''), facts: stream.spillway }
}

/** A call for the device, one that is too hard for it, one in pieces. */
export function runOnDevice(to: Spillway) {
  const escalate = ({ text }: { readonly text: string }) => text.includes('not sure')
  const client = createClient({ ...to, onDevice: { runner: browserLanguageModel(), escalate } })
  return client.task('support_reply', { externalId: 'device-1' }, async (t) => {
    const easy = await t.chat(ask('easy: is this about an order?'), { onDevice: true })
    const hard = await t.chat(ask('hard: what does clause 7 mean?'), { onDevice: true })
    const pieces = await streamed(t, 'easy: and this?')
    t.succeed({ output: hard.text })
    return { id: t.id, easy, hard, pieces, left: t.remaining() }
  })
}

/** The connection goes while the device answers, as `goOffline` of the page says. */
export async function runOffline(to: Spillway) {
  const { goOffline } = globalThis as unknown as { readonly goOffline: () => Promise<void> }
  const onDevice = { runner: browserLanguageModel(), escalate: () => false }
  return createClient({ ...to, onDevice }).task('support_reply', {}, async (t) => {
    await goOffline()
    const { text } = await t.chat(ask('easy: is this about an order?'), { onDevice: true })
    t.succeed({ output: text })
    return { id: t.id, text }
  })
}

/**
 * A route that starts on the device, and a runner that knows how sure it is, as one around WebLLM would be: the
 * calls themselves say nothing about it.
 */
export async function runOnOwnRunner(to: Spillway) {
  const runner = fromRunner('own-model', ({ messages }, { onText }) => {
    onText('Yes.')
    return { text: 'Yes.', confidence: messages.at(-1)?.content === 'easy' ? 0.95 : 0.3 }
  })
  const client = createClient({ ...to, onDevice: { runner } })
  const { value } = await client.task('triage', {}, async (t) => {
    const easy = await t.chat(ask('easy'))
    const hard = await t.chat(ask('hard'))
    return { id: t.id, ends: [easy.spillway.on_device, hard.spillway.on_device] }
  })
  return value
}
