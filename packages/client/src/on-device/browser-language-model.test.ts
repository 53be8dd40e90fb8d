import { afterEach, describe, expect, test, vi } from 'vitest'
import { browserLanguageModel } from './browser-language-model.js'
import type { DeviceRequest } from './runner.js'

afterEach(() => vi.unstubAllGlobals())

const request = (changes: Partial<DeviceRequest> = {}): DeviceRequest => ({
  messages: [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Where is it?' },
  ],
  jsonSchema: null,
  stop: [],
  maxOutputTokens: null,
  temperature: null,
  topP: null,
  ...changes,
})

type Streaming = (signal: AbortSignal) => ReadableStream<string>
const pieces = (...texts: string[]): ReadableStream<string> =>
  new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(text)
      controller.close()
    },
  })

/** The global as the specification describes it, with its counters under their new or their old names. */
function install(stream: Streaming, { state = 'available', window = 1_000, old = false } = {}) {
  const calls: { readonly name: string; readonly given: unknown }[] = []
  let used = 10
  const measure = (input: string, given: object) => {
    calls.push({ name: 'measure', given: { input, ...given } })
    return Promise.resolve(5)
  }
  const session = {
    get [old ? 'inputUsage' : 'contextUsage']() {
      return used
    },
    [old ? 'inputQuota' : 'contextWindow']: window,
    [old ? 'measureInputUsage' : 'measureContextUsage']: measure,
    promptStreaming(input: string, given: { readonly signal: AbortSignal }) {
      calls.push({ name: 'prompt', given: { input, ...given } })
      used += 5 + 3
      return stream(given.signal)
    },
    destroy: () => calls.push({ name: 'destroy', given: null }),
  }
  vi.stubGlobal('LanguageModel', {
    availability: (given: unknown) => {
      calls.push({ name: 'availability', given })
      return Promise.resolve(state)
    },
    create: (given: unknown) => {
      calls.push({ name: 'create', given })
      return Promise.resolve(session)
    },
  })
  return { calls, names: () => calls.map(({ name }) => name) }
}

function run(asked = request(), options: Parameters<typeof browserLanguageModel>[0] = {}) {
  const told: string[] = []
  const aborter = new AbortController()
  const running = browserLanguageModel(options).run(asked, {
    signal: aborter.signal,
    onText: (piece) => told.push(piece),
  })
  return { told, aborter, running }
}

describe("the browser's own model", () => {
  test.each([
    ['available', 'ready'],
    ['downloadable', 'downloadable'],
    ['downloading', 'downloadable'],
    ['unavailable', 'no'],
  ])('that is %s is %s', async (state, said) => {
    install(() => pieces(), { state })
    expect(await browserLanguageModel().available()).toBe(said)
  })

  test('is not there in a browser without one', async () => {
    expect(await browserLanguageModel().available()).toBe('no')
    await expect(run().running).rejects.toThrow('no LanguageModel')
  })

  test.each([false, true])('answers in pieces and counts its tokens, old names: %s', async (old) => {
    const { calls, names } = install(() => pieces('On its ', 'way.'), { old })
    const { told, running } = run()
    expect(await running).toEqual({ text: 'On its way.', usage: { inputTokens: 15, outputTokens: 3 } })
    expect(told).toEqual(['On its ', 'way.'])
    expect(names()).toEqual(['create', 'measure', 'prompt', 'destroy'])
    expect(calls[0]?.given).toMatchObject({ initialPrompts: [{ role: 'system', content: 'Be kind.' }] })
    expect(calls[2]?.given).toMatchObject({ input: 'Where is it?' })
    expect(calls[2]?.given).not.toHaveProperty('responseConstraint')
  })

  test('is held to a schema, and counted with it', async () => {
    const { calls } = install(() => pieces('{}'))
    const jsonSchema = { type: 'object' }
    await run(request({ jsonSchema })).running
    expect(calls[1]?.given).toMatchObject({ responseConstraint: jsonSchema })
    expect(calls[2]?.given).toMatchObject({ responseConstraint: jsonSchema })
  })

  test('says how sure it is only when the application can tell', async () => {
    install(() => pieces('On its way.'))
    expect(await run().running).not.toHaveProperty('confidence')
    const confidence = (text: string) => text.length / 100
    expect(await run(request(), { confidence }).running).toMatchObject({ confidence: 0.11 })
  })

  test('is told which languages it will see', async () => {
    const { calls } = install(() => pieces('Ja.'))
    const languages = ['de']
    const text = [{ type: 'text', languages }]
    await browserLanguageModel({ languages }).available()
    await run(request(), { languages }).running
    for (const call of calls.slice(0, 2))
      expect(call.given).toMatchObject({ expectedInputs: text, expectedOutputs: text })
  })

  test('refuses what is longer than its window, rather than forget the beginning', async () => {
    const { names } = install(() => pieces('?'), { window: 14 })
    await expect(run().running).rejects.toThrow('context window')
    expect(names()).toEqual(['create', 'measure', 'destroy'])
  })

  test('ends with the signal, and its session with it', async () => {
    const { names } = install((signal) => {
      return new ReadableStream({
        start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
      })
    })
    const { aborter, running } = run()
    const reason = new DOMException('tab closed', 'AbortError')
    await vi.waitFor(() => expect(names()).toContain('prompt'))
    aborter.abort(reason)
    await expect(running).rejects.toBe(reason)
    expect(names().at(-1)).toBe('destroy')
  })

  test('is not asked for stop sequences, nor for instructions in the middle', () => {
    const runner = browserLanguageModel()
    const [system, user] = request().messages
    expect(runner.supports?.(request())).toBe(true)
    expect(runner.supports?.(request({ stop: ['END'] }))).toBe(false)
    expect(system && user && runner.supports?.(request({ messages: [user, system, user] }))).toBe(false)
  })
})
