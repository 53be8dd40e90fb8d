// Documents against code, both ways: a page that says what the code no longer does fails the build.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ERRORS } from '../packages/protocol/src/errors.js'
import { REQUEST_HEADERS, RESPONSE_HEADERS } from '../packages/protocol/src/headers.js'
import { FACTS } from '../packages/server/src/core/release/facts.js'
import { ROOT, filesUnder, isTest, readText } from './tidy/read-tree.js'

const STAGES = 'packages/server/src/engine/call-model/'
const CLI = 'packages/server/src/cli/'
const CONFIG = 'packages/server/src/config/'
const FOLDERS = ['docs', 'packages', 'examples', 'bench']
const isPage = (path: string): boolean => path.endsWith('.md')
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...FOLDERS.flatMap(filesUnder).filter(isPage),
]

/** The part of a page under one heading, down to the next heading of the same or a higher level. */
function section(page: string, heading: string): string {
  const [, level = '', rest = ''] = new RegExp(`^(#+) ${heading}$([\\s\\S]*)`, 'm').exec(readText(page)) ?? []
  return rest.split(new RegExp(`^#{1,${level.length}} `, 'm'))[0] ?? ''
}

/** Cells of the table rows of a text, without the heading and the rule below it. */
function rows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'))
  const cells = lines.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  return cells.filter(
    (_, index) => !/^\|[-| ]+\|$/.test(lines[index + 1] ?? '') && !/^\|[-| ]+\|$/.test(lines[index] ?? ''),
  )
}

const quoted = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)
const firstColumn = (text: string): readonly string[] => rows(text).flatMap(([cell = '']) => quoted(cell))
const sorted = (values: Iterable<string>): readonly string[] => [...new Set(values)].toSorted()

test('docs/errors.md lists every error code with its status and retry rule, and no other', () => {
  const documented = rows(readText('docs/errors.md')).map(
    ([code, status, retry]) => `${code} ${status} ${retry}`,
  )
  const registered = Object.entries(ERRORS).map(
    ([code, { status, retry }]) => `\`${code}\` ${status} ${retry}`,
  )
  expect(sorted(documented)).toEqual(sorted(registered))
})

