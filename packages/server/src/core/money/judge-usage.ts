// What an attempt really used. The provider's figures count when they can be true; where they are missing
// or cannot, we charge what we saw pass, inside what is possible, and keep the claim.

import type { AttemptRecord, ChargeBasis } from '../task/records.js'
import { NO_TOKENS, type ReportedUsage, type TokenCounts, inputTotal, outputTotal } from './token-counts.js'

/** What we know ourselves about an attempt that reached the model. */
export interface UsageEvidence {
  /** UTF-8 bytes of everything the model read, image data left out. */
  readonly requestBytes: number
  readonly images: number
  /** What the hold was sized by. */
  readonly estimatedInput: number
  /** Most output allowed, over all choices. */
  readonly maxOutputTokens: number
  /** Stream frames that carried content, tool calls or reasoning; 0 for a whole answer. */
  readonly deltas: number
  /** UTF-8 bytes of the visible answer, tool arguments included; 0 where it was not collected. */
  readonly textBytes: number
  readonly streamed: boolean
  /** The answer came to its proper end. false: cut by us, left by the caller, or broken. */
  readonly finished: boolean
}

export interface JudgedUsage {
  readonly tokens: TokenCounts
  readonly basis: Extract<ChargeBasis, 'reported' | 'estimated'>
  /** The provider's claim, when it cannot be true. */
  readonly disputed?: NonNullable<AttemptRecord['disputed']>
}

/** No vocabulary in use has a longer token, so fewer tokens than this cannot carry the text. */
const BYTES_PER_TOKEN_MOST = 128
/** Some smooth their streams by splitting tokens, but not into more frames than this. */
const FRAMES_PER_TOKEN_MOST = 8
/** Chat template, and the system prompt some providers add for tools. */
const TEMPLATE_TOKENS_MAX = 1_024
/** A large picture at high detail: some models bill tens of thousands for it. */
const TOKENS_PER_IMAGE_MAX = 50_000
/** Sixteen answers of a million tokens each: where nothing else bounds a claim, it must stay an amount. */
const OUTPUT_TOKENS_MOST = 16_000_000
/** Providers that add up rounded parts are off by this much. */
const TOTAL_TOLERANCE = 2
/** English prose; a whole answer gives no better clue. */
const BYTES_PER_OUTPUT_TOKEN = 4
/** Frames larger than this on average carry several tokens each. */
const BYTES_PER_DELTA_MAX = 12

export function judgeUsage(reported: ReportedUsage | null, evidence: UsageEvidence): JudgedUsage {
  if (reported === null) return { tokens: estimateTokens(evidence), basis: 'estimated' }
  const believed = believedSides(reported, evidence)
  if (believed.input && believed.output) return believedUsage(reported.tokens, evidence)
  const estimate = estimateTokens(evidence)
  const tokens = {
    ...(believed.input ? inputSide(reported.tokens) : inputSide(estimate)),
    ...(believed.output ? outputSide(reported.tokens) : outputSide(estimate)),
  }
  return { tokens, basis: 'estimated', disputed: claimOf(reported) }
}

/**
 * Nothing contradicts the report; but what a stream said before it was cut short is only a part of the
 * output.
 */
function believedUsage(tokens: TokenCounts, evidence: UsageEvidence): JudgedUsage {
  if (evidence.finished) return { tokens, basis: 'reported' }
  const missing = Math.max(0, seenOutput(evidence) - outputTotal(tokens))
  return { tokens: { ...tokens, output: tokens.output + missing }, basis: 'estimated' }
}

/** A sum that does not add up discredits both sides; otherwise each stands for itself. */
function believedSides(
  reported: ReportedUsage,
  evidence: UsageEvidence,
): { input: boolean; output: boolean } {
  const { tokens, providerTotals } = reported
  const input = inputTotal(tokens)
  const output = outputTotal(tokens)
  const counts = areCounts(tokens)
  const adds =
    providerTotals.total === null || Math.abs(providerTotals.total - input - output) <= TOTAL_TOLERANCE
  if (!counts || !adds) return { input: false, output: false }
  const { textBytes, deltas, finished, maxOutputTokens } = evidence
  // Before its end a stream has not said its output yet, so "too little" is no lie there.
  const least = finished ? Math.max(fewestTokens(textBytes), Math.ceil(deltas / FRAMES_PER_TOKEN_MOST)) : 0
  return {
    input: input >= fewestTokens(evidence.requestBytes) && input <= mostInput(evidence),
    output: output >= least && output <= Math.min(maxOutputTokens, OUTPUT_TOKENS_MOST),
  }
}

/** Written out, because it runs on every call. */
function areCounts(tokens: TokenCounts): boolean {
  return (
    isCount(tokens.input) &&
    isCount(tokens.cacheRead) &&
    isCount(tokens.cacheWrite) &&
    isCount(tokens.cacheWrite1h) &&
    isCount(tokens.output) &&
    isCount(tokens.reasoning) &&
    isCount(tokens.audioInput) &&
    isCount(tokens.audioOutput)
  )
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function estimateTokens(evidence: UsageEvidence): TokenCounts {
  const input = Math.max(evidence.estimatedInput, fewestTokens(evidence.requestBytes))
  return { ...NO_TOKENS, input: Math.min(input, mostInput(evidence)), output: seenOutput(evidence) }
}

/**
 * Output as it passed by, at most what was allowed. Providers stream about a token per frame, so frames are
 * the best count there is, unless they are too large for that; then, and for whole answers, the bytes of
 * the text.
 */
function seenOutput({ streamed, deltas, textBytes, maxOutputTokens }: UsageEvidence): number {
  const byBytes = Math.ceil(textBytes / BYTES_PER_OUTPUT_TOKEN)
  const batched = !streamed || textBytes > deltas * BYTES_PER_DELTA_MAX
  return Math.min(maxOutputTokens, batched ? Math.max(byBytes, deltas) : deltas)
}

function fewestTokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN_MOST)
}

/** A token is at least one byte. */
function mostInput({ requestBytes, images }: UsageEvidence): number {
  return requestBytes + images * TOKENS_PER_IMAGE_MAX + TEMPLATE_TOKENS_MAX
}

function inputSide({ input, cacheRead, cacheWrite, cacheWrite1h, audioInput }: TokenCounts) {
  return { input, cacheRead, cacheWrite, cacheWrite1h, audioInput }
}

function outputSide({ output, reasoning, audioOutput }: TokenCounts) {
  return { output, reasoning, audioOutput }
}

function claimOf({ tokens, providerTotals }: ReportedUsage): NonNullable<JudgedUsage['disputed']> {
  return {
    input: providerTotals.input ?? inputTotal(tokens),
    output: providerTotals.output ?? outputTotal(tokens),
    total: providerTotals.total,
  }
}
