import { expect, test } from 'vitest'
import type { Deployment } from '../../core/release/release.js'
import type { ModelList } from '../../wire/model-list.js'
import { listedModel } from './listed-model.js'

const about = (model: string, list: ModelList | null) =>
  listedModel({ provider: 'own', model } as Deployment, list)
const listOf = (...ids: readonly string[]): ModelList => ({ ids, isComplete: true, namesCalls: true })

test('what is listed, or cannot be known, needs no hint', () => {
  expect(about('a', listOf('a'))).toEqual({ listed: true, hint: null })
  expect(about('a', null)).toEqual({ listed: null, hint: null })
  expect(about('a', { ...listOf('b'), isComplete: false })).toEqual({ listed: null, hint: null })
})

test.each([
  [
    'gpt-4o-mimi',
    listOf('gpt-4o', 'gpt-4o-mini', 'o3', 'o4-mini'),
    'own lists 4 models, and `gpt-4o-mimi` is not among them; did you mean `gpt-4o-mini`?',
  ],
  ['mistral', listOf('qwen.gguf'), 'own lists 1 model, and `mistral` is not among them: `qwen.gguf`'],
  ['mistral', listOf('a1', 'b2', 'c3', 'd4'), 'own lists 4 models, and `mistral` is not among them'],
  ['mistral', listOf(), 'own lists 0 models, and `mistral` is not among them'],
])('%s among %o', (model, list, hint) => {
  expect(about(model, list)).toEqual({ listed: false, hint })
})
