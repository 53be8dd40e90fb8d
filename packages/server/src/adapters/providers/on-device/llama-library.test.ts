import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { HOW_TO_INSTALL } from './llama-library.js'

test('what people are told to install is what the package was tested with', () => {
  const manifest = new URL('../../../../package.json', import.meta.url)
  const { peerDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    peerDependencies: Record<string, string>
  }
  expect(HOW_TO_INSTALL).toContain(`npm install node-llama-cpp@${peerDependencies['node-llama-cpp']}`)
})
