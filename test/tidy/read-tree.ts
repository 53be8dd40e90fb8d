// The files the house rules look at.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Source, parseSource } from './syntax-tree.js'

/** Root of the repository. This file runs from `test/tidy/`, never from `dist/`. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const SKIPPED = new Set(['node_modules', 'dist', 'results', 'coverage', '.git', '.spillway'])

/** Repository paths of the files under a folder, sorted; none when the folder does not exist. */
export function filesUnder(folder: string): readonly string[] {
  const absolute = join(ROOT, folder)
  if (!existsSync(absolute)) return []
  const found = readdirSync(absolute, { withFileTypes: true }).flatMap((entry) => {
    const path = relative(ROOT, join(absolute, entry.name)).split(sep).join('/')
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesUnder(path)
    return [path]
  })
  return found.sort()
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** Tests, the processes they start, and the contract suites of ports that tests call. */
export function isTest(path: string): boolean {
  return /\.test(\.child)?\.tsx?$|\/testing\/[a-z-]+-contract\.ts$/.test(path)
}

/** Every TypeScript source of every package, tests included. */
export function readPackageSources(): readonly Source[] {
  return filesUnder('packages')
    .filter((path) => /^packages\/[^/]+\/src\/.*\.tsx?$/.test(path))
    .map((path) => parseSource(path, readText(path)))
}
