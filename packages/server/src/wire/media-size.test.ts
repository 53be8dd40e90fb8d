import { expect, test } from 'vitest'
import type { Problem } from '../core/parsed.js'
import { checkSize } from './media-size.js'

test.each([0, 1, 2, 3, 4, 5, 6, 7])('%i bytes fit into as many, and not into one less', (bytes) => {
  const data = Buffer.alloc(bytes).toString('base64')
  const problemsAt = (limit: number) => {
    const problems: Problem[] = []
    checkSize(data, { bytes: limit, name: 'that' }, { at: 'messages[0]', problems })
    return problems
  }
  expect(problemsAt(bytes)).toEqual([])
  const message = 'must not be larger than that in the other format'
  expect(problemsAt(bytes - 1)).toEqual([{ at: 'messages[0]', message }])
})
