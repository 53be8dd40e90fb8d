// A GGUF model loaded by llama.cpp. All computing happens on threads of the library; what runs here is
// between two tokens.

import { basename } from 'node:path'
import type {
  ChatHistoryItem,
  ChatWrapper,
  LlamaContext,
  LlamaContextSequence,
  LlamaEmbeddingContext,
  LlamaGrammarEvaluationState,
  LlamaModel,
  LlamaText,
  SequenceEvaluateOptions,
  Token,
} from 'node-llama-cpp'
import { type LoadedLlama, loadLlama } from './llama-library.js'
import type {
  ChatTurn,
  GeneratedToken,
  Generation,
  Grammar,
  LocalModel,
  ModelRunner,
  Prompt,
  Sampling,
} from './model-runner.js'

const CONTEXT_TOKENS_DEFAULT = 4_096
/** Of a prompt in one go: between two, an abort is noticed. */
const PROMPT_TOKENS_AT_ONCE = 256
/** Penalties look this far back. */
const PENALISED_TOKENS_MAX = 256

/** Fails with the name of the file and what is wrong with it. */
export async function openLlamaRunner(local: LocalModel): Promise<ModelRunner> {
  let loaded: LoadedLlama | null = null
  try {
    loaded = await loadLlama(local.gpu)
    await loaded.takeComplaint()
    return await openModel(loaded, local)
  } catch (error) {
    const name = basename(local.path)
    const complaint = await loaded?.takeComplaint()
    const message = error instanceof Error ? error.message : String(error)
    const detail = complaint === undefined || complaint === null ? message : `${message}: ${complaint}`
    // Only the name of the file: who reads this need not know where it lies.
    const shown = detail.replaceAll(local.path, name)
    throw new Error(`The model file ${name} cannot be loaded: ${shown}`, { cause: error })
  }
}

async function openModel(loaded: LoadedLlama, local: LocalModel): Promise<ModelRunner> {
  const model = await loaded.llama.loadModel({ modelPath: local.path })
  try {
    const trained = model.trainContextSize
    const contextTokens = Math.min(local.contextTokens ?? CONTEXT_TOKENS_DEFAULT, trained)
    const context = await model.createContext({
      contextSize: contextTokens,
      sequences: local.sequences,
      threads: local.threads,
    })
    return new LlamaRunner({ loaded, model, context, contextTokens, threads: local.threads })
  } catch (error) {
    await model.dispose()
    throw error
  }
}

/** What was not asked for is not there. */
interface Evaluated {
  readonly token: Token
  readonly confidence?: number
  readonly probabilities?: ReadonlyMap<Token, number>
}

interface Parts {
  readonly loaded: LoadedLlama
  readonly model: LlamaModel
  readonly context: LlamaContext
  readonly contextTokens: number
  readonly threads: number
}

class LlamaRunner implements ModelRunner {
  readonly contextTokens: number
  readonly #parts: Parts
  readonly #free: LlamaContextSequence[]
  readonly #wrapper: ChatWrapper
  #embedding: Promise<LlamaEmbeddingContext> | null = null

  constructor(parts: Parts) {
    this.#parts = parts
    this.contextTokens = parts.contextTokens
    this.#wrapper = chatWrapperOf(parts)
    this.#free = Array.from({ length: parts.context.totalSequences }, () => parts.context.getSequence())
  }

  chatPrompt(turns: readonly ChatTurn[]): Prompt {
    const { model } = this.#parts
    const state = this.#wrapper.generateContextState({ chatHistory: historyOf(turns) })
    const tokens = state.contextText.tokenize(model.tokenizer)
    return { tokens: withBeginning(tokens, model), ...stopsOf(state.stopGenerationTriggers, model) }
  }

  textTokens(text: string): readonly number[] {
    return this.#parts.model.tokenize(text, false)
  }

  textOf(tokens: readonly number[], before: readonly number[]): string {
    return this.#parts.model.detokenize(tokens as readonly Token[], false, before as readonly Token[])
  }

  async *generate(generation: Generation, signal: AbortSignal): AsyncGenerator<GeneratedToken> {
    const sequence = this.#free.pop()
    if (sequence === undefined) throw new Error('more generations than sequences')
    try {
      // A state left by another caller would be a hint of what they asked.
      await sequence.clearHistory()
      const rest = await readPrompt(sequence, generation.prompt.tokens as readonly Token[], signal)
      if (rest === null) return
      yield* this.#tokens({ sequence, rest, generation, signal })
    } finally {
      this.#free.push(sequence)
    }
  }

  async embed(tokens: readonly number[]): Promise<Float32Array> {
    const { model, contextTokens, threads } = this.#parts
    this.#embedding ??= model.createEmbeddingContext({ contextSize: contextTokens, threads })
    const context = await this.#embedding
    const { vector } = await context.getEmbeddingFor([...tokens] as Token[])
    const length = Math.hypot(...vector)
    return Float32Array.from(vector, (value) => (length === 0 ? 0 : value / length))
  }

  async close(): Promise<void> {
    const embedding = await this.#embedding?.catch(() => null)
    await embedding?.dispose()
    await this.#parts.context.dispose()
    await this.#parts.model.dispose()
  }

