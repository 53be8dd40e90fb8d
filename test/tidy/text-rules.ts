// Rules about names and plain text: they hold for code, tests, documents and scripts alike.

import type { Source } from './syntax-tree.js'

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|worker|test\.child))?\.tsx?$/

export function nameProblems(path: string): readonly string[] {
  const name = path.split('/').at(-1) ?? ''
  return KEBAB.test(name) ? [] : [`${path}: file names are kebab-case`]
}

/** Written in pieces, so that this file keeps its own rules. */
const MACHINE_PATHS = ['work', 'tmp', 'home', 'root'].map((folder) => `/${folder}/`)
const OUTSIDE = ['..', 'shared'].join('/')
const MACHINE = new RegExp(`(?<![\\w.}-])(?:${MACHINE_PATHS.join('|')})`)

export function pathProblems(path: string, text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) => [
      ...(MACHINE.test(line) ? [`${path}:${index + 1} names a place on one machine`] : []),
      ...(line.includes(OUTSIDE) ? [`${path}:${index + 1} points outside the repository`] : []),
    ])
}

const LEFTOVER = new RegExp(
  `\\b(${['TO DO', 'FIX ME', 'X XX', 'HA CK'].join('|').replaceAll(' ', '')})\\b`,
  'i',
)

/** A note for later is fine when it says which issue it belongs to: `@todo #12 ...`. */
export function leftoverProblems(source: Source): readonly string[] {
  return source.comments.flatMap(({ text, line }) => {
    return text.split('\n').flatMap((part, index) => {
      if (!LEFTOVER.test(part) || /#\d+/.test(part)) return []
      return [`${source.path}:${line + index} a note for later needs an issue id: @todo #12`]
    })
  })
}

/** The first lines of a file say what its room decides. A package's face only lists names. */
export function purposeProblems(source: Source): readonly string[] {
  const [first] = source.comments
  if (first !== undefined && first.line <= 12) return []
  return source.lines.length <= 20 || source.path.endsWith('/index.ts')
    ? []
    : [`${source.path}: opens without a word about what it is for`]
}
