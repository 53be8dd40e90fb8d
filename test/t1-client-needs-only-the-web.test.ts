// T1: the client library runs in a browser, so what its sources may use is what a browser has. The build says
// so with projects that do not know Node; here they are shown a source that uses it, so that a fence that
// fell (a type import is enough) is noticed.

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc')

const NODE_ONLY = ['process.env', "Buffer.from('')", '__dirname', 'setImmediate(() => {})', "require('x')"]
const IMPORTED = ["import('node:fs')", "import('undici')"]
const OF_THE_WEB = [
  "fetch('/')",
  "new URL('a:b')",
  'AbortSignal.any([])',
  'new ReadableStream()',
  'setTimeout(f)',
]

/** Compiles these expressions as one more file of a project. Returns those that the project refuses. */
async function refused(project: string, expressions: readonly string[]): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'spillway-web-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const lines = expressions.map((expression, index) => `export const e${index} = () => ${expression}`)
  await writeFile(join(dir, 'probe.mts'), `${lines.join('\n')}\nexport const f = () => undefined\n`)
  const options = { noEmit: true, composite: false, rootDir: '/' }
  const config = { extends: join(ROOT, project), compilerOptions: options, files: ['probe.mts'] }
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify(config))
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [COMPILER, '-p', dir, '--pretty', 'false'], (_error, stdout) =>
      resolve(stdout),
    )
  })
  const faults = output.split('\n').filter((line) => line.includes('error TS'))
  const atProbe = faults.map((line) => /probe\.mts\((\d+),/.exec(line)?.[1])
  if (atProbe.includes(undefined)) throw new Error(output)
  const wrong = new Set(atProbe.map((line) => Number(line) - 1))
  return expressions.filter((_, index) => wrong.has(index))
}

test('the client is compiled with the web platform and without Node', async () => {
  const found = await refused('packages/client/tsconfig.web.json', [...NODE_ONLY, ...IMPORTED, ...OF_THE_WEB])
  expect(found).toEqual([...NODE_ONLY, ...IMPORTED])
})

test('the protocol is compiled with the language alone', async () => {
  const expressions = [
    ...NODE_ONLY,
    ...IMPORTED,
    ...OF_THE_WEB,
    'structuredClone({})',
    'new Date(0).toJSON()',
  ]
  expect(await refused('packages/protocol/tsconfig.json', expressions)).toEqual(expressions.slice(0, -1))
})
