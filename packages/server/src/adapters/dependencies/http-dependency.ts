// Asks a dependency over HTTP with Node's own client: dependencies are not the hot path.

import type { DependencyAnswer, DependencyRequest, SendToDependency } from '../../engine/ports.js'
import type { System } from '../../engine/ports.js'

type End = Extract<DependencyAnswer, { kind: 'failed' }>['end']

class TooLarge extends Error {}

export function createDependencySender(system: Pick<System, 'after'>): SendToDependency {
  return async (request, signal) => {
    const late = new AbortController()
    const timer = system.after(request.timeoutMs, () => late.abort())
    let head: Response | null = null
    try {
      head = await ask(request, AbortSignal.any([signal, late.signal]))
      const body = await readAtMost(head, request.maxResponseBytes)
      return { kind: 'answered', status: head.status, headers: Object.fromEntries(head.headers), body }
    } catch (error) {
      const end = endOf(error, {
        isLate: late.signal.aborted,
        hasLeft: signal.aborted,
        hasHead: head !== null,
      })
      return { kind: 'failed', end, detail: DETAIL[end] }
    } finally {
      timer.cancel()
    }
  }
}

const DETAIL: Readonly<Record<End, string>> = {
  connection: 'no connection',
  timeout: 'its time was up',
  broken: 'the answer broke off',
  too_large: 'the answer is larger than `max_response_bytes`',
  caller_left: 'the caller left',
}

/** A redirect is handed on, not followed: it may lead to where nobody configured anything. */
function ask({ method, url, headers, body }: DependencyRequest, signal: AbortSignal): Promise<Response> {
  const init = { method, headers, signal, redirect: 'manual' as const }
  return fetch(url, body === null ? init : { ...init, body: Buffer.from(body) })
}

async function readAtMost(response: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array
    length += bytes.length
    if (length > bytesMax) throw new TooLarge()
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

function endOf(
  error: unknown,
  known: { readonly isLate: boolean; readonly hasLeft: boolean; readonly hasHead: boolean },
): End {
  if (error instanceof TooLarge) return 'too_large'
  if (known.hasLeft) return 'caller_left'
  if (known.isLate) return 'timeout'
  return known.hasHead ? 'broken' : 'connection'
}
