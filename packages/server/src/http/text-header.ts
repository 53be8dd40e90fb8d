// One header of a request, as text.

import type { IncomingHttpHeaders } from 'node:http'

/** null when it is absent or empty. `name` in lower case. */
export function textHeader(request: { readonly headers: IncomingHttpHeaders }, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : null
}
