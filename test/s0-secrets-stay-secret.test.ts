// S0: keys and prompts are nowhere they need not be: not in what is printed, answered, measured, traced, exported or
// kept. Content is kept only where a contract says so, and goes when its time is over.

import { createHash } from 'node:crypto'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../packages/server/src/adapters/store/open-store.js'
import { createLiveSystem } from '../packages/server/src/adapters/system/live-system.js'
import { type Collector, startCollector } from './support/collector.js'
import { runCommand } from './support/command.js'
import { CHAT, DIALECTS, RESPONSES, WAYS, endOf } from './support/dialects.js'
import { type Answered, request } from './support/http.js'
import { Journey } from './support/journey.js'

const SECRETS = {
  openAiKey: 'sk-openai-ZYX987-do-not-print',
  anthropicKey: 'sk-ant-ZYX654-do-not-print',
  headerValue: 'header-value-ZYX321-do-not-print',
  tenantKey: 'tenant-key-ZYX123-do-not-print',
  wrongKey: 'wrong-key-ZYX456-do-not-print',
  prompt: 'the patient Rosalind Quuxworth',
  said: 'the answer names Balthazar Zorblatt',
  kept: 'a prompt that may be kept, of Persephone Grumblethorp',
}
const { tenantKey } = SECRETS
const HOUR_MS = 3_600_000
const everywhere = Object.entries(SECRETS).filter(([name]) => name !== 'kept')

const config = (simUrl: string) => `
providers:
  openai:
    kind: openai
    api_key: "\${OPENAI_SECRET}"
    base_url: "${simUrl}/v1"
    headers: { x-gateway-secret: "\${HEADER_SECRET}" }
  anthropic: { kind: anthropic, api_key: "\${ANTHROPIC_SECRET}", base_url: "${simUrl}" }
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
  claude-3-5-haiku:
    tier: small
    deployments: [{ provider: anthropic, model: claude-3-5-haiku, price: { input: 0.80, output: 4.00 } }]
tasks:
  quiet:
    success: ["output.text != ''"]
    degrade: [shorter_context, cached_answer, refine]
    budget: { max_input_tokens: 4000, max_model_calls: 6 }
    retries: { max_attempts: 2 }
    route: { default: gpt-4o-mini, escalate_if: [{ condition: "confidence < 0.7", model: claude-3-5-haiku }] }
  strict: { degrade: [], retries: { max_attempts: 2 }, route: { default: claude-3-5-haiku } }
  kept: { record: content, retention_days: 1, degrade: [], route: { default: gpt-4o-mini } }
tenants:
  acme: { keys: ["\${TENANT_SECRET}"] }
`

let collector: Collector
let journey: Journey
const answers: Answered[] = []
const shown: string[] = []

/** Everything that may go wrong, with secrets in every place a caller can put them. */
beforeAll(async () => {
  collector = await startCollector()
  journey = await Journey.start({
    config,
    key: tenantKey,
    env: () => ({
      OPENAI_SECRET: SECRETS.openAiKey,
      ANTHROPIC_SECRET: SECRETS.anthropicKey,
      HEADER_SECRET: SECRETS.headerValue,
      TENANT_SECRET: tenantKey,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    }),
  })
  const orders = [
    'confidence=0.9',
    'confidence=0.2',
    'error=500',
    'error=401',
    'error=422',
    'html',
    'garbage',
    'broken_after=3',
    'in_band_error=3',
    'usage_factor=1000',
  ]
  for (const [, { dialect, stream }] of WAYS) {
    for (const task of ['quiet', 'strict']) {
      const asked = orders.map((order) =>
        journey.ask(dialect, {
          model: task,
          text: `${SECRETS.prompt} [[sim:${order};text=${SECRETS.said}]]`,
          stream,
          // Responses are kept, unless their caller does not want it.
          ...(dialect === RESPONSES && { more: { store: false } }),
        }),
      )
      answers.push(...(await Promise.all(asked)))
    }
  }
  const long = Array.from(
    { length: 41 },
    (_, index) => `${SECRETS.prompt}, turn ${index}. ${'blah '.repeat(40)}`,
  )
  answers.push(await journey.ask(CHAT, { model: 'quiet', text: long }))
  await wrongRequests()
})
afterAll(async () => {
  await journey.stop()
  await collector[Symbol.asyncDispose]()
})

