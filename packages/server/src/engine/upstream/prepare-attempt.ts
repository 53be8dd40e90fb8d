// Everything an attempt needs, made before anything is sent: the body in the deployment's format, the hold's
// entry for the books, what a settlement will be measured by.

import type { Problem } from '../../core/parsed.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { AttemptRecord } from '../../core/task/records.js'
import { imagesWorth } from '../../wire/prompt-size.js'
import type { Reservation } from '../call-model/hold.js'
import type { HeldAttempt } from '../call-model/settle.js'
import type { Place } from '../capacity/deployment-state.js'
import { record } from '../engine.js'
import type { Step } from '../step-context.js'
import { cacheAsking } from './ask-to-cache.js'
import type { AttemptAsk } from './one-attempt.js'
import { prepareBody, tellsLogprobs } from './prepare-body.js'

export interface AttemptPlan {
  /** In order: the model of the route, then those it may fall back to. */
  readonly models: readonly ModelEntry[]
  readonly purpose: AttemptRecord['purpose']
  readonly stream: boolean
  /** The answer has to be judged before the caller sees it. */
  readonly holdBack: boolean
  readonly keep: boolean
  /** Somebody will read what the answer says: a stream is read as it passes. */
  readonly collect: boolean
  /** Ask for log probabilities where the deployment's format has them. */
  readonly logprobs: boolean
  readonly begin: (deployment: Deployment, model: ModelEntry) => void
}

export interface Granted {
  readonly plan: AttemptPlan
  readonly model: ModelEntry
  readonly place: Place
  readonly reservation: Reservation
}

export type Prepared =
  | { readonly kind: 'ready'; readonly attempt: AttemptAsk }
  /** The request cannot be said in the format of this deployment. */
  | { readonly kind: 'inexpressible'; readonly problems: readonly Problem[] }

export function prepareAttempt(step: Step, { plan, model, place, reservation }: Granted): Prepared {
  const { deployment } = place
  const { release } = step.task
  const config = release.providers.get(deployment.provider)
  const provider = step.engine.provider(release, deployment.provider)
  if (config === undefined || provider === undefined)
    throw new Error(`provider ${deployment.provider} is gone`)
  const { view } = step.request
  const wire = provider.speaks(step.call.wire, deployment.model)
  if (wire === null) {
    const problem = { at: 'model', message: `${deployment.id} is not asked in ${step.call.wire}` }
    return { kind: 'inexpressible', problems: [problem] }
  }
  const logprobs = plan.logprobs && tellsLogprobs(wire)
  const body = prepareBody(step, {
    deployment,
    provider: config,
    wire,
    outputTokens: reservation.outputTokens,
    logprobs,
    caching: cacheAsking(step, place, { provider: config, wire }),
  })
  if (body.kind === 'invalid') return { kind: 'inexpressible', problems: body.problems }
  const { stream, holdBack, keep, collect, begin } = plan
  const held = heldFor(step, { plan, model, place, reservation, simulated: provider.simulated })
  const how = { stream, holdBack, keep, collect, begin, stripLogprobs: logprobs && !view.wantsLogprobs }
  return { kind: 'ready', attempt: { held, provider, config, wire, body: body.value, ...how, watch: null } }
}

function heldFor(step: Step, to: Granted & { readonly simulated: boolean }): HeldAttempt {
  const { plan, model, place, reservation, simulated } = to
  const { view } = step.request
  return {
    reservation,
    number: step.task.attempts + 1,
    purpose: plan.purpose,
    model,
    deployment: place.deployment,
    place,
    simulated,
    startedMs: step.engine.system.nowMs(),
    size: { promptBytes: view.promptBytes, images: imagesWorth(view) },
    outputTokensMax: (reservation.outputTokens ?? view.maxOutputTokens ?? Infinity) * view.choices,
  }
}

/** Before it is sent. */
export function writeHold(step: Step, held: HeldAttempt): void {
  record(step.engine, {
    kind: 'hold-made',
    id: held.reservation.hold,
    atMs: held.startedMs,
    task: step.task.id,
    step: step.id,
    stepNumber: step.number,
    accounts: held.reservation.accounts,
    amounts: held.reservation.amounts,
    attempt: { id: held.reservation.id, number: held.number, purpose: held.purpose },
    model: held.model.name,
    deployment: held.deployment.id,
    provider: held.deployment.provider,
    tier: held.model.tier,
    priceBook: held.deployment.price?.book ?? null,
    simulated: held.simulated,
  })
}
