// The house rules, enforced. Each rule is also shown a small bad source, so that a rule that sleeps is
// noticed.

import { describe, expect, test } from 'vitest'
import { codeProblems } from './tidy/code-rules.js'
import { cycleProblems, deadFileProblems } from './tidy/graph-rules.js'
import { importProblems, unusedDependencyProblems } from './tidy/import-rules.js'
import { OVERSIZED, WAITING } from './tidy/oversized.js'
import { filesUnder, isTest, readPackageSources, readText } from './tidy/read-tree.js'
import { type Oversized, ratchetProblems, sizeProblems } from './tidy/size-rules.js'
import { type Source, parseSource } from './tidy/syntax-tree.js'
import { leftoverProblems, nameProblems, pathProblems, purposeProblems } from './tidy/text-rules.js'

const sources = readPackageSources()
const production = sources.filter(({ path }) => !isTest(path))

const TEXT = /\.(ts|tsx|js|mjs|json|md|ya?ml|svg)$/
interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
}

const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'package.json',
  '.ci/run',
]
const FOLDERS = ['packages', 'test', 'bench', 'scripts', 'docs', 'examples']
const texts = [...FOLDERS.flatMap(filesUnder).filter((path) => TEXT.test(path)), ...DOCUMENTS]

describe('the repository', () => {
  test('is really read: the rules see the core, the engine and the protocol', () => {
    const paths = sources.map(({ path }) => path)
    expect(paths).toContain('packages/server/src/core/ids.ts')
    expect(paths).toContain('packages/server/src/engine/ports.ts')
    expect(paths).toContain('packages/protocol/src/errors.ts')
  })

  test('imports go one way and third parties stay where they belong', () => {
    expect(sources.flatMap(importProblems)).toEqual([])
  })

  test('every dependency is imported', () => {
    const problems = ['protocol', 'client', 'server'].flatMap((name) => {
      const { dependencies = {} } = JSON.parse(readText(`packages/${name}/package.json`)) as Manifest
      return unusedDependencyProblems(name, Object.keys(dependencies), sources)
    })
    expect(problems).toEqual([])
  })

  test('there is no import cycle, type-only imports included', () => {
    expect(cycleProblems(sources)).toEqual([])
  })

  test('every file is reached by a program', () => {
    expect(deadFileProblems(sources, WAITING)).toEqual([])
  })

  test('clock, randomness, timers and environment have one home; no any, !, enum, default or export *', () => {
    expect(sources.flatMap(codeProblems)).toEqual([])
  })

  test('files, functions, lines and parameter lists are small', () => {
    expect(production.flatMap((source) => sizeProblems(source, OVERSIZED))).toEqual([])
  })

  test('the list of what is too large only shrinks', () => {
    expect(ratchetProblems(production, OVERSIZED)).toEqual([])
  })

  test('files are named in kebab-case and say what they are for', () => {
    expect(sources.flatMap(({ path }) => nameProblems(path))).toEqual([])
    expect(production.flatMap(purposeProblems)).toEqual([])
  })

  test('no note for later is left without an issue', () => {
    expect(sources.flatMap(leftoverProblems)).toEqual([])
  })

  test('nothing names a place outside the repository', () => {
    expect(texts.flatMap((path) => pathProblems(path, readText(path)))).toEqual([])
  })
})

const CORE = 'packages/server/src/core/a.ts'
const ENGINE = 'packages/server/src/engine/a.ts'
const NONE: Oversized = {}
const at = (path: string, text: string): Source => parseSource(path, text)
const body = (lines: number): string => `function f() {\n${'  g()\n'.repeat(lines - 2)}}\n`

interface BadSource {
  readonly rule: string
  readonly problems: readonly string[]
  readonly says: RegExp
}

const bad = (rule: string, problems: readonly string[], says: RegExp): BadSource => ({ rule, problems, says })

