import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NO_TOKENS, inputTotal, outputTotal } from '../core/money/token-counts.js'
import {
  encodeAnthropicUsage,
  encodeOpenAiUsage,
  encodeResponsesUsage,
  mergeAnthropicUsage,
  readAnthropicUsage,
  readEmbeddingsUsage,
  readGeminiUsage,
  readOpenAiUsage,
  readResponsesUsage,
} from './usage.js'

describe('OpenAI usage', () => {
  test('cached, written and audio tokens are parts of the prompt, reasoning and audio of the completion', () => {
    const usage = readOpenAiUsage({
      prompt_tokens: 1000,
      completion_tokens: 300,
      total_tokens: 1300,
      prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 100, audio_tokens: 50 },
      completion_tokens_details: { reasoning_tokens: 200, audio_tokens: 30 },
    })
    expect(usage).toEqual({
      tokens: {
        input: 250,
        cacheRead: 600,
        cacheWrite: 100,
        cacheWrite1h: 0,
        audioInput: 50,
        output: 70,
        reasoning: 200,
        audioOutput: 30,
      },
      providerTotals: { input: 1000, output: 300, total: 1300 },
    })
  })

  test('reasoning that a provider left out of the completion is added, not taken from it', () => {
    const usage = readOpenAiUsage({
      prompt_tokens: 20,
      completion_tokens: 2,
      total_tokens: 52,
      completion_tokens_details: { reasoning_tokens: 30 },
    })
    expect(usage?.tokens).toMatchObject({ output: 2, reasoning: 30 })
  })

  test('cached audio counts once', () => {
    const details = { cached_tokens: 80, audio_tokens: 60 }
    const usage = readOpenAiUsage({
      prompt_tokens: 100,
      completion_tokens: 0,
      prompt_tokens_details: details,
    })
    expect(usage?.tokens).toMatchObject({ input: 0, cacheRead: 80, audioInput: 20 })
  })

  test.each([
    ['negative', { prompt_tokens: -1, completion_tokens: 1 }],
    ['not a number', { prompt_tokens: NaN, completion_tokens: 1 }],
    ['text', { prompt_tokens: '12', completion_tokens: 1 }],
    ['fractional', { prompt_tokens: 1.5, completion_tokens: 1 }],
    ['infinite', { prompt_tokens: Infinity, completion_tokens: 1 }],
    ['half missing', { prompt_tokens: 12 }],
    [
      'more cached than read',
      { prompt_tokens: 1, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 2 } },
    ],
    [
      'more reasoning than output',
      { prompt_tokens: 1, completion_tokens: 1, completion_tokens_details: { reasoning_tokens: 2 } },
    ],
    [
      'a bad detail',
      { prompt_tokens: 1, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 'x' } },
    ],
    ['no object', 12],
    ['null', null],
  ])('usage that is %s is no usage', (_, usage) => {
    expect(readOpenAiUsage(usage)).toBeNull()
  })

  test('embeddings report a prompt only', () => {
    expect(readEmbeddingsUsage({ prompt_tokens: 8, total_tokens: 8 })?.tokens).toEqual({
      ...NO_TOKENS,
      input: 8,
    })
  })
})

describe('Anthropic usage', () => {
  test('cache reads and writes stand beside the input, never inside it', () => {
    const usage = readAnthropicUsage({
      input_tokens: 25,
      cache_read_input_tokens: 40,
      cache_creation_input_tokens: 100,
      cache_creation: { ephemeral_5m_input_tokens: 70, ephemeral_1h_input_tokens: 30 },
      output_tokens: 15,
      output_tokens_details: { thinking_tokens: 5 },
    })
    expect(usage?.tokens).toEqual({
      ...NO_TOKENS,
      input: 25,
      cacheRead: 40,
      cacheWrite: 70,
      cacheWrite1h: 30,
      output: 10,
      reasoning: 5,
    })
    expect(usage?.providerTotals).toEqual({ input: 165, output: 15, total: null })
  })

  test('cache writes without a split are five-minute writes, counted once', () => {
    const usage = readAnthropicUsage({ input_tokens: 1, cache_creation_input_tokens: 9, output_tokens: 1 })
    expect(usage?.tokens).toMatchObject({ cacheWrite: 9, cacheWrite1h: 0 })
  })

  test.each([
    ['without input', { output_tokens: 15 }],
    ['with nulls', { input_tokens: null, cache_read_input_tokens: null, output_tokens: 15 }],
    ['with a zero input', { input_tokens: 0, output_tokens: 15 }],
    ['with the same input', { input_tokens: 25, output_tokens: 15 }],
  ])('a message_delta %s keeps the input of message_start', (_, delta) => {
    const start = { input_tokens: 25, cache_read_input_tokens: 40, output_tokens: 1 }
    const usage = readAnthropicUsage(mergeAnthropicUsage(start, delta))
    expect(usage?.tokens).toEqual({ ...NO_TOKENS, input: 25, cacheRead: 40, output: 15 })
  })

  test('a message_start of 0/0 is corrected by the message_delta', () => {
    const usage = readAnthropicUsage(
      mergeAnthropicUsage({ input_tokens: 0, output_tokens: 0 }, { input_tokens: 25, output_tokens: 7 }),
    )
    expect(usage?.tokens).toMatchObject({ input: 25, output: 7 })
  })

  test('garbage in either half is no usage', () => {
    expect(readAnthropicUsage({ input_tokens: 1, output_tokens: '7' })).toBeNull()
    expect(
      readAnthropicUsage(mergeAnthropicUsage({ input_tokens: '1', output_tokens: 1 }, { output_tokens: 7 })),
    ).toBeNull()
    expect(readAnthropicUsage({ input_tokens: -3, output_tokens: 7 })).toBeNull()
  })
})