  async *#tokens(run: {
    readonly sequence: LlamaContextSequence
    readonly rest: Token[]
    readonly generation: Generation
    readonly signal: AbortSignal
  }): AsyncGenerator<GeneratedToken> {
    const { sampling, grammar, alternatives, prompt } = run.generation
    const said: Token[] = []
    const options = samplingOptions(sampling, said)
    const state = await this.#grammarState(grammar)
    if (state !== null) options.grammarEvaluationState = state
    // Inside a grammar the template's stops are ordinary text, such as a line end.
    const stopTokens = grammar.kind === 'text' ? prompt.stopTokens : new Set<number>()
    const metadata = { confidence: alternatives !== null, probabilities: (alternatives ?? 0) > 0 }
    for await (const evaluated of run.sequence.evaluateWithMetadata(run.rest, metadata, options)) {
      const made: Evaluated = evaluated
      if (run.signal.aborted || stopTokens.has(made.token)) return
      said.push(made.token)
      if (said.length > PENALISED_TOKENS_MAX) said.shift()
      yield {
        token: made.token,
        probability: made.confidence ?? 1,
        alternatives: best(made.probabilities, alternatives ?? 0),
      }
    }
  }

  async #grammarState(grammar: Grammar): Promise<LlamaGrammarEvaluationState | null> {
    if (grammar.kind === 'text') return null
    const { library, llama } = this.#parts.loaded
    const made =
      grammar.kind === 'json'
        ? await llama.getGrammarFor('json')
        : // Checked by `grammarSchema`: the library's own type describes the same subset.
          await llama.createGrammarForJsonSchema(
            grammar.schema as Parameters<typeof llama.createGrammarForJsonSchema>[0],
          )
    return new library.LlamaGrammarEvaluationState({ model: this.#parts.model, grammar: made })
  }
}

/** The model's own template where the file has one. */
function chatWrapperOf({ loaded, model }: Parts): ChatWrapper {
  const { library } = loaded
  const template = model.fileInfo.metadata.tokenizer?.chat_template
  if (typeof template === 'string' && template !== '') {
    // Not `resolveChatWrapper`: it compares the template with every known one, 0.3 s at a stretch.
    return new library.JinjaTemplateChatWrapper({ template, tokenizer: model.tokenizer })
  }
  return library.resolveChatWrapper(model, { warningLogs: false, noJinja: true })
}

function historyOf(turns: readonly ChatTurn[]): ChatHistoryItem[] {
  const history = turns.map(({ role, text }): ChatHistoryItem => {
    if (role === 'assistant') return { type: 'model', response: [text] }
    return { type: role, text }
  })
  // The turn that is to be generated.
  return [...history, { type: 'model', response: [] }]
}

/** Templates that leave the beginning to the tokenizer are as common as those that write it. */
function withBeginning(tokens: readonly Token[], model: LlamaModel): readonly Token[] {
  const { bos, shouldPrependBosToken } = model.tokens
  return bos === null || !shouldPrependBosToken || tokens[0] === bos ? tokens : [bos, ...tokens]
}

function stopsOf(triggers: readonly LlamaText[], model: LlamaModel): Omit<Prompt, 'tokens'> {
  const stopTokens = new Set<number>()
  const stopTexts: string[] = []
  for (const trigger of triggers) {
    const tokens = trigger.tokenize(model.tokenizer)
    const [token] = tokens
    if (tokens.length === 1 && token !== undefined) stopTokens.add(token)
    else if (tokens.length > 1) stopTexts.push(trigger.toString())
  }
  return { stopTokens, stopTexts }
}

/** Evaluates all of the prompt but its last part, which is returned; null after an abort. */
async function readPrompt(
  sequence: LlamaContextSequence,
  tokens: readonly Token[],
  signal: AbortSignal,
): Promise<Token[] | null> {
  let at = 0
  for (; tokens.length - at > PROMPT_TOKENS_AT_ONCE; at += PROMPT_TOKENS_AT_ONCE) {
    if (signal.aborted) return null
    await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(at, at + PROMPT_TOKENS_AT_ONCE))
  }
  return signal.aborted ? null : tokens.slice(at)
}

/** `said` is read anew for every token. */
function samplingOptions(sampling: Sampling, said: Token[]): SequenceEvaluateOptions {
  const { temperature, topP, seed, frequencyPenalty, presencePenalty } = sampling
  const options: SequenceEvaluateOptions = { temperature, topP, seed, topK: 0, minP: 0 }
  if (frequencyPenalty !== 0 || presencePenalty !== 0)
    options.repeatPenalty = { punishTokens: () => said, penalty: 1, frequencyPenalty, presencePenalty }
  return options
}

function best(
  probabilities: ReadonlyMap<Token, number> | undefined,
  count: number,
): GeneratedToken['alternatives'] {
  if (probabilities === undefined || count === 0) return []
  // The library sorts them, best first.
  const found: { token: number; probability: number }[] = []
  for (const [token, probability] of probabilities) {
    found.push({ token, probability })
    if (found.length === count) break
  }
  return found
}
