// The tables of docs/wire-formats.md are what comes out when every feature is sent through every pair.

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ANSWER_FEATURES } from '../testing/answer-features.js'
import { answerCell, featureTables, requestCell } from '../testing/feature-matrix.js'
import { REQUEST_FEATURES } from '../testing/request-features.js'

const PAGE = new URL('../../../../docs/wire-formats.md', import.meta.url)
const START = '<!-- derived -->'

function featureNamed<T extends { readonly name: string }>(features: readonly T[], name: string): T {
  const found = features.find((feature) => feature.name === name)
  if (found === undefined) throw new Error(`no feature "${name}"`)
  return found
}

test('the tables of docs/wire-formats.md are derived; UPDATE_DOCS=1 writes them', () => {
  const page = readFileSync(PAGE, 'utf8')
  const expected = `${page.slice(0, page.indexOf(START) + START.length)}\n\n${featureTables()}\n`
  const rewrite = process.env['UPDATE_DOCS'] === '1'
  if (rewrite) writeFileSync(PAGE, expected)
  expect(rewrite ? expected : page, `docs/wire-formats.md should be:\n${expected}`).toBe(expected)
})

test('the derivation tells what passes from what does not', () => {
  const request = (name: string) => featureNamed(REQUEST_FEATURES, name)
  expect(requestCell(request('text'), 'openai-chat', 'anthropic-messages')).toBe('yes')
  expect(requestCell(request('seed'), 'openai-chat', 'anthropic-messages')).toBe('hint')
  expect(requestCell(request('penalties'), 'openai-chat', 'anthropic-messages')).toBe('no')
  expect(requestCell(request('top_k'), 'openai-chat', 'anthropic-messages')).toBe('-')
  const answer = (name: string) => featureNamed(ANSWER_FEATURES, name)
  expect(answerCell(answer('text'), 'openai-chat', 'anthropic-messages')).toBe('yes')
  expect(answerCell(answer('encrypted reasoning'), 'openai-chat', 'anthropic-messages')).toBe('lost')
  expect(answerCell(answer('log probabilities'), 'openai-chat', 'anthropic-messages')).toBe('-')
})
