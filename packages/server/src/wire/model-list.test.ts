import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { modelListBody } from '../testing/told-bodies.js'
import { type ModelList, listsModel, parseModelPage } from './model-list.js'

describe('a page', () => {
  test.each([
    [
      'openai.json',
      ['gpt-4o', 'gpt-4o-mini', 'text-embedding-3-small', 'ft:gpt-4o-mini-2024-07-18:acme::abc123'],
      null,
    ],
    ['anthropic.json', ['claude-sonnet-4-20250514', 'claude-3-5-haiku-20241022'], 'claude-2.1'],
    ['gemini.json', ['gemini-2.5-flash', 'gemini-embedding-001'], 'Ch5tb2RlbHMv'],
    ['vllm.json', ['meta-llama/Llama-3.1-8B-Instruct', 'sql-lora'], null],
    ['llama-cpp.json', ['gpt-oss.gguf'], null],
    ['ollama.json', ['llama3.2:latest'], null],
    ['together.json', ['meta-llama/Llama-3.3-70B-Instruct-Turbo'], null],
  ])('of %s', (name, ids, next) => {
    expect(parseModelPage(modelListBody(name))).toEqual({ kind: 'ok', value: { ids, next } })
  })

  test('of an Ollama without models is empty', () => {
    expect(parseModelPage('{"object":"list","data":null}')).toEqual({
      kind: 'ok',
      value: { ids: [], next: null },
    })
  })

  test.each(['', '<html>', '{}', '"gpt-4o"', '{"data":{}}', '{"error":{"message":"no"}}', 'null'])(
    'is not %s',
    (text) => {
      expect(parseModelPage(text).kind).toBe('invalid')
    },
  )

  test('leaves out what cannot be an id', () => {
    const entries = [{ id: 'good' }, { id: 7 }, {}, null, { id: '' }, { id: 'a\u001b[31m' }]
    const long = { id: 'x'.repeat(257) }
    expect(parseModelPage(JSON.stringify({ data: [...entries, long] }))).toMatchObject({
      value: { ids: ['good'] },
    })
  })

  test('is read or refused, never thrown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(['ok', 'invalid']).toContain(parseModelPage(text).kind)
      }),
    )
  })
})

describe('a model', () => {
  const list = (ids: readonly string[], more: Partial<ModelList> = {}): ModelList => ({
    ids,
    isComplete: true,
    namesCalls: true,
    ...more,
  })

  test.each([
    ['by its id', 'gpt-4o', list(['gpt-4o']), true],
    ['that is not there', 'gpt-5', list(['gpt-4o']), false],
    ['in a list of nothing', 'gpt-4o', list([]), false],
    ['in a list that was cut, if it is there', 'gpt-4o', list(['gpt-4o'], { isComplete: false }), true],
    ['in a list that was cut', 'gpt-5', list(['gpt-4o'], { isComplete: false }), null],
    ['that is a deployment of Azure', 'gpt-4o', list(['gpt-4o'], { namesCalls: false }), null],
    ['of Gemini with its folder', 'models/gemini-2.5-flash', list(['gemini-2.5-flash']), true],
    ['of Gemini, tuned', 'tunedModels/ours', list(['gemini-2.5-flash']), null],
    ['of Ollama without its tag', 'llama3.2', list(['llama3.2:latest']), true],
    ['of Ollama with another tag', 'llama3.2', list(['llama3.2:1b']), false],
  ])('%s', (_, model, among, listed) => {
    expect(listsModel(among, model)).toBe(listed)
  })
})