const BAD_SOURCES: readonly BadSource[] = [
  bad(
    'the core imports nobody',
    importProblems(at(CORE, "import type { P } from '../engine/ports.js'")),
    /core may not import engine/,
  ),
  bad(
    'a re-export is an import',
    importProblems(at(CORE, "export { p } from '../wire/sse.js'")),
    /core may not import wire/,
  ),
  bad(
    'a dynamic import is an import',
    importProblems(at(ENGINE, "await import('../http/x.js')")),
    /engine may not import http/,
  ),
  bad(
    'a type import expression is an import',
    importProblems(at(ENGINE, "type T = import('../http/x.js').T")),
    /engine may not import http/,
  ),
  bad(
    'adapters see ports only',
    importProblems(at('packages/server/src/adapters/a.ts', "import { e } from '../engine/events.js'")),
    /only engine\/ports/,
  ),
  bad(
    'testing is for tests',
    importProblems(at(ENGINE, "import { f } from '../testing/fake.js'")),
    /only tests/,
  ),
  bad(
    'a new room needs a line',
    importProblems(at('packages/server/src/attic/a.ts', "import { f } from '../core/a.js'")),
    /no known room/,
  ),
  bad(
    'packages meet by name',
    importProblems(at('packages/client/src/a.ts', "import { f } from '../../server/src/core/a.js'")),
    /another package by path/,
  ),
  bad(
    'the core has no third party',
    importProblems(at(CORE, "import { parse } from 'yaml'")),
    /yaml may only be imported in config/,
  ),
  bad(
    'protocol has no third party',
    importProblems(at('packages/protocol/src/a.ts', "import { parse } from 'yaml'")),
    /not on the list/,
  ),
  bad(
    'the client uses no Node module',
    importProblems(at('packages/client/src/a.ts', "import 'node:fs'")),
    /node:fs/,
  ),
  bad(
    'one adapter imports the driver',
    importProblems(at('packages/server/src/http/a.ts', "import D from 'better-sqlite3'")),
    /adapters\/store/,
  ),
  bad(
    'an unlisted package stays out',
    importProblems(at(ENGINE, "import { l } from 'lodash'")),
    /lodash is not on the list/,
  ),
  bad('Date.now has one home', codeProblems(at(ENGINE, 'const t = Date.now()')), /Date.now/),
  bad('new Date() has one home', codeProblems(at(ENGINE, 'const t = new Date()')), /new Date/),
  bad('Math.random has one home', codeProblems(at(CORE, 'const pick = Math.random')), /Math.random/),
  bad('timers have one home', codeProblems(at(ENGINE, 'setTimeout(f, 1)')), /setTimeout/),
  bad('AbortSignal.timeout has one home', codeProblems(at(ENGINE, 'AbortSignal.timeout(5)')), /AbortSignal/),
  bad('the environment has one home', codeProblems(at(ENGINE, "const x = process.env['A']")), /process.env/),
  bad('no any', codeProblems(at(ENGINE, 'const x: Map<string, any> = y')), /any is banned/),
  bad('no any in a cast', codeProblems(at(ENGINE, 'const x = y as any')), /any is banned/),
  bad('no non-null assertion', codeProblems(at(ENGINE, 'const x = y!.z')), /non-null/),
  bad('no enum', codeProblems(at(ENGINE, 'enum E { A }')), /enum/),
  bad('no default export', codeProblems(at(ENGINE, 'export default 1')), /export default/),
  bad('no barrel', codeProblems(at(ENGINE, "export * from './b.js'")), /export \*/),
  bad(
    'no any in a test either',
    codeProblems(at('packages/server/src/core/a.test.ts', 'f(x as any)')),
    /any is banned/,
  ),
  bad('a file has a limit', sizeProblems(at(CORE, 'f()\n'.repeat(301)), NONE), /301 lines, at most 300/),
  bad('a function has a limit', sizeProblems(at(CORE, body(41)), NONE), /a.ts#f:1 has 41 lines, at most 40/),
  bad(
    'an arrow function has a limit',
    sizeProblems(at(CORE, `const h = () => {\n${'g()\n'.repeat(40)}}\n`), NONE),
    /#h:1 has 42/,
  ),
  bad(
    'a method has a limit',
    sizeProblems(at(CORE, `class K { m() {\n${'g()\n'.repeat(40)}} }\n`), NONE),
    /#m:1 has 42/,
  ),
  bad(
    'a line has a limit',
    sizeProblems(at(CORE, `const x = [${'1, '.repeat(40)}]`), NONE),
    /characters long/,
  ),
  bad(
    'parameters have a limit',
    sizeProblems(at(CORE, 'const f = (a, b, c, d) => a'), NONE),
    /f takes 4 parameters/,
  ),
  bad(
    'parameters of a port have a limit',
    sizeProblems(at(CORE, 'interface P { f(a: A, b: A, c: A, d: A): void }'), NONE),
    /takes 4/,
  ),
  bad(
    'an entry of the ratchet goes down',
    ratchetProblems([at(CORE, body(45))], { [`${CORE}#f`]: { lines: 50, reason: 'old' } }),
    /45 lines now/,
  ),
  bad(
    'an entry of the ratchet goes away',
    ratchetProblems([at(CORE, body(5))], { [`${CORE}#f`]: { lines: 50, reason: 'old' } }),
    /small enough/,
  ),
  bad(
    'an entry of the ratchet has a reason',
    ratchetProblems([at(CORE, body(45))], { [`${CORE}#f`]: { lines: 45, reason: ' ' } }),
    /reason/,
  ),
  bad(
    'the ratchet does not hide growth',
    sizeProblems(at(CORE, body(46)), { [`${CORE}#f`]: { lines: 45, reason: 'old' } }),
    /46 lines/,
  ),
  bad('names are kebab-case', nameProblems('packages/server/src/core/chooseRung.ts'), /kebab-case/),
  bad('a file says what it is for', purposeProblems(at(CORE, 'f()\n'.repeat(30))), /what it is for/),
  bad(
    'a note needs an issue',
    leftoverProblems(at(CORE, `// ${'TO DO'.replace(' ', '')}: later`)),
    /issue id/,
  ),
  bad('a place on one machine', pathProblems('a.md', ['see ', 'tmp', 'x'].join('/')), /one machine/),
  bad('a place outside', pathProblems('a.md', ['see ..', 'shared', 'x'].join('/')), /outside the repository/),
]

describe('the rules themselves', () => {
  test.each(BAD_SOURCES)('$rule', ({ problems, says }) => {
    expect(problems.join('\n')).toMatch(says)
  })

  test('a dependency that only a test imports is unused', () => {
    const tested = at('packages/server/src/core/a.test.ts', "import 'undici'")
    const used = at('packages/server/src/config/a.ts', "import { parse } from 'yaml/util'")
    expect(unusedDependencyProblems('server', ['undici', 'yaml'], [tested, used])).toEqual([
      'packages/server/package.json: undici is never imported',
    ])
  })

  test('a cycle of type-only imports is found', () => {
    const cycle = [
      at(CORE, "import type { B } from './b.js'"),
      at('packages/server/src/core/b.ts', "import type { A } from './a.js'"),
    ]
    expect(cycleProblems(cycle)).toEqual([`import cycle: ${CORE} , packages/server/src/core/b.ts`])
  })

  test('a diamond is no cycle', () => {
    const top = at(CORE, "import './b.js'\nimport './c.js'")
    const sides = ['b', 'c'].map((name) => at(`packages/server/src/core/${name}.ts`, "import './d.js'"))
    expect(cycleProblems([top, ...sides, at('packages/server/src/core/d.ts', 'f()')])).toEqual([])
  })

  test('a file that only its test uses is dead, a worker named by its URL is not', () => {
    const tree = [
      at(
        'packages/server/src/cli/main.ts',
        "new Worker(new URL('../adapters/w-worker.js', import.meta.url))",
      ),
      at('packages/server/src/adapters/w-worker.ts', 'run()'),
      at('packages/server/src/core/unused.ts', 'f()'),
      at('packages/server/src/core/unused.test.ts', "import './unused.js'\nimport '../testing/fake.js'"),
      at('packages/server/src/testing/fake.ts', 'f()'),
    ]
    const dead = 'packages/server/src/core/unused.ts'
    expect(deadFileProblems(tree)).toEqual([`${dead}: no program reaches this file; use it or delete it`])
    expect(deadFileProblems(tree, { [dead]: 'its caller comes next' })).toEqual([])
    expect(
      deadFileProblems(
        tree.filter(({ path }) => path !== dead),
        { [dead]: 'gone' },
      ),
    ).toHaveLength(1)
  })

  test('a line is excused when the limit falls into a string, not when a comment or code runs over it', () => {
    const words = 'and so on '.repeat(12)
    const long = [
      `f('${words}')`,
      `const sql = \`a\n${words}\``,
      `// ${words}`,
      `f() // '${words}'`,
      `f(${'a, '.repeat(40)}'x')`,
    ]
    const found = long.map((text) => sizeProblems(at(CORE, text), NONE).length)
    expect(found).toEqual([0, 0, 1, 1, 1])
  })

  test('good code passes every rule', () => {
    const text = [
      '// Says what it is for.',
      "import { rung } from '../core/budget/ladder.js'",
      "import type { System } from './ports.js'",
      'export const now = (system: System): number => system.nowMs()',
      'export const at = (ms: number): Date => new Date(ms)',
      'const message =',
      `  'a string nobody can break ${'and so on '.repeat(12)}'`,
    ].join('\n')
    const good = at(ENGINE, text)
    const rules = [importProblems, codeProblems, purposeProblems, leftoverProblems]
    expect(rules.flatMap((rule) => rule(good))).toEqual([])
    expect(sizeProblems(good, NONE)).toEqual([])
    expect(nameProblems(good.path)).toEqual([])
  })
})
