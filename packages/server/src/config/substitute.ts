// `${NAME}` and `${NAME:-default}`: values from the environment, so that secrets stay out of the file.

import type { Environment } from './environment.js'

const REFERENCE = /\$\{([^{}]*)\}/g
const INSIDE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/

export interface Substitution {
  readonly value: string
  readonly substituted: boolean
  /** `index` counts from the start of the string. */
  readonly problems: readonly { readonly index: number; readonly message: string }[]
}

/** A default stands in for a variable that is not set or is empty, as in a shell. */
export function substitute(text: string, environment: Environment): Substitution {
  const problems: { index: number; message: string }[] = []
  let substituted = false
  const value = text.replace(REFERENCE, (whole: string, inside: string, index: number) => {
    const [, name, fallback] = INSIDE.exec(inside) ?? []
    if (name === undefined) {
      problems.push({
        index,
        message: 'write `${NAME}` or `${NAME:-default}`; a name has letters, digits and _',
      })
      return whole
    }
    substituted = true
    const found = environment[name]
    if (fallback !== undefined) return found === undefined || found === '' ? fallback : found
    if (found !== undefined) return found
    const way = `set it, or write \`\${${name}:-default}\``
    problems.push({ index, message: `the environment variable \`${name}\` is not set; ${way}` })
    return ''
  })
  return { value, substituted, problems }
}
