// Who may import whom. The tables here are the architecture; ARCHITECTURE.md only draws them.

import { isTest } from './read-tree.js'
import type { Source } from './syntax-tree.js'

/** By first folder of packages/server/src. Every room may import itself. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  wire: ['core'],
  config: ['core'],
  engine: ['core', 'wire'],
  adapters: ['core', 'wire', 'engine'],
  http: ['core', 'wire', 'engine'],
  compose: ['core', 'wire', 'config', 'engine', 'adapters', 'http'],
  cli: ['core', 'wire', 'config', 'engine', 'adapters', 'http', 'compose'],
  index: ['core', 'config', 'compose'],
  // Tests drive a whole engine from a configuration as users write it.
  testing: ['core', 'wire', 'config', 'engine', 'adapters'],
}

/** Rooms where Node's own modules may be used. Elsewhere a world would leak in that no port can replace. */
const NODE_ROOMS = new Set(['config', 'adapters', 'http', 'cli', 'compose', 'testing', 'index'])

/**
 * Which packages, and in the server which folders, may import a third party. What is not listed may not come
 * in.
 */
export const THIRD_PARTY: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  protocol: {},
  client: { '@spillway/protocol': [''] },
  server: {
    '@spillway/protocol': ['wire/', 'config/', 'engine/', 'http/', 'cli/', 'compose', 'index', 'testing/'],
    '@marcbachmann/cel-js': ['config/'],
    '@smithy/eventstream-codec': ['wire/bedrock-converse/'],
    yaml: ['config/'],
    '@pydantic/genai-prices': ['adapters/prices/'],
    'better-sqlite3': ['adapters/store/'],
    undici: ['cli/'],
    pino: ['adapters/telemetry/'],
    'prom-client': ['adapters/telemetry/'],
    fastify: ['http/'],
    commander: ['cli/'],
    'cli-table3': ['cli/'],
    'node-llama-cpp': ['adapters/providers/on-device/'],
    '@smithy/signature-v4': ['adapters/providers/auth/'],
    '@aws-sdk/credential-provider-node': ['adapters/providers/auth/'],
    'google-auth-library': ['adapters/providers/auth/'],
    '@azure/identity': ['adapters/providers/auth/'],
  },
}

/** What only tests may import besides. */
const TEST_ONLY = new Set([
  'vitest',
  'fast-check',
  'openai',
  '@anthropic-ai/sdk',
  '@aws-sdk/client-bedrock-runtime',
  '@google/genai',
])

interface Place {
  readonly package: string
  /** Path inside `src`. */
  readonly inside: string
  readonly room: string
}

export function placeOf(path: string): Place {
  const [, packageName = '', inside = ''] = /^packages\/([^/]+)\/src\/(.*)$/.exec(path) ?? []
  const first = inside.split('/')[0] ?? ''
  return { package: packageName, inside, room: first.replace(/\.tsx?$/, '') }
}

function packageNameOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
}

function roomProblem(from: Place, target: string, test: boolean): string | null {
  const to = placeOf(target)
  if (to.package !== from.package) return `imports another package by path (${target})`
  if (from.package !== 'server' || to.room === from.room) return null
  if (test) return null
  if (to.room === 'testing') return 'only tests may import testing/'
  const allowed = MAY_IMPORT[from.room]
  if (allowed === undefined) return `${from.room} is no known room: give it a line in MAY_IMPORT`
  if (!allowed.includes(to.room)) return `${from.room} may not import ${to.room}`
  if (from.room === 'adapters' && to.room === 'engine' && to.inside !== 'engine/ports.ts') {
    return 'adapters see only engine/ports'
  }
  return null
}

function thirdPartyProblem(from: Place, specifier: string, test: boolean): string | null {
  if (specifier.startsWith('node:')) {
    const allowed = test || (from.package === 'server' && NODE_ROOMS.has(from.room))
    return allowed
      ? null
      : `${specifier} may not be imported here: no Node modules in ${from.room || from.package}`
  }
  const name = packageNameOf(specifier)
  if (test && TEST_ONLY.has(name)) return null
  const homes = THIRD_PARTY[from.package]?.[name]
  if (homes === undefined) return `${name} is not on the list of dependencies of ${from.package}`
  const allowed = test || homes.some((home) => from.inside.startsWith(home))
  return allowed ? null : `${name} may only be imported in ${homes.join(', ')}`
}

export function importProblems(source: Source): readonly string[] {
  const from = placeOf(source.path)
  // Contract tests live in testing/ and bring vitest along: what is there counts as test code.
  const test = isTest(source.path) || from.room === 'testing'
  return source.imports.flatMap(({ specifier, target, line }) => {
    const checked = isTest(source.path)
    const problem =
      target === null ? thirdPartyProblem(from, specifier, test) : roomProblem(from, target, checked)
    return problem === null ? [] : [`${source.path}:${line} ${problem}`]
  })
}

/**
 * A dependency nobody imports is weight without use. `declared` are the names in the package's package.json.
 */
export function unusedDependencyProblems(
  packageName: string,
  declared: readonly string[],
  sources: readonly Source[],
): readonly string[] {
  const own = sources.filter(({ path }) => !isTest(path) && placeOf(path).package === packageName)
  const used = new Set(own.flatMap(({ imports }) => imports.map(({ specifier }) => packageNameOf(specifier))))
  const unused = declared.filter((name) => !used.has(name))
  return unused.map((name) => `packages/${packageName}/package.json: ${name} is never imported`)
}
