// The browser's own model (the Prompt API, `LanguageModel`), as a runner. Of the API only what is used is
// described here: https://webmachinelearning.github.io/prompt-api/

import type {
  DeviceMessage,
  DeviceRequest,
  DeviceResult,
  DeviceRunOptions,
  OnDeviceRunner,
} from './runner.js'

interface PromptOptions {
  readonly signal?: AbortSignal
  readonly responseConstraint?: object
}

interface LanguageModelSession {
  promptStreaming(input: string, options: PromptOptions): ReadableStream<string>
  /** Tokens of the session so far, and how many it can hold. Older browsers say `input` for `context`. */
  readonly contextUsage?: number
  readonly inputUsage?: number
  readonly contextWindow?: number
  readonly inputQuota?: number
  measureContextUsage?(input: string, options: PromptOptions): Promise<number>
  measureInputUsage?(input: string, options: PromptOptions): Promise<number>
  destroy(): void
}

interface Expected {
  readonly expectedInputs?: readonly { readonly type: 'text'; readonly languages: readonly string[] }[]
  readonly expectedOutputs?: readonly { readonly type: 'text'; readonly languages: readonly string[] }[]
}

/** The global `LanguageModel` of browsers that have one. */
export interface LanguageModelGlobal {
  availability(options?: Expected): Promise<string>
  create(
    options: Expected & { readonly initialPrompts: readonly DeviceMessage[]; readonly signal: AbortSignal },
  ): Promise<LanguageModelSession>
}

export interface BrowserLanguageModelOptions {
  /** Default `browser`. */
  readonly name?: string
  /** Languages of prompts and answers, such as `['en', 'de']`. Default: the browser's choice. */
  readonly languages?: readonly string[]
  /**
   * How sure the model is of an answer, 0..1; undefined: not known. The browser does not say, so without this
   * only an `escalate` function can accept an answer.
   */
  readonly confidence?: (text: string) => number | undefined | Promise<number | undefined>
}

/**
 * Downloads nothing: where the model is not there yet, the application calls `LanguageModel.create()` on a
 * click of the user's. The browser samples as it likes: temperature and token limits are not passed on.
 */
export function browserLanguageModel(options: BrowserLanguageModelOptions = {}): OnDeviceRunner {
  const expected = expectedOf(options.languages)
  return {
    name: options.name ?? 'browser',
    async available() {
      const state = await languageModel()?.availability(expected)
      if (state === 'available') return 'ready'
      return state === 'downloadable' || state === 'downloading' ? 'downloadable' : 'no'
    },
    // Stop sequences would only be seen after the fact; instructions stand at the beginning or nowhere.
    supports: ({ messages, stop }) =>
      stop.length === 0 && messages.every(({ role }, index) => role !== 'system' || index === 0),
    async run(request, { signal, onText }) {
      const model = languageModel()
      if (model === undefined) throw new TypeError('this browser has no LanguageModel')
      const initialPrompts = request.messages.slice(0, -1)
      const session = await model.create({ ...expected, initialPrompts, signal })
      try {
        const result = await prompt(session, request, { signal, onText })
        const confidence = await options.confidence?.(result.text)
        return confidence === undefined ? result : { ...result, confidence }
      } finally {
        session.destroy()
      }
    },
  }
}

function languageModel(): LanguageModelGlobal | undefined {
  return (globalThis as { readonly LanguageModel?: LanguageModelGlobal }).LanguageModel
}

function expectedOf(languages: readonly string[] | undefined): Expected {
  if (languages === undefined) return {}
  const text = [{ type: 'text', languages }] as const
  return { expectedInputs: text, expectedOutputs: text }
}

async function prompt(
  session: LanguageModelSession,
  { messages, jsonSchema }: DeviceRequest,
  { signal, onText }: DeviceRunOptions,
): Promise<DeviceResult> {
  const input = messages.at(-1)?.content ?? ''
  const asked = { signal, ...(jsonSchema !== null && { responseConstraint: jsonSchema }) }
  const before = usageOf(session)
  const measured = await measure(session, input, asked)
  const window = session.contextWindow ?? session.inputQuota ?? Number.POSITIVE_INFINITY
  const inputTokens = before === undefined || measured === undefined ? undefined : before + measured
  // The browser would forget the beginning of the conversation and go on.
  if (inputTokens !== undefined && inputTokens > window)
    throw new RangeError('longer than the context window')
  let text = ''
  const reader = session.promptStreaming(input, asked).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      text += value
      onText(value)
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
  const after = usageOf(session)
  if (inputTokens === undefined || after === undefined || after < inputTokens) return { text }
  return {
    text,
    usage: { inputTokens: Math.round(inputTokens), outputTokens: Math.round(after - inputTokens) },
  }
}

function usageOf(session: LanguageModelSession): number | undefined {
  return session.contextUsage ?? session.inputUsage
}

/** What is only good to know must not cost the answer. */
async function measure(
  session: LanguageModelSession,
  input: string,
  asked: PromptOptions,
): Promise<number | undefined> {
  try {
    return await (session.measureContextUsage?.(input, asked) ?? session.measureInputUsage?.(input, asked))
  } catch {
    asked.signal?.throwIfAborted()
    return undefined
  }
}
