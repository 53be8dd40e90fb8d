import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import type { Parsed } from '../core/parsed.js'
import type { Release } from '../core/release/release.js'
import { checkReport, checkText } from './check-report.js'
import { parseConfig } from './load-config.js'

const prices = createGenaiPrices(Date.UTC(2026, 10, 24))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const check = (text: string): Parsed<Release> =>
  parseConfig({ text, file: 'C:/my.yaml', env: {}, prices, sha256 })

describe('spillway check', () => {
  test('an invalid file: one line per problem, and their number', () => {
    expect(checkText(check('taks: {}\nlimits: { rpm: 0 }\n'))).toBe(
      [
        'C:/my.yaml:1:1 unknown key `taks`; did you mean `tasks`?',
        'C:/my.yaml:2:16 must be a whole number of at least 1 requests per minute, not `0`',
        '',
        '2 problems; nothing is served from this file',
      ].join('\n'),
    )
  })

  test('as JSON, with line and column as numbers and a colon in the path kept', () => {
    expect(checkReport(check('taks: {}\n'))).toEqual({
      valid: false,
      problems: [
        { file: 'C:/my.yaml', line: 1, column: 1, message: 'unknown key `taks`; did you mean `tasks`?' },
      ],
      warnings: [],
      release: null,
    })
  })

  test('a valid file: what it holds, its release and its warnings', () => {
    const result = check('tasks: { a: {} }\n')
    const report = checkReport(result)
    expect(report).toMatchObject({ valid: true, problems: [], release: expect.stringMatching(/^rel_/) })
    expect(report.warnings).toHaveLength(1)
    expect(checkText(result)).toBe(
      `C:/my.yaml is valid: 2 tasks, 1 model, 1 provider, 0 tenants; release ${report.release}\n` +
        `warning: ${report.warnings[0]}`,
    )
  })
})
