// Settings of the server itself: how large a body may be, and which pages of other origins may call it from
// a browser.

import type { ServerSettings } from '../core/release/release.js'
import type { Problems } from './problems.js'
import { list, located, optional, quoted, type Reader, record, text, whole } from './readers.js'
import type { Tree } from './tree.js'

const MAX_BODY_BYTES_DEFAULT = 8 * 1024 * 1024
const BODY_BYTES_MAX = 1024 * 1024 * 1024

const NOT_EVERYONE =
  '`*` is not accepted: any page that somebody opens could then call Spillway from their browser, and ' +
  'where no tenant is configured not even a key is asked for; list the origins, as in `[https://app.example]`'

const written = located(text)

/** As a browser writes it into the `Origin` header, because that is what it is compared with. */
const origin: Reader<string> = {
  fallback: '',
  read(tree, problems) {
    const found = written.read(tree, problems)
    if (tree.kind !== 'scalar' || typeof tree.value !== 'string') return ''
    const normal = normalOrigin(found.value)
    if (normal === found.value) return normal
    problems.add(found.offset, originProblem(found, normal))
    return ''
  },
}

function originProblem(
  found: { readonly value: string; readonly offset: number; readonly hidden: boolean },
  normal: string | null,
): string {
  if (found.value === '*') return NOT_EVERYONE
  const wanted = `must be an origin such as \`https://app.example:8443\`, not ${quoted(found)}`
  return normal === null || found.hidden ? wanted : `${wanted}; did you mean \`${normal.slice(0, 80)}\`?`
}

/**
 * Scheme, host and port where it is not the scheme's own. Application schemes (`capacitor://localhost`) have
 * origins too; `null`, the origin of files and sandboxed frames, is nobody's in particular and so none.
 */
function normalOrigin(value: string): string | null {
  const url = URL.canParse(value) ? new URL(value) : null
  return url === null || url.host === '' ? null : `${url.protocol}//${url.host}`
}

const server = record({
  /** Largest request body, bytes. */
  max_body_bytes: optional(whole('bytes', 1, BODY_BYTES_MAX), MAX_BODY_BYTES_DEFAULT),
  allowed_origins: optional(list(origin), []),
})

export function readServer(tree: Tree, problems: Problems): ServerSettings {
  const values = server.read(tree, problems)
  return { maxBodyBytes: values.max_body_bytes, allowedOrigins: values.allowed_origins }
}
