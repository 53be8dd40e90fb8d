// Callers of the Responses API, served by providers that speak it themselves.

import { describe, expect, test } from 'vitest'
import type { Part } from '../core/model/message.js'
import { messagesAnswer, reply, streamOf } from '../testing/provider-answers.js'
import { responsesStream, valuesOf } from '../testing/recorded-streams.js'
import { readByResponses } from '../testing/responses-streams.js'
import { type CallAsk, LOCAL, createTestEngine } from '../testing/test-engine.js'
import { openAiResponses } from '../wire/openai-responses.js'
import { itemsOfRequest } from '../wire/openai-responses/history.js'
import { conversationOf, loadResponse } from './responses.js'

const MODELS = ['gpt-4o-mini', 'gpt-5-mini', 'gpt-5-chat-latest', 'o4-mini', 'my-deployment']
const wire = 'openai-responses' as const
const KEEPS = { previous: null, input: itemsOfRequest({ input: 'Hi' }) }
const THOUGHT = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'sealed' }

const YAML = `
providers:
  main: { kind: openai, api_key: key-of-main }
  other: { kind: openai, api_key: key-of-other }
  claude: { kind: anthropic, api_key: key-of-claude }
models:
${MODELS.map((name) => `  ${name}: { tier: small, price: { input: 1, output: 2 }, deployments: [{ provider: main }] }`).join('\n')}
  elsewhere: { tier: small, price: { input: 1, output: 2 }, deployments: [{ provider: other, model: gpt-5 }] }
  claude: { tier: mid, price: { input: 1, output: 2 }, deployments: [{ provider: claude, model: claude-5 }] }
tasks:
${MODELS.map((name) => `  at-${name}: { degrade: [], retention_days: 2, route: { default: ${name} } }`).join('\n')}
  at-elsewhere: { degrade: [], route: { default: elsewhere } }
  at-claude: { degrade: [], route: { default: claude } }
  cached: { degrade: [], cache: { exact: { ttl_seconds: 60 } }, route: { default: gpt-4o-mini } }
  asking: { degrade: [refine], budget: { max_input_tokens: 1 }, route: { default: gpt-4o-mini } }
  short: { degrade: [partial_result], budget: { max_output_tokens: 16 }, route: { default: gpt-4o-mini } }
  sure:
    degrade: []
    signals: { confidence: { from: logprobs } }
    route: { default: gpt-4o-mini, escalate_if: [{ condition: "confidence < 0.5", model: my-deployment }] }
`

function world(atPort?: (port: string) => void) {
  const made = createTestEngine({
    yaml: YAML,
    providers: {
      main: { chatWire: wire },
      other: { chatWire: wire },
      claude: { chatWire: 'anthropic-messages' },
    },
    ...(atPort === undefined ? {} : { atPort }),
  })
  let count = 0
  const answer = (said: { readonly parts?: readonly Part[]; readonly logprob?: number } = {}) => {
    const { parts = [{ kind: 'text', text: 'Paris.' }], logprob } = said
    const usage = { input_tokens: 9, output_tokens: 2, total_tokens: 11 }
    const body = openAiResponses.encodeAnswer(
      {
        id: `resp_${(count += 1)}`,
        model: 'upstream',
        parts,
        finishReason: 'stop',
        rawFinishReason: null,
        stopSequence: null,
        usage: null,
        ...(logprob === undefined ? {} : { logprobs: [{ token: 'Paris.', logprob, top: [] }] }),
      },
      1,
    )
    return reply({ ...body, usage })
  }
  const ask = (more: CallAsk) =>
    made.call({ wire, ...more, body: { messages: undefined, input: 'Hi', ...more.body } })
  return { ...made, ask, answer }
}

const recorded = (name: string) =>
  responsesStream(name)
    .toString('utf8')
    .split(/(?<=\n\n)/)

