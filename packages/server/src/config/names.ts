// What a provider, model or tenant may be called: names travel in response headers, metrics and account
// keys.

import type { Problems } from './problems.js'

const NAME = /^[\x21-\x7e]{1,200}$/

/** Reports a name that could not travel; `offset` is where it stands. */
export function checkName(name: string, offset: number, problems: Problems): void {
  if (NAME.test(name)) return
  problems.add(offset, 'a name has 1 to 200 printable ASCII characters and no spaces: it travels in headers')
}
