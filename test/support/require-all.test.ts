import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { requireProgram } from './require-all.js'

const nodeFolder = dirname(process.execPath)

test('a program on the path is present, with its place', () => {
  const found = requireProgram({ commands: ['no-such-program', 'node'], environment: { PATH: nodeFolder } })
  expect(found).toEqual({ kind: 'present', path: process.execPath })
})

test('a program outside the path is found in the folders given', () => {
  expect(requireProgram({ commands: ['node'], folders: [nodeFolder], environment: {} }).kind).toBe('present')
})

test('an absent program is a reason to skip', () => {
  const absent = requireProgram({ commands: ['no-such-program'], environment: { PATH: nodeFolder } })
  expect(absent).toEqual({ kind: 'absent', reason: 'none of these programs is installed: no-such-program' })
})

test('an absent program is a failure when everything is required', () => {
  const environment = { PATH: nodeFolder, SPILLWAY_TEST_REQUIRE_ALL: '1' }
  expect(() => requireProgram({ commands: ['no-such-program'], environment })).toThrow(/no-such-program/)
})