describe('what the provider is told', () => {
  test('to keep nothing, whatever the caller said; all else passes as it came', async () => {
    const made = world()
    made.provider('main').otherwise(() => made.answer())
    const told = async (body: object) => {
      await made.ask({ task: 'at-gpt-4o-mini', body })
      return Buffer.from(made.provider('main').requests.at(-1)?.body ?? []).toString()
    }
    const asked = { model: 'gpt-4o-mini', input: 'Hi', metadata: { a: '1' } }
    expect(await told(asked)).toBe(JSON.stringify({ ...asked, store: false }))
    expect(await told({ ...asked, store: true })).toBe(JSON.stringify({ ...asked, store: false }))
    expect(await told({ ...asked, store: false })).toBe(JSON.stringify({ ...asked, store: false }))
  })

  test.each([
    ['gpt-4o-mini', {}, undefined],
    ['gpt-5-chat-latest', { reasoning: {} }, undefined],
    ['my-deployment', {}, undefined],
    ['my-deployment', { reasoning: null }, undefined],
    ['my-deployment', { reasoning: { effort: 'low' } }, ['reasoning.encrypted_content']],
    ['gpt-5-mini', {}, ['reasoning.encrypted_content']],
    ['o4-mini', { include: ['x'] }, ['x', 'reasoning.encrypted_content']],
    ['o4-mini', { include: ['reasoning.encrypted_content'] }, ['reasoning.encrypted_content']],
  ])('%s asked with %j that will be kept: include is %j', async (model, body, include) => {
    const made = world()
    made.provider('main').next(made.answer(), made.answer())
    await made.ask({ task: `at-${model}`, body, keeps: KEEPS })
    await made.ask({ task: `at-${model}`, body })
    const [kept, loose] = made.provider('main').requests.map(({ json }) => json['include'])
    expect(kept).toEqual(include)
    expect(loose).toEqual('include' in body ? body.include : undefined)
  })

  test('thoughts that others had, at other providers or in other accounts, stay behind', async () => {
    const made = world()
    made.provider('main').otherwise(() => made.answer())
    const message = { role: 'user', content: 'Hi' }
    const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }
    const input = [
      { ...THOUGHT, id: 'rs_spillway_msg_1_0' },
      THOUGHT,
      { ...THOUGHT, id: 'rs_2' },
      { ...call, thought_signature: 'of Gemini' },
      message,
    ]
    const thoughts = new Map([
      ['rs_1', 'main'],
      ['rs_2', 'other'],
    ])
    await made.ask({ task: 'at-gpt-5-mini', body: { input }, thoughts })
    expect(made.provider('main').requests[0]?.json['input']).toEqual([
      THOUGHT,
      call,
      { type: 'message', ...message },
    ])
  })

  test('what OpenAI encrypted is not shown to Claude as if it were its own, and that is told', async () => {
    const made = world()
    made.provider('claude').next(messagesAnswer())
    const thought = { ...THOUGHT, summary: [{ type: 'summary_text', text: 'Hm' }] }
    const said = { role: 'assistant', content: 'Hello.' }
    const question = { role: 'user', content: 'Who?' }
    const input = [{ role: 'user', content: 'Hi' }, thought, said, question]
    const caller = await made.ask({ task: 'at-claude', body: { input } })
    expect(caller.status).toBe(200)
    expect(JSON.stringify(made.provider('claude').requests[0]?.json)).not.toContain('sealed')
    expect(made.lastStep().decisions.map(({ choice }) => choice)).toContain('drop hints')
  })
})

describe('confidence by log probabilities', () => {
  test('they are asked for, read, and taken out again; a weak answer is asked again', async () => {
    const made = world()
    made.provider('main').next(made.answer({ logprob: Math.log(0.2) }), made.answer({ logprob: 0 }))
    const caller = await made.ask({ task: 'sure' })
    expect(caller.headers['x-spillway-model']).toBe('my-deployment')
    const [asked] = made.provider('main').requests
    expect(asked?.json['include']).toEqual(['message.output_text.logprobs'])
    made.provider('main').next(made.answer({ logprob: Math.log(0.9) }))
    const sure = await made.ask({ task: 'sure' })
    expect(sure.headers['x-spillway-model']).toBe('gpt-4o-mini')
    expect(sure.json).toMatchObject({ output: [{ content: [{ logprobs: [] }] }] })
  })

  test('in a stream no event shows them, not the last one either', async () => {
    const made = world()
    made.provider('main').next(streamOf(recorded('logprobs')))
    const caller = await made.ask({ task: 'sure', body: { stream: true } })
    expect(caller.text).not.toContain('"logprobs":[{')
    const { response, said } = await readByResponses(caller.text)
    expect([response.status, response.output_text]).toEqual(['completed', said.text])
  })
})

