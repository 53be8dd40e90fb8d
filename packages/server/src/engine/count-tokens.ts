// How many input tokens a request has. A provider that counts is asked, since that is exact and free;
// otherwise it is what a hold would be sized by: learned from settled usage, on the safe side.

import { jsonBytes } from './json-bytes.js'
import { estimateInputTokens, NOTHING_LEARNED } from '../core/money/bytes-per-token.js'
import type { Deployment } from '../core/release/release.js'
import { resolveRequestedModel } from '../core/routing/resolve-requested-model.js'
import type { RequestView } from '../wire/format.js'
import { VERTEX_ANTHROPIC_VERSION } from '../wire/anthropic-messages/vertex-body.js'
import { readTokenCount } from '../wire/anthropic-messages/token-count.js'
import type { Engine } from './engine.js'
import { collectWhole } from './upstream/collect-whole.js'
import { imagesWorth } from '../wire/prompt-size.js'

/** Longest wait for a provider to count, ms. Past it the estimate is the better answer. */
const COUNT_MS_MAX = 5_000

export interface CountAsk {
  /** A messages request, without what only an answer needs. */
  readonly body: Record<string, unknown>
  readonly view: RequestView
  /** `anthropic-version`, `anthropic-beta`. */
  readonly headers: Readonly<Record<string, string>>
}

export async function countTokens(
  engine: Engine,
  ask: CountAsk,
): Promise<{ readonly tokens: number; readonly isEstimate: boolean }> {
  const deployment = deploymentFor(engine, ask.view.model)
  const exact = deployment === null ? null : await askProvider(engine, deployment, ask)
  if (exact !== null) return { tokens: exact, isEstimate: false }
  const learned = engine.bytesPerToken.get(deployment?.model ?? ask.view.model) ?? NOTHING_LEARNED
  const size = { bytes: ask.view.promptBytes, images: imagesWorth(ask.view), messages: 1 }
  return { tokens: estimateInputTokens(learned, size), isEstimate: true }
}

function deploymentFor(engine: Engine, requested: string): Deployment | null {
  const { contracts, models } = engine.release()
  const asked = resolveRequestedModel({ requested, task: null, contracts, models })
  if (asked.kind !== 'resolved') return null
  return models.get(asked.pinned ?? asked.contract.route.default)?.deployments[0] ?? null
}

/** null: this provider does not count, or did not. */
async function askProvider(engine: Engine, deployment: Deployment, ask: CountAsk): Promise<number | null> {
  const release = engine.release()
  const provider = engine.provider(release, deployment.provider)
  if (provider === undefined || provider.simulated) return null
  if (provider.speaks('anthropic-messages', deployment.model) !== 'anthropic-messages') return null
  // The only call there whose body names the model.
  const isVertex = release.providers.get(deployment.provider)?.kind === 'vertex'
  const place = isVertex ? { anthropic_version: VERTEX_ANTHROPIC_VERSION } : {}
  const request = {
    wire: 'anthropic-messages' as const,
    countTokens: true,
    model: deployment.model,
    body: jsonBytes({ ...ask.body, ...place, model: deployment.model }),
    stream: false,
    headers: isVertex ? {} : ask.headers,
    headTimeoutMs: COUNT_MS_MAX,
    idleTimeoutMs: COUNT_MS_MAX,
  }
  const answer = await collectWhole({ provider, request, system: engine.system, leftMs: COUNT_MS_MAX })
  if (answer.kind === 'failed' || answer.status !== 200) return null
  return readTokenCount(Buffer.from(answer.body).toString('utf8'))
}