describe('docs/lifecycle.md', () => {
  const headings = [...readText('docs/lifecycle.md').matchAll(/^## (\d+)\. (\S+)$/gm)]
  const documented = headings.map(([, , name = '']) => name)

  test('has a heading for every stage in engine/call-model/, and no other', () => {
    const files = filesUnder(STAGES).filter((path) => !isTest(path))
    const stages = files.map((path) => path.slice(STAGES.length).replace(/\.ts$/, ''))
    expect(sorted(documented)).toEqual(sorted(stages))
  })

  test('numbers its stages from 1, in the order of its drawing', () => {
    expect(headings.map(([, number]) => Number(number))).toEqual(headings.map((_, index) => index + 1))
    const drawing = readText('docs/lifecycle.md').split('```')[1] ?? ''
    const drawn = [...drawing.matchAll(/^\s*(\d+) (\w+) /gm)].map(([, number, name]) => `${number} ${name}`)
    expect(drawn).toEqual(documented.map((name, index) => `${index + 1} ${name}`))
  })

  test('names only error codes that exist', () => {
    const named = quoted(readText('docs/lifecycle.md')).filter((word) => /^[a-z]+\.[a-z_]+$/.test(word))
    expect(named.filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([])
  })
})

test('docs/glossary.md explains the words used everywhere', () => {
  const words = rows(readText('docs/glossary.md')).flatMap(([cell = '']) => cell.split(', '))
  const everywhere =
    'task step attempt contract outcome budget limit hold settle rung ladder tier route deployment release whiteboard'
  for (const word of everywhere.split(' ')) expect(words).toContain(word)
})

describe('docs/interface.md', () => {
  test('lists every request header, and no other', () => {
    const documented = firstColumn(section('docs/interface.md', 'Request headers'))
    expect(sorted(documented)).toEqual(sorted(Object.values(REQUEST_HEADERS)))
  })

  test('lists every response header, and no other', () => {
    const documented = firstColumn(section('docs/interface.md', 'Response headers'))
    expect(sorted(documented)).toEqual(sorted(Object.values(RESPONSE_HEADERS)))
  })

  test('lists every command of the command line, and no other', () => {
    const documented = firstColumn(section('docs/interface.md', 'Commands')).map(
      (text) => text.split(' ')[0] ?? '',
    )
    const sources = filesUnder(CLI)
      .filter((path) => !isTest(path))
      .map(readText)
    const registered = sources.flatMap((text) =>
      [...text.matchAll(/\.command\(\s*'([\w-]+)/g)].map(([, name = '']) => name),
    )
    expect(sorted(documented)).toEqual(sorted(registered))
  })
})

/** Read by the readers of the configuration, but no part of it: dated facts about providers. */
const PROVIDER_FACTS = /\/(?:provider-limits|prompt-caches)\.ts$/

describe('docs/configuration.md', () => {
  test('explains every key of the configuration', () => {
    const sources = filesUnder(CONFIG)
      .filter((path) => !isTest(path) && !PROVIDER_FACTS.test(path))
      .map(readText)
    const keys = sources.flatMap((text) =>
      [...text.matchAll(/\b([a-z_0-9]+): (?:required|optional)\(/g)].map(([, key = '']) => key),
    )
    const words = readText('docs/configuration.md').split('\n').flatMap(quoted)
    const explained = new Set(words.flatMap((word) => word.split('.')))
    expect(keys).toContain('usd_per_success')
    expect(sorted(keys).filter((key) => !explained.has(key))).toEqual([])
  })

  test('explains every environment variable that is read', () => {
    const sources = filesUnder('packages/server/src')
      .filter((path) => !isTest(path))
      .map(readText)
    const read = sources.flatMap((text) =>
      [...text.matchAll(/\benv\['([A-Z_]+)'\]/g)].map(([, name = '']) => name),
    )
    expect(read).toContain('SPILLWAY_CONFIG')
    const explained = quoted(section('docs/configuration.md', 'Environment variables'))
    expect(sorted(read).filter((name) => !explained.includes(name))).toEqual([])
  })

  test('lists every fact a rule can read, and no other', () => {
    const documented = firstColumn(section('docs/configuration.md', 'Expressions'))
    expect(sorted(documented)).toEqual(sorted(FACTS.map(({ name }) => name)))
  })
})

describe('every page', () => {
  const link = /\]\(([^)\s]+)\)/g

  test('links only to files that exist', () => {
    const broken = pages.flatMap((page) => {
      const targets = [...readText(page).matchAll(link)].map(([, target = '']) => target.split('#')[0] ?? '')
      const relative = targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      const missing = relative.filter((target) => !existsSync(join(ROOT, dirname(page), target)))
      return missing.map((target) => `${page} -> ${target}`)
    })
    expect(broken).toEqual([])
  })

  test('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readText('package.json')) as {
      readonly scripts: Readonly<Record<string, string>>
    }
    const named = pages.flatMap((page) =>
      [...readText(page).matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g)].map(
        ([, run, own]) => run ?? own ?? '',
      ),
    )
    expect(named).toContain('start')
    expect(sorted(named).filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  test('names only folders and sources that exist', () => {
    const named = pages.flatMap((page) => quoted(readText(page)).map((word) => ({ page, word })))
    const paths = named.filter(({ word }) => /^(packages|test|bench|scripts|docs)\/[\w./-]+$/.test(word))
    const missing = paths.filter(({ word }) => !existsSync(join(ROOT, word)))
    expect(missing.map(({ page, word }) => `${page}: ${word}`)).toEqual([])
  })
})

test('the picture in README.md is well-formed and says in words what it shows', () => {
  const picture = readFileSync(join(ROOT, 'docs/spillway.svg'), 'utf8')
  const opened = [...picture.matchAll(/<([a-zA-Z]+)[^>]*?(\/?)>/g)].filter(
    ([, , closed]) => closed === '',
  ).length
  const closed = [...picture.matchAll(/<\/[a-zA-Z]+>/g)].length
  expect(opened).toBe(closed)
  expect(picture).toMatch(/<title id="title">.+<\/title>[\s\S]*<desc id="desc">.+<\/desc>/)
})