/** Answers of these are shown to whoever sent them: they must not repeat it. */
async function wrongRequests(): Promise<void> {
  const { prompt, wrongKey } = SECRETS
  const show = async (path: string, sent: Parameters<typeof journey.send>[1]) => {
    const { status, body, headers } = await journey.send(path, sent)
    shown.push(JSON.stringify([status, body, [...headers]]))
  }
  const wrong = { authorization: `Bearer ${wrongKey}` }
  for (const { path, body, name } of DIALECTS) {
    const asked = name === 'responses' ? 'input' : 'messages'
    await show(path, { body: `{"model": "quiet", "${asked}": [{"role": "user" "content": "${prompt}"}]}` })
    await show(path, { body: { model: 'quiet', [asked]: name === 'responses' ? [prompt] : prompt } })
    await show(path, {
      body: {
        model: 'quiet',
        max_tokens: prompt,
        max_output_tokens: prompt,
        [asked]: [{ role: 'user', content: prompt }],
      },
    })
    await show(path, { body: { ...body({ text: prompt }), [asked]: [{ role: prompt, content: prompt }] } })
    await show(path, { body: body({ text: prompt }), headers: wrong })
    await show(path, { body: body({ text: prompt }), headers: { 'x-api-key': wrongKey, authorization: '' } })
    await show(path, {
      body: body({ text: prompt }),
      headers: { 'x-spillway-attributes': `{"note": "${prompt}` },
    })
  }
  await show('/v1/tasks', { body: { contract: 7, attributes: { note: prompt } } })
  await show('/v1/report', { headers: wrong })
}

function expectNoSecret(where: string, text: string | Buffer, of = everywhere): void {
  for (const [name, secret] of of) {
    const forms = [
      secret,
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      encodeURIComponent(secret),
    ]
    for (const form of forms) expect([where, name, text.includes(form)]).toEqual([where, name, false])
  }
}

const keysOnly = everywhere.filter(([name]) => name !== 'prompt' && name !== 'said')

/** All files of the data directory, in one piece. */
async function dataBytes(): Promise<Buffer> {
  const dir = join(journey.dir, 'data')
  const names = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  )
  return Buffer.concat(await Promise.all(names.map((entry) => readFile(join(entry.parentPath, entry.name)))))
}

test('the calls went every way there is, and the model really said it', () => {
  expect(answers.filter(({ body }) => JSON.stringify(body).includes('Balthazar')).length).toBeGreaterThan(10)
  const ends = new Set(answers.map((answer) => endOf(answer)))
  for (const end of ['200', '502 upstream.failed']) expect(ends).toContain(end)
  const routes = new Set(answers.map(({ headers }) => headers.get('x-spillway-route')))
  for (const route of ['default', 'escalated:0', 'degraded']) expect(routes).toContain(route)
})

test('no answer, header or error has a key in it', () => {
  for (const { body, headers } of answers)
    expectNoSecret('answer', JSON.stringify([body, [...headers]]), keysOnly)
})

