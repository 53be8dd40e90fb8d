// The cells of one deployment of one model, found once and then only added to.

import { usdFromNano } from '../../core/money/nano.js'
import { type TokenClass, type TokenCounts, inputTotal, outputTotal } from '../../core/money/token-counts.js'
import type { AttemptRecord, StepEnded } from '../../core/task/records.js'
import { operationOf } from '../../wire/otel-genai.js'
import type { Families } from './families.js'
import type { CounterCell, HistogramCell } from './metric-families.js'

interface OperationCells {
  readonly input: HistogramCell
  readonly output: HistogramCell
  readonly duration: HistogramCell
  readonly firstChunk: HistogramCell
}

export class DeploymentCells {
  readonly model: string
  readonly #deployment: string
  readonly #provider: string
  readonly #families: Families
  readonly #ok: CounterCell
  readonly #duration: HistogramCell
  readonly #firstByte: HistogramCell
  readonly #tokens: Partial<Record<TokenClass, CounterCell>> = {}
  #chat: OperationCells | null = null

  constructor(attempt: AttemptRecord, families: Families) {
    this.model = attempt.model
    this.#deployment = attempt.deployment
    this.#provider = attempt.provider
    this.#families = families
    this.#ok = families.attempts.cell(attempt.deployment, 'ok')
    this.#duration = families.attemptDuration.cell(attempt.deployment)
    this.#firstByte = families.firstByte.cell(attempt.deployment)
  }

  /** What the ledger says of an attempt. */
  settled(attempt: AttemptRecord): void {
    if (attempt.end === 'ok') this.#ok.value += 1
    else this.#families.attempts.cell(this.#deployment, attempt.end).value += 1
    if (attempt.purpose === 'hedge') this.#families.hedges.cell(this.#deployment, attempt.end).value += 1
    if (attempt.end === 'hedge_lost')
      this.#families.hedgeCost.cell(this.#deployment).value += usdFromNano(attempt.chargedNanoUsd)
    this.#duration.observe(attempt.durationMs / 1_000)
    if (attempt.firstByteMs !== null) this.#firstByte.observe(attempt.firstByteMs / 1_000)
    this.#used(attempt.tokens)
    if (attempt.nanoUsd === null) this.#families.unpriced.cell(this.model).value += 1
    if (attempt.disputed !== undefined) this.#families.disputed.cell(this.#provider).value += 1
  }

  /** The same attempt as an operation of the OpenTelemetry convention: what it did is known with its step. */
  operated(step: StepEnded, attempt: AttemptRecord): void {
    const operation = operationOf(step) ?? 'chat'
    const isPlain = operation === 'chat' && attempt.end === 'ok'
    const cells = isPlain
      ? (this.#chat ??= this.#operation('chat', ''))
      : this.#operation(operation, errorOf(attempt))
    cells.duration.observe(attempt.durationMs / 1_000)
    if (step.streamed && attempt.firstByteMs !== null) cells.firstChunk.observe(attempt.firstByteMs / 1_000)
    if (attempt.basis === 'none') return
    cells.input.observe(inputTotal(attempt.tokens))
    cells.output.observe(outputTotal(attempt.tokens))
  }

  /** Written out, because it runs on every call. */
  #used(tokens: TokenCounts): void {
    this.#add('input', tokens.input)
    this.#add('cacheRead', tokens.cacheRead)
    this.#add('cacheWrite', tokens.cacheWrite)
    this.#add('cacheWrite1h', tokens.cacheWrite1h)
    this.#add('output', tokens.output)
    this.#add('reasoning', tokens.reasoning)
    this.#add('audioInput', tokens.audioInput)
    this.#add('audioOutput', tokens.audioOutput)
  }

  #add(name: TokenClass, used: number): void {
    if (used === 0) return
    const cell = (this.#tokens[name] ??= this.#families.tokens.cell(this.model, CLASS_LABELS[name]))
    cell.value += used
  }

  #operation(operation: string, error: string): OperationCells {
    const labels = [operation, this.#provider, this.model]
    return {
      input: this.#families.genAiTokens.cell(...labels, 'input'),
      output: this.#families.genAiTokens.cell(...labels, 'output'),
      duration: this.#families.genAiDuration.cell(...labels, error),
      firstChunk: this.#families.genAiFirstChunk.cell(...labels),
    }
  }
}

function errorOf(attempt: AttemptRecord): string {
  return attempt.end === 'ok' ? '' : attempt.end
}

const CLASS_LABELS = {
  input: 'input',
  cacheRead: 'cache_read',
  cacheWrite: 'cache_write',
  cacheWrite1h: 'cache_write_1h',
  output: 'output',
  reasoning: 'reasoning',
  audioInput: 'audio_input',
  audioOutput: 'audio_output',
} as const satisfies Record<TokenClass, string>
