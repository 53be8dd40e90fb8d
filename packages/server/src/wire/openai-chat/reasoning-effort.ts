// `reasoning_effort` <-> our ask. This format knows no budget; one becomes the effort that covers it.

import type { ModelRequest, ReasoningAsk } from '../../core/model/message.js'
import { type Effort, effortFor } from '../../core/model/reasoning-effort.js'
import type { Problem } from '../../core/parsed.js'

const EFFORTS: Readonly<Record<string, Effort>> = {
  none: 'none',
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  // Ours ends one step earlier; `unsaid` tells of it.
  max: 'xhigh',
}

export function decodeEffort(value: unknown, problems: Problem[]): ReasoningAsk | null {
  if (value === undefined || value === null) return null
  const effort = typeof value === 'string' && Object.hasOwn(EFFORTS, value) ? EFFORTS[value] : undefined
  if (effort !== undefined) return { effort, budgetTokens: null, visible: false }
  problems.push({ at: 'reasoning_effort', message: `must be one of ${Object.keys(EFFORTS).join(', ')}` })
  return null
}

/** Models that refuse the field. The list is closed: newer models of these makers reason. */
const NO_REASONING = /(?:^|[/:])(?:gpt-[34]|chatgpt-4|gpt-5[\d.]*-chat)/

export function takesEffort({ model }: Pick<ModelRequest, 'model'>): boolean {
  return !NO_REASONING.test(model)
}

/** null leaves it to the model. */
export function encodeEffort(request: ModelRequest): Effort | null {
  const { reasoning } = request
  if (reasoning === null || !takesEffort(request)) return null
  const { effort, budgetTokens } = reasoning
  return effort ?? (budgetTokens === null ? null : effortFor(budgetTokens))
}