describe('what is kept', () => {
  const load = (made: ReturnType<typeof world>, id: unknown) =>
    loadResponse(made.engine, LOCAL.name, String(id))

  test('an answer from the cache is a response of its own, in its own conversation', async () => {
    const made = world()
    made.provider('main').next(made.answer(), streamOf(recorded('text')))
    for (const stream of [false, true]) {
      const body = { input: `stream: ${stream}`, stream }
      const ids: unknown[] = []
      for (const name of ['one', 'two']) {
        const keeps = { previous: null, input: itemsOfRequest({ input: name }) }
        const caller = await made.ask({ task: 'cached', body, keeps })
        expect(caller.headers['x-spillway-cache']).toBe(name === 'one' ? 'miss' : 'exact')
        const response = stream
          ? (await readByResponses(caller.text)).response
          : (caller.json as { id: string; output: { id: string }[] })
        expect(await load(made, response.id)).toMatchObject({ ...keeps, provider: 'main' })
        ids.push(response.id, ...response.output.map((item) => item.id))
      }
      expect(new Set(ids).size).toBe(4)
    }
    expect(made.provider('main').requests).toHaveLength(2)
  })

  test('so is what the contract says when it asks for more', async () => {
    const made = world()
    const input = 'far too long a question '.repeat(9)
    for (const stream of [false, true]) {
      const caller = await made.ask({ task: 'asking', body: { input, stream }, keeps: KEEPS })
      const { id } = stream ? (await readByResponses(caller.text)).response : (caller.json as { id: string })
      expect(await load(made, id)).toMatchObject({ ...KEEPS, provider: null })
    }
  })

  test('a stream that the budget cut ends incomplete, and can be gone on from', async () => {
    const made = world()
    const [created = '', progress = '', item = '', part = '', delta = ''] = recorded('text')
    const many = Array.from({ length: 40 }, (_, at) => {
      return delta.replace('"sequence_number":4', `"sequence_number":${at + 4}`)
    })
    made.provider('main').next(streamOf([created, progress, item, part, ...many]))
    const caller = await made.ask({ task: 'short', body: { stream: true }, keeps: KEEPS })
    const { response, said, sequence } = await readByResponses(caller.text)
    expect(sequence).toEqual([...sequence.keys()])
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output_text: said.text,
    })
    expect(await load(made, response.id)).toMatchObject({ response: { status: 'incomplete' } })
    const conversation = await conversationOf(made.engine, LOCAL.name, response.id)
    expect(conversation).toMatchObject({
      items: [...KEEPS.input, { type: 'message', content: [{ text: said.text }] }],
    })
  })

  test('thoughts are known by the provider that had them', async () => {
    const made = world()
    const thought: Part = { kind: 'reasoning', text: '', redacted: 'sealed', id: 'rs_1' }
    made.provider('other').next(made.answer({ parts: [thought, { kind: 'text', text: 'Paris.' }] }))
    const caller = await made.ask({ task: 'at-elsewhere', keeps: KEEPS })
    const conversation = await conversationOf(made.engine, LOCAL.name, (caller.json as { id: string }).id)
    expect(conversation).toMatchObject({ thoughts: new Map([['rs_1', 'other']]) })
  })

  test('is kept as long as the contract keeps content, and by its tenant alone', async () => {
    const made = world()
    made.provider('main').next(made.answer())
    const caller = await made.ask({ task: 'at-gpt-4o-mini', keeps: KEEPS })
    const { id } = caller.json as { id: string }
    expect(await loadResponse(made.engine, 'another', id)).toMatchObject({ code: 'response.unknown' })
    await made.system.advance(2 * 86_400_000 - 60_000)
    expect(await load(made, id)).toMatchObject({ response: { id } })
    await made.system.advance(120_000)
    expect(await load(made, id)).toMatchObject({ code: 'response.unknown' })
  })
})

test('a stream whose charge cannot be written ends with an error that is numbered like the rest', async () => {
  const made = world()
  made.provider('main').next(streamOf(recorded('text'), { gapMs: 5 }))
  const running = made.start({
    wire,
    task: 'at-gpt-4o-mini',
    body: { messages: undefined, input: 'Hi', stream: true },
  })
  await made.system.advance(20)
  made.books.fail(new Error('disk full'))
  const caller = await made.finish(running)
  const events = valuesOf(caller.text)
  expect(events.length).toBeGreaterThan(3)
  expect(events.map((event) => event['sequence_number'])).toEqual([...events.keys()])
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'store.unavailable' } })
})
