// When an answer of the device is good enough, and when the server is asked instead.

import type { OnDeviceRoute } from '@spillway/protocol'
import { type OnDeviceRunner, checkRunnerName } from './runner.js'

/** An answer of the device, as the rule sees it and the report describes it. */
export interface DeviceAnswer {
  readonly text: string
  /** 0..1; null: the runner does not say. */
  readonly confidence: number | null
  readonly finishReason: string
  /** null: the runner does not count. */
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null
}

/**
 * At least one of `minConfidence` and `escalate` has to be given, by the call, the client or the contract.
 * With both, both have to be content. An empty answer is always escalated, and so is one that had to be JSON
 * and is not.
 */
export interface OnDeviceRule {
  /** 0..1. Escalates answers that are less sure, and those whose confidence is not known. */
  readonly minConfidence?: number
  /** True escalates. One that throws or does not come to an end escalates too. */
  readonly escalate?: (answer: DeviceAnswer) => boolean | Promise<boolean>
  /**
   * For everything on the device, ms; of a `live` stream for what comes before its first text. Default 5000,
   * and never more than half of the task's time left.
   */
  readonly timeoutMs?: number
  /**
   * `held` (the default) keeps a streamed answer back until the rule has judged it. `live` shows it as it
   * comes and asks no rule: only a device that fails before its first text is replaced by the server.
   */
  readonly streams?: 'held' | 'live'
}

export interface OnDeviceOptions extends OnDeviceRule {
  readonly runner: OnDeviceRunner
}

/** Of one call: true takes the client's rule, an object changes it for this call. */
export type OnDeviceCall = boolean | Partial<OnDeviceOptions>

/** Whoever has a say in how a call goes to the device; the later ones change what the earlier ones say. */
export interface OnDeviceSources {
  readonly contract: OnDeviceRoute | undefined
  readonly client: OnDeviceOptions | undefined
  readonly call: OnDeviceCall | undefined
  /** Names a model of its own, and so leaves the contract's route. */
  readonly namesModel: boolean
}

/** null: not on the device. Throws `TypeError` where a runner or a rule is missing or out of range. */
export function onDeviceOf(sources: OnDeviceSources): OnDeviceOptions | null {
  const { contract, client, call, namesModel } = sources
  const isOnRoute = contract !== undefined && client !== undefined && !namesModel
  if (!(call ?? isOnRoute)) return null
  const { min_confidence: minConfidence, timeout_ms: timeoutMs } = contract ?? {}
  const options = checkOnDevice({
    ...(minConfidence !== undefined && { minConfidence }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...client,
    ...(typeof call === 'object' ? call : {}),
  })
  if (options.minConfidence === undefined && options.escalate === undefined)
    throw new TypeError('onDevice needs a rule: minConfidence, or escalate (answer => true or false)')
  return options
}

/** A client's options may do without a rule, where all contracts have one. */
export function checkOnDevice(options: Partial<OnDeviceOptions>): OnDeviceOptions {
  const { runner, minConfidence, timeoutMs } = options
  if (runner === undefined)
    throw new TypeError('onDevice needs a runner: createClient({ onDevice: { runner, ... } })')
  checkRunnerName(runner.name)
  if (minConfidence !== undefined && !(minConfidence >= 0 && minConfidence <= 1))
    throw new TypeError('onDevice.minConfidence must be 0 to 1')
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw new TypeError('onDevice.timeoutMs must be above 0')
  return { ...options, runner }
}

export async function mustEscalate(rule: OnDeviceRule, answer: DeviceAnswer): Promise<boolean> {
  const { minConfidence, escalate } = rule
  if (answer.text === '') return true
  if (minConfidence !== undefined && (answer.confidence === null || answer.confidence < minConfidence))
    return true
  return escalate !== undefined && (await escalate(answer))
}