test('an error does not repeat the prompt', () => {
  expect(shown.filter((text) => /^\[4\d\d,/.test(text))).toHaveLength(23)
  for (const text of shown) expectNoSecret('error', text)
  const failed = answers.filter(({ status }) => status >= 500)
  expect(failed.length).toBeGreaterThan(0)
  for (const { body } of failed) expectNoSecret('failure', JSON.stringify(body))
})

test('nothing is printed: not at the start, not while it runs, not on a reload', async () => {
  const before = journey.server.output().length
  journey.server.process.kill('SIGHUP')
  await expect.poll(() => journey.server.output().length).toBeGreaterThan(before)
  expectNoSecret('output', journey.server.output())
})

test('nothing is in the metrics, the capacity, the models and the report', async () => {
  for (const path of [
    '/metrics',
    '/v1/capacity',
    '/v1/models',
    '/v1/report',
    '/v1/report?by=model',
    '/v1/tasks',
  ]) {
    const { status, body } = await journey.send(path)
    expect([path, status]).toEqual([path, 200])
    expectNoSecret(path, typeof body === 'string' ? body : JSON.stringify(body))
  }
})

test('nothing is in the traces, neither over HTTP nor on the command line', async () => {
  for (const answer of answers) {
    const id = answer.headers.get('x-spillway-task-id')
    if (id === null) continue
    expectNoSecret('trace', JSON.stringify(await journey.trace(id)))
  }
  const id = answers[0]?.headers.get('x-spillway-task-id') ?? ''
  const { code, stdout } = await runCommand(['trace', id, '--url', journey.server.url], {
    env: { SPILLWAY_KEY: tenantKey },
  })
  expect(code).toBe(0)
  expectNoSecret('spillway trace', stdout)
})

test('nothing leaves with the spans', async () => {
  await expect.poll(() => collector.spans.length).toBeGreaterThan(answers.length)
  expectNoSecret('spans', Buffer.concat(collector.bodies))
})

test('spillway check says what is wrong without saying secrets', async () => {
  const file = join(journey.dir, 'spillway.yaml')
  const env = {
    OPENAI_SECRET: SECRETS.openAiKey,
    HEADER_SECRET: SECRETS.headerValue,
    TENANT_SECRET: tenantKey,
  }
  for (const args of [[file], [file, '--json']]) {
    const { code, stdout, stderr } = await runCommand(['check', ...args], { env })
    expect([code, stdout]).toEqual([1, expect.stringContaining('ANTHROPIC_SECRET')])
    expectNoSecret('check', stdout + stderr)
  }
})

describe('what is kept', () => {
  test('is no key and no prompt where the contract records metadata, but the hash of the prompt', async () => {
    await journey.send('/v1/tasks')
    expectNoSecret('data', await dataBytes())
    const answer = answers[0]
    const [step] = answer === undefined ? [] : (await journey.traceOf(answer)).steps
    expect(step?.prompt_hash).toMatch(/^[0-9a-f]{64}$/)
    expect(step?.content).toBeNull()
  })

  test('is the hash of exactly the body that was sent', async () => {
    const body = JSON.stringify(CHAT.body({ model: 'quiet', text: SECRETS.prompt }))
    const answer = await journey.send(CHAT.path, { body })
    const { steps } = await journey.traceOf(answer)
    expect(steps[0]?.prompt_hash).toBe(createHash('sha256').update(body).digest('hex'))
  })

  test('is the content where the contract says so, by reference, and still not in the trace', async () => {
    const answer = await journey.ask(CHAT, { model: 'kept', text: `${SECRETS.kept} [[sim:text=Kept.]]` })
    expect(endOf(answer)).toBe('200')
    const trace = await journey.traceOf(answer)
    expect(trace.steps[0]?.content).toMatch(/\S/)
    expectNoSecret('trace', JSON.stringify(trace), [['kept', SECRETS.kept]])
    expect((await dataBytes()).includes(SECRETS.kept)).toBe(true)
    expectNoSecret('data', await dataBytes(), keysOnly)
  })

  test('is forgotten when its time is over, down to the bytes', async () => {
    expect(await journey.server.stop()).toBe(0)
    const problems: string[] = []
    const store = await openStore({
      dir: join(journey.dir, 'data'),
      system: createLiveSystem(),
      onProblem: (problem) => problems.push(problem),
    })
    await store.prune(Date.now() + 23 * HOUR_MS)
    expect((await dataBytes()).includes(SECRETS.kept)).toBe(true)
    expect(await store.prune(Date.now() + 25 * HOUR_MS)).toMatchObject({ contents: 1 })
    await store.close()
    expect((await dataBytes()).includes(SECRETS.kept)).toBe(false)
    expect(problems).toEqual([])
    await journey.startAgain()
  })

  test('no other user of the machine may read it', async () => {
    const { mode } = await stat(join(journey.dir, 'data'))
    expect(mode & 0o077).toBe(0)
  })
})

test('health needs no key and tells nothing', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const { body } = await request(journey.server.url + path)
    expectNoSecret(path, JSON.stringify(body))
  }
})
