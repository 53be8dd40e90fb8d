// The guide for people who configure providers: what it shows is read by the real parser, so it cannot rot.

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createGenaiPrices } from '../packages/server/src/adapters/prices/genai-prices.js'
import { parseConfig } from '../packages/server/src/config/load-config.js'
import type { ProviderConfig } from '../packages/server/src/core/release/release.js'
import { readText } from './tidy/read-tree.js'

const GUIDE = 'docs/providers.md'
const prices = createGenaiPrices(Date.UTC(2026, 10, 24))

interface Snippet {
  readonly heading: string
  readonly text: string
}

const sections = readText(GUIDE)
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ heading: text.split('\n')[0] ?? '', text }))
const snippets: readonly Snippet[] = sections.flatMap(({ heading, text }) =>
  [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml = '']) => ({ heading, text: yaml })),
)

/** Every variable that a snippet names has a value. */
function load({ text }: Snippet) {
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)
  return parseConfig({
    text,
    file: 'spillway.yaml',
    env: Object.fromEntries(names.map((name) => [name, 'value-of-the-environment'])),
    prices,
    sha256: (content) => createHash('sha256').update(content).digest('hex'),
  })
}

const KINDS: Readonly<Record<Exclude<ProviderConfig['kind'], 'simulated'>, true>> = {
  openai: true,
  anthropic: true,
  azure: true,
  bedrock: true,
  gemini: true,
  vertex: true,
  'openai-compatible': true,
  'on-device': true,
}

describe('docs/providers.md', () => {
  test('has a section for every kind of provider, each with a configuration of that kind', () => {
    const shown = sections.filter(({ heading }) => Object.hasOwn(KINDS, heading))
    expect(shown.map(({ heading }) => heading).toSorted()).toEqual(Object.keys(KINDS).toSorted())
    for (const { heading } of shown) {
      const kinds = snippets
        .filter((snippet) => snippet.heading === heading)
        .flatMap((snippet) => [...snippet.text.matchAll(/kind: ([\w-]+)/g)].map(([, kind]) => kind))
      expect([heading, new Set(kinds)]).toEqual([heading, new Set([heading])])
    }
  })

  test.each(snippets.map((snippet, index) => [`${index + 1}, ${snippet.heading}`, snippet] as const))(
    'configuration %s is valid, and nothing in it is warned of',
    (_, snippet) => {
      const loaded = load(snippet)
      expect(loaded.kind === 'invalid' ? loaded.problems : loaded.value.warnings).toEqual([])
    },
  )

  test('the mixed route has all four approaches', () => {
    const mixed = snippets.find(({ heading }) => heading === 'Mix them in one route')
    const loaded = mixed === undefined ? null : load(mixed)
    const release = loaded?.kind === 'ok' ? loaded.value : null
    const approaches = [...(release?.providers.values() ?? [])].map(({ hosting }) => hosting)
    expect(approaches.toSorted()).toEqual(['hosted', 'on-device', 'self-hosted', 'serverless'])
  })
})
