// E1: a release is swapped under load and nobody notices: no request fails, running tasks keep the release they began
// with, and a configuration that is wrong changes nothing but the log. `spillway check` says beforehand what is wrong.

import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from './support/command.js'
import { CHAT, WAYS, endOf, hasEnded } from './support/dialects.js'
import { type Answered, request } from './support/http.js'
import { Journey, providersOf } from './support/journey.js'
import { startServer } from './support/server.js'
import { openStream } from './support/stream.js'
import { waitFor } from './support/wait-for.js'

const CLIENTS = 8
const RELOADS = 5

/** Releases differ by what they call themselves; whoever asks for `calls: 1` gets a tighter contract too. */
const config = (
  simUrl: string,
  made: { readonly name?: string; readonly calls?: number } = {},
) => `${providersOf(simUrl)}
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
tasks:
  default: { description: "${made.name ?? 'first'}", route: { default: gpt-4o-mini } }
  agent: { budget: { max_model_calls: ${made.calls ?? 50} }, degrade: [], route: { default: gpt-4o-mini } }
`

let journey: Journey
beforeAll(async () => {
  journey = await Journey.start({ config: (simUrl) => config(simUrl) })
})
afterAll(() => journey.stop())

/** In one move: whoever looks sees the old file or the new one. */
async function write(text: string): Promise<void> {
  const file = join(journey.dir, 'spillway.yaml')
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

const releaseOf = (answer: Answered) => answer.headers.get('x-spillway-release')
const current = async () => releaseOf(await journey.ask(CHAT, { text: 'Which release?' })) ?? ''

/** Writes the file, sends SIGHUP, and waits until another release serves. */
async function reload(text: string): Promise<string> {
  const before = await current()
  await write(text)
  journey.server.process.kill('SIGHUP')
  return waitFor('another release', async () => {
    const now = await current()
    return now !== before && now
  })
}

test('under load: every request is answered, first by the old release and then by the new one', async () => {
  const seen: string[] = []
  const ends = new Set<string>()
  const running = new AbortController()
  const client = async (index: number) => {
    for (let call = index; !running.signal.aborted; call++) {
      const { dialect, stream } = WAYS[call % WAYS.length]?.[1] ?? { dialect: CHAT, stream: false }
      const answer = await journey.ask(dialect, { text: `Question ${call}`, stream })
      ends.add(hasEnded(dialect, answer) ? endOf(answer) : 'broken stream')
      seen.push(releaseOf(answer) ?? 'none')
    }
  }
  const clients = Array.from({ length: CLIENTS }, (_, index) => client(index))
  const releases = [await current()]
  for (let number = 1; number <= RELOADS; number++) {
    releases.push(await reload(config(journey.sim.url, { name: `release ${number}` })))
  }
  running.abort()
  await Promise.all(clients)
  expect(ends).toEqual(new Set(['200']))
  expect(new Set(releases).size).toBe(RELOADS + 1)
  expect(new Set(seen)).toEqual(new Set(releases))
  for (const release of releases.slice(1))
    expect(journey.server.output()).toContain(`release ${release} serves`)
})

test('a task that runs keeps the release it began with, the next one has the new one', async () => {
  await reload(config(journey.sim.url, { name: 'roomy' }))
  const old = await journey.open({ contract: 'agent' })
  const stream = await openStream(journey.server.url + CHAT.path, {
    headers: { 'x-spillway-task-id': old.id },
    body: CHAT.body({ text: 'A long one. [[sim:tokens=60;tokens_per_second=40]]', stream: true }),
  })
  const release = await reload(config(journey.sim.url, { name: 'tight', calls: 1 }))
  expect(release).not.toBe(old.release)
  expect(await stream.end).toBe('ended')
  expect(CHAT.isEnded(stream.text())).toBe(true)
  for (let call = 0; call < 3; call++) {
    const answer = await journey.ask(CHAT, { text: `${call}` }, { 'x-spillway-task-id': old.id })
    expect([endOf(answer), releaseOf(answer)]).toEqual(['200', old.release])
  }
  const next = await journey.open({ contract: 'agent' })
  expect([next.release, next.budget.limits.model_calls]).toEqual([release, 1])
  expect((await journey.view(old.id)).budget.limits.model_calls).toBe(50)
})

test('the same content is the same release again', async () => {
  const text = config(journey.sim.url, { name: 'back and forth' })
  const first = await reload(text)
  await reload(config(journey.sim.url, { name: 'something else' }))
  expect(await reload(text)).toBe(first)
})

test('a changed file is enough, without a signal', async () => {
  const before = await current()
  await write(config(journey.sim.url, { name: 'by file' }))
  await waitFor('the file to be noticed', async () => (await current()) !== before)
  expect(journey.server.output()).toContain(`release ${await current()} serves`)
})

test('the largest body is the one of the release that serves', async () => {
  const text = 'long '.repeat(500)
  const statuses = async () => {
    const asked = await journey.ask(CHAT, { text })
    const opened = await journey.send('/v1/tasks', { body: { contract: 'default', attributes: { text } } })
    return [asked.status, opened.status]
  }
  expect(await statuses()).toEqual([200, 201])
  await reload(`${config(journey.sim.url, { name: 'small bodies' })}server: { max_body_bytes: 2000 }\n`)
  expect(await statuses()).toEqual([413, 413])
  await reload(config(journey.sim.url, { name: 'large bodies again' }))
  expect(await statuses()).toEqual([200, 201])
})

describe('a configuration that is wrong', () => {
  test.each([
    ['broken YAML', 'tasks: {', /:\d+:\d+/],
    ['an unknown key', 'taks: {}', /1:1.*taks.*tasks/s],
    [
      'a model nobody sells',
      'providers: { o: { kind: openai, api_key: k } }\ntasks: { a: { route: { default: no-such-model } } }',
      /no-such-model/,
    ],
    ['a variable that is not set', 'tenants: { a: { keys: ["${NOT_SET_ANYWHERE}"] } }', /NOT_SET_ANYWHERE/],
  ])('%s: the old release goes on, and it is said why', async (_, text, says) => {
    const before = await current()
    const printed = journey.server.output().length
    await write(text)
    journey.server.process.kill('SIGHUP')
    const output = await waitFor('the complaint', () => {
      const news = journey.server.output().slice(printed)
      return news.includes('still serves') && says.test(news) && news
    })
    expect(output).toContain(`release ${before} still serves`)
    expect(await current()).toBe(before)
  })

  test.each([
    ['gone', async () => undefined],
    ['empty', (file: string) => writeFile(file, '')],
    ['a directory', (file: string) => mkdir(file)],
  ])('a file that is %s never becomes the built-in configuration', async (_, replace) => {
    // Found in the working directory, not named: the next place to look would be the built-in one.
    const dir = await mkdtemp(join(tmpdir(), 'spillway-moved-'))
    const file = join(dir, 'spillway.yaml')
    await writeFile(file, `${config(journey.sim.url)}tenants: { acme: { keys: [acme-key-0001] } }\n`)
    const server = await startServer({ dir })
    await rm(file)
    await replace(file)
    server.process.kill('SIGHUP')
    await waitFor('the complaint', () => server.output().includes('still serves'))
    const stranger = await request(server.url + CHAT.path, { body: CHAT.body({ text: 'Am I in?' }) })
    expect(endOf(stranger)).toBe('401 auth.missing')
    expect(await server.stop()).toBe(0)
    await rm(dir, { recursive: true })
  })

  test('and a good one afterwards is taken', async () => {
    expect(await reload(config(journey.sim.url, { name: 'good again' }))).toMatch(/^rel_/)
  })
})

describe('spillway check', () => {
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spillway-check-'))
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  const WRONG = `providers:
  sim: { kind: simulated }
models:
  small-one: { tier: small, deployments: [{ provider: sin, model: m }] }
tasks:
  reply:
    budgt: { max_model_calls: 5 }
    budget: { max_model_calls: 0 }
    route:
      default: small-one
      escalate_if: [{ condition: "confidence <", model: small-one }]
`

  const check = async (text: string, args: readonly string[] = []) => {
    await writeFile(join(dir, 'spillway.yaml'), text)
    return runCommand(['check', 'spillway.yaml', ...args], { cwd: dir })
  }

  test('a good file: exit 0, and the release it would be', async () => {
    const { code, stdout } = await check('tasks: { reply: {} }\n')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/valid.*rel_[0-9a-f]{16}/)])
  })

  test('a wrong one: exit 1, and every problem at once with its place and the nearest known key', async () => {
    const { code, stdout } = await check(WRONG)
    expect(code).toBe(1)
    expect(stdout).toMatch(/spillway\.yaml:4:\d+ .*sin.*sim/)
    expect(stdout).toMatch(/spillway\.yaml:7:5 .*budgt.*budget/)
    expect(stdout).toMatch(/spillway\.yaml:8:\d+ .*max_model_calls|spillway\.yaml:8:\d+ .*at least 1/)
    expect(stdout).toMatch(/spillway\.yaml:11:\d+ /)
  })

  test('--json says the same to programs', async () => {
    const { code, stdout } = await check(WRONG, ['--json'])
    const report = JSON.parse(stdout) as { valid: boolean; problems: { line: number; column: number }[] }
    expect([code, report.valid]).toEqual([1, false])
    expect(report.problems.map(({ line }) => line)).toEqual([4, 7, 8, 11])
    expect(report.problems.every(({ column }) => column > 0)).toBe(true)
  })

  test('a file that is not there is a no, and so is a secret that is missing; wrong usage is 2', async () => {
    const absent = await runCommand(['check', 'nowhere.yaml'], { cwd: dir })
    expect([absent.code, absent.stdout]).toEqual([1, expect.stringContaining('nowhere.yaml')])
    expect((await check('providers: { o: { kind: openai, api_key: "${NO_KEY}" } }')).code).toBe(1)
    expect((await check('tasks: {}', ['--no-such-option'])).code).toBe(2)
  })

  test('a server that is started on a wrong file does not start: exit 1', async () => {
    await writeFile(join(dir, 'spillway.yaml'), WRONG)
    const { code, stderr } = await runCommand(['serve', '--port', '0', '--config', 'spillway.yaml'], {
      cwd: dir,
    })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/spillway\.yaml:7:5/)])
  })
})
