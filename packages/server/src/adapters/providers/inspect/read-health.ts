// Asks a self-hosted server whether it can serve. vLLM, SGLang, llama.cpp and TensorRT-LLM say so at
// `/health`, Ollama has only its version. `/health/readiness` comes first: where a proxy such as LiteLLM
// stands at the address, its `/health` would call every model behind it, and cost money.

import type { Ask, Told } from './ask.js'
import { type Fact, untold, usableBody } from './fact.js'

const PATHS = ['/health/readiness', '/health', '/api/version']

export async function readHealth(root: string, ask: Ask, untilMs: number): Promise<Fact<'ok' | 'not-ready'>> {
  let reason = ''
  for (const path of PATHS) {
    const told = await ask(root + path, untilMs)
    if (told.kind === 'failed') return untold(told.reason)
    if (isUp(told)) return { value: 'ok', reason: null }
    if (isDown(told)) return { value: 'not-ready', reason: null }
    if (path === '/health') reason = usableBody(told).reason ?? reason
  }
  return untold(reason)
}

type Answered = Extract<Told, { readonly kind: 'answered' }>

// A web page is from somebody who answers everything.
function isUp({ status, isHtml }: Answered): boolean {
  return status >= 200 && status < 300 && !isHtml
}

/** 501 is a path that the server was not built with. */
function isDown({ status }: Answered): boolean {
  return status >= 500 && status !== 501
}
