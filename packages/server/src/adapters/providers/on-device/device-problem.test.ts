import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { deviceProblem } from './device-problem.js'
import { HOW_TO_INSTALL } from './llama-library.js'

const dir = mkdtempSync(join(tmpdir(), 'spillway-device-problem-'))
afterAll(() => rmSync(dir, { recursive: true }))

function file(name: string, text: string): string {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}

test('a model that is there, beside the package that runs it, is no problem', () => {
  expect(deviceProblem(file('a.gguf', 'GGUF and more'), { isInstalled: () => true })).toBeNull()
})

test.each([
  ['that is not there', join(dir, 'gone.gguf'), /^there is no file .*gone\.gguf$/],
  ['that is something else', file('text.gguf', 'no model'), /text\.gguf is not a GGUF file$/],
  ['that is empty', file('empty.gguf', ''), /empty\.gguf is not a GGUF file$/],
  ['that is a folder', dir, /cannot be read \(EISDIR\)$/],
])('a file %s is a problem of the path', (_, path, message) => {
  const found = deviceProblem(path, { isInstalled: () => true })
  expect(found).toEqual({ key: 'model_path', message: expect.stringMatching(message) as string })
})

test('a package that is not there is a problem of the kind, and says how to get it', () => {
  const found = deviceProblem(file('b.gguf', 'GGUF'), { isInstalled: () => false })
  expect(found).toEqual({ key: 'kind', message: HOW_TO_INSTALL })
})

test('a path that nobody may see is not in the message', () => {
  const found = deviceProblem(join(dir, 'secret.gguf'), { shown: 'of that name' })
  expect(found?.message).toBe('there is no file of that name')
})
