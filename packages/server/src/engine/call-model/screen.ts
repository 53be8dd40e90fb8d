// Stage 2, screen: what may not go out at all. Guards (redaction, injection, policies) join here; today it
// bounds what a single call can multiply, since every choice and tool definition is paid for.

import { type Refusal, refused } from '../refusal.js'
import { type Step, decide } from '../step-context.js'

/** Answers per call. Each is as long as the output limit, so this multiplies the hold. */
export const CHOICES_MAX = 16
export const IMAGES_MAX = 100

export function screen(step: Step): Refusal | null {
  const { view } = step.request
  if (view.choices > CHOICES_MAX) return tooMany(step, { at: 'n', asked: view.choices, most: CHOICES_MAX })
  if (view.imageCount > IMAGES_MAX)
    return tooMany(step, { at: 'messages', asked: view.imageCount, most: IMAGES_MAX })
  return null
}

function tooMany(step: Step, over: { at: string; asked: number; most: number }): Refusal {
  const message = `Asks for ${over.asked}; at most ${over.most} are allowed.`
  decide(step, { stage: 'screen', choice: 'refused', reason: `${over.at}: ${message}` })
  return refused('request.invalid', `${over.at}: ${message}`, {
    task: step.task.id,
    problems: [{ at: over.at, message }],
  })
}