describe('Gemini usage', () => {
  const GEMINI = {
    promptTokenCount: 1000,
    cachedContentTokenCount: 900,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 30,
    toolUsePromptTokenCount: 5,
    totalTokenCount: 1055,
  }

  test('cached tokens are a part of the prompt, thoughts stand beside the candidates', () => {
    expect(readGeminiUsage(GEMINI)).toEqual({
      tokens: { ...NO_TOKENS, input: 105, cacheRead: 900, output: 20, reasoning: 30 },
      providerTotals: { input: 1005, output: 50, total: 1055 },
    })
  })

  test('thoughts that are counted into the candidates as well count once', () => {
    const usage = readGeminiUsage({ ...GEMINI, candidatesTokenCount: 50 })
    expect(usage?.tokens).toMatchObject({ output: 20, reasoning: 30 })
    expect(usage?.providerTotals).toMatchObject({ output: 50, total: 1055 })
  })

  test('audio is a part of prompt and candidates; what of it is cached counts as cached', () => {
    const usage = readGeminiUsage({
      promptTokenCount: 1000,
      cachedContentTokenCount: 900,
      candidatesTokenCount: 20,
      totalTokenCount: 1020,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 100 },
        { modality: 'AUDIO', tokenCount: 900 },
      ],
      cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 850 }],
      candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 15 }],
    })
    expect(usage?.tokens).toEqual({
      ...NO_TOKENS,
      input: 50,
      audioInput: 50,
      cacheRead: 900,
      output: 5,
      audioOutput: 15,
    })
  })

  test('a prompt alone is usage: nothing was generated', () => {
    expect(readGeminiUsage({ promptTokenCount: 7, totalTokenCount: 7 })).toEqual({
      tokens: { ...NO_TOKENS, input: 7 },
      providerTotals: { input: 7, output: 0, total: 7 },
    })
  })

  test.each([
    ['negative', { promptTokenCount: -1 }],
    ['text', { promptTokenCount: '7' }],
    ['fractional', { ...GEMINI, thoughtsTokenCount: 1.5 }],
    ['more cached than read', { ...GEMINI, cachedContentTokenCount: 1001 }],
    ['missing', {}],
    ['a list', []],
  ])('%s counts are no usage', (_, usage) => {
    expect(readGeminiUsage(usage)).toBeNull()
  })
})

const count = fc.nat({ max: 100_000 })
const tokens = fc.record({
  input: count,
  cacheRead: count,
  cacheWrite: count,
  cacheWrite1h: count,
  output: count,
  reasoning: count,
  audioInput: count,
  audioOutput: count,
})

test('encoding keeps the totals in both formats, and reading back keeps the classes a format has', () => {
  fc.assert(
    fc.property(tokens, (all) => {
      const openAi = readOpenAiUsage(encodeOpenAiUsage(all))
      const written = all.cacheWrite + all.cacheWrite1h
      expect(openAi?.tokens).toEqual({ ...all, cacheWrite: written, cacheWrite1h: 0 })
      expect(openAi?.providerTotals).toEqual({
        input: inputTotal(all),
        output: outputTotal(all),
        total: inputTotal(all) + outputTotal(all),
      })
      const anthropic = readAnthropicUsage(encodeAnthropicUsage(all))
      const output = all.output + all.audioOutput
      expect(anthropic?.tokens).toEqual({
        ...all,
        input: all.input + all.audioInput,
        audioInput: 0,
        output,
        audioOutput: 0,
      })
    }),
  )
})

test('nothing makes the readers throw', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (one, other) => {
      readOpenAiUsage(one)
      readGeminiUsage(one)
      readAnthropicUsage(mergeAnthropicUsage(one, other))
    }),
  )
})

describe('usage of a response', () => {
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
    output_tokens: 50,
    output_tokens_details: { reasoning_tokens: 40 },
    total_tokens: 150,
  }

  test('cached tokens are a part of the input, reasoning of the output', () => {
    const read = readResponsesUsage(usage)
    expect(read?.tokens).toMatchObject({
      input: 30,
      cacheRead: 60,
      cacheWrite: 10,
      output: 10,
      reasoning: 40,
    })
    expect(read?.providerTotals).toEqual({ input: 100, output: 50, total: 150 })
    expect(encodeResponsesUsage(read?.tokens ?? NO_TOKENS)).toEqual(usage)
  })

  test.each([
    null,
    {},
    { ...usage, input_tokens: -1 },
    { ...usage, output_tokens: 1.5 },
    { prompt_tokens: 1 },
  ])('what cannot be true is no usage: %j', (wrong) => {
    expect(readResponsesUsage(wrong)).toBeNull()
  })
})
