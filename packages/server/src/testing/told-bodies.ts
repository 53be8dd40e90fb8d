// What providers tell about themselves, for tests: the bytes are in `wire/fixtures/`.

import { readFileSync } from 'node:fs'

/** Answers of `/metrics`. */
export function loadBody(name: string): string {
  return readFileSync(new URL(`../wire/fixtures/server-load/${name}`, import.meta.url), 'utf8')
}

/** Answers of a list of models. */
export function modelListBody(name: string): string {
  return readFileSync(new URL(`../wire/fixtures/model-list/${name}`, import.meta.url), 'utf8')
}
