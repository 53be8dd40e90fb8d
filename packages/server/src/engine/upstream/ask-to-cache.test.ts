import { describe, expect, test } from 'vitest'
import { chatAnswer, messagesAnswer } from '../../testing/provider-answers.js'
import { type CallAsk, LOCAL, createTestEngine } from '../../testing/test-engine.js'

const yaml = (cache = 'auto') => `
providers:
  main:   { kind: openai, api_key: key-of-main }
  proxy:  { kind: openai, api_key: key-of-proxy, base_url: "https://models.example.com/v1" }
  old:    { kind: azure, api_key: key-of-old, base_url: "https://a.openai.azure.com", api_version: "2024-10-21" }
  new:    { kind: azure, api_key: key-of-new, base_url: "https://a.openai.azure.com", api_version: "2025-04-01-preview" }
  gpu:    { kind: openai-compatible, base_url: "http://gpu.test/v1", hosting: self-hosted }
  claude: { kind: anthropic, api_key: key-of-claude }
  aws:    { kind: bedrock, region: eu-west-1, access_key_id: id, secret_access_key: key-of-aws }
models:
${['main', 'proxy', 'old', 'new', 'gpu'].map((name) => `  at-${name}: { tier: small, deployments: [{ provider: ${name}, model: m }] }`).join('\n')}
  at-claude: { tier: small, deployments: [{ provider: claude, model: claude-sonnet-4-5 }] }
tasks:
${['main', 'proxy', 'old', 'new', 'gpu', 'claude'].map((name) => `  ${name}: { degrade: [], cache: { provider: ${cache} }, route: { default: at-${name} } }`).join('\n')}
`

function world(cache?: string) {
  const providers = {
    main: {},
    proxy: {},
    old: {},
    new: {},
    gpu: {},
    claude: { chatWire: 'anthropic-messages' },
  } as const
  const made = createTestEngine({ yaml: yaml(cache), providers })
  for (const name of Object.keys(providers)) {
    const answer = name === 'claude' ? messagesAnswer() : chatAnswer()
    made.provider(name).otherwise(() => answer)
  }
  /** What the provider was sent. */
  const sent = async (task: string, ask: CallAsk) => {
    const caller = await made.call({ task, ...ask })
    expect(caller.status).toBe(200)
    return made.provider(task).requests.at(-1)?.json ?? {}
  }
  return { ...made, sent }
}

const LONG = 'Always be brief. '.repeat(400)
const chat = (question: string, more: object = {}): CallAsk => ({
  body: {
    messages: [
      { role: 'system', content: LONG },
      { role: 'user', content: question },
    ],
    ...more,
  },
})

describe('a key for prompts that begin alike', () => {
  test('is set at OpenAI, the same for the same beginning and another for another tenant', async () => {
    const { sent } = world()
    const first = await sent('main', chat('One?'))
    const second = await sent('main', chat('Two?'))
    const other = await sent('main', { ...chat('One?'), tenant: { ...LOCAL, name: 'beta' } })
    expect(first['prompt_cache_key']).toMatch(/^sw-[0-9a-z]+-0$/)
    expect(second['prompt_cache_key']).toBe(first['prompt_cache_key'])
    expect(other['prompt_cache_key']).not.toBe(first['prompt_cache_key'])
  })

  test('is set when another format is translated', async () => {
    const { sent } = world()
    const messages = { system: LONG, messages: [{ role: 'user', content: 'One?' }] }
    const crossed = await sent('main', { wire: 'anthropic-messages', body: messages })
    expect(crossed['prompt_cache_key']).toMatch(/^sw-/)
  })

  test('stays the caller’s own, and is none for a short prompt or a contract that says so', async () => {
    const { sent } = world()
    expect((await sent('main', chat('One?', { prompt_cache_key: 'mine' })))['prompt_cache_key']).toBe('mine')
    const short = await sent('main', { body: { messages: [{ role: 'user', content: 'Hi' }] } })
    expect(short).not.toHaveProperty('prompt_cache_key')
    expect(await world('off').sent('main', chat('One?'))).not.toHaveProperty('prompt_cache_key')
  })

  test.each(['proxy', 'old', 'gpu'])(
    'is not sent to %s, which may refuse what it does not know',
    async (name) => {
      expect(await world().sent(name, chat('One?'))).not.toHaveProperty('prompt_cache_key')
    },
  )

  test('is sent to an Azure that knows it', async () => {
    expect((await world().sent('new', chat('One?')))['prompt_cache_key']).toMatch(/^sw-/)
  })
})

describe('marks of what to keep', () => {
  const MARK = { type: 'ephemeral' }
  const ask = (...said: readonly string[]): CallAsk => ({
    wire: 'anthropic-messages',
    body: {
      system: LONG,
      messages: said.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content })),
    },
  })
  const marks = (json: object) => (JSON.stringify(json).match(/"cache_control"/g) ?? []).length

  test('are set when the same beginning comes a second time, at instructions only', async () => {
    const made = world()
    const { sent } = made
    expect(marks(await sent('claude', ask('One?')))).toBe(0)
    const second = await sent('claude', ask('Two?'))
    expect(second).toMatchObject({ system: [{ type: 'text', text: LONG, cache_control: MARK }] })
    expect(marks(second)).toBe(1)
    expect(made.lastStep().decisions.map(({ choice }) => choice)).toContain('keep instructions')
  })

  test('are set at the end of a conversation that goes on', async () => {
    const { sent } = world()
    await sent('claude', ask('One?'))
    const second = await sent('claude', ask('One?', 'Yes.', 'And two?'))
    expect(second).toMatchObject({
      messages: [{}, {}, { content: [{ text: 'And two?', cache_control: MARK }] }],
    })
    expect(marks(second)).toBe(2)
  })

  test('are set when another format is translated', async () => {
    const { sent } = world()
    await sent('claude', chat('One?'))
    expect(marks(await sent('claude', chat('Two?')))).toBe(1)
  })

  test('are not for another tenant, after the time to live, beside the caller’s own, or where the contract says no', async () => {
    const { sent, system } = world()
    await sent('claude', ask('One?'))
    expect(marks(await sent('claude', { ...ask('Two?'), tenant: { ...LOCAL, name: 'beta' } }))).toBe(0)
    await system.advance(301_000)
    expect(marks(await sent('claude', ask('Three?')))).toBe(0)
    const own = [{ role: 'user', content: [{ type: 'text', text: 'Four?', cache_control: MARK }] }]
    expect(
      marks(await sent('claude', { wire: 'anthropic-messages', body: { system: LONG, messages: own } })),
    ).toBe(1)
    const off = world('off')
    await off.sent('claude', ask('One?'))
    expect(marks(await off.sent('claude', ask('Two?')))).toBe(0)
  })
})
