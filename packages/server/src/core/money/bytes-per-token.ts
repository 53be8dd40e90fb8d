// How many tokens a prompt will be, from its bytes: learned per model from settled usage, because
// tokenizers differ and counting properly costs more than the rest of the gateway. Estimates are meant to
// be a little too high.

/** What is known about one model; three numbers, however much was seen. */
export interface BytesPerToken {
  /** Decayed mean of bytes per token. */
  readonly mean: number
  /** Decayed mean distance from it. */
  readonly deviation: number
  readonly samples: number
}

export const NOTHING_LEARNED: BytesPerToken = { mean: 0, deviation: 0, samples: 0 }

/** Tokens a chat template adds around each message, and an image is worth, where nobody has said better. */
const TOKENS_PER_MESSAGE = 4
const TOKENS_PER_IMAGE = 2_000

/**
 * Two bytes per token is fewer than text or code of any language measured so far: an estimate on the safe
 * side.
 */
const UNLEARNED_BYTES_PER_TOKEN = 2
const BYTES_PER_TOKEN_MIN = 1
const BYTES_PER_TOKEN_MAX = 8

/** Shorter prompts say more about the template than about the text. */
const LEARN_BYTES_MIN = 64
const SAMPLE_WEIGHT = 0.05

/**
 * `tokens`: all input tokens the provider reported for a text prompt of `bytes`. Prompts with images teach
 * nothing.
 */
export function learn(
  state: BytesPerToken,
  { bytes, tokens }: { bytes: number; tokens: number },
): BytesPerToken {
  if (!(bytes >= LEARN_BYTES_MIN) || !(tokens > 0)) return state
  const ratio = clamp(bytes / tokens)
  const samples = Math.min(state.samples + 1, 1_000_000)
  // A first sample may be off by a quarter on either side; then as round-trip times are smoothed.
  if (state.samples === 0) return { mean: ratio, deviation: ratio / 4, samples }
  const distance = Math.abs(ratio - state.mean)
  const weight = Math.max(SAMPLE_WEIGHT, 1 / samples)
  return {
    mean: state.mean + weight * (ratio - state.mean),
    deviation: state.deviation + SAMPLE_WEIGHT * (distance - state.deviation),
    samples,
  }
}

export interface PromptSize {
  /** UTF-8 bytes of everything the model reads, image data left out. */
  readonly bytes: number
  readonly images: number
  readonly messages: number
}

/** Rounded up. Two deviations below the mean: few prompts have fewer bytes per token than that. */
export function estimateInputTokens(state: BytesPerToken, { bytes, images, messages }: PromptSize): number {
  const learned = clamp(state.mean - 2 * state.deviation)
  const bytesPerToken = state.samples === 0 ? UNLEARNED_BYTES_PER_TOKEN : learned
  return Math.ceil(bytes / bytesPerToken) + messages * TOKENS_PER_MESSAGE + images * TOKENS_PER_IMAGE
}

function clamp(ratio: number): number {
  return Math.min(BYTES_PER_TOKEN_MAX, Math.max(BYTES_PER_TOKEN_MIN, ratio))
}
