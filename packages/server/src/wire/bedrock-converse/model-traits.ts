// What differs between the models behind Converse, told by their ids. The id of an inference profile of one's
// own (an ARN without a model's name) tells nothing: then nothing is assumed.

export interface ModelTraits {
  /** Anthropic's models. */
  readonly claude: boolean
  /** `budget`: thinks for so many tokens; `effort`: decides for itself; null: does not, or is not told so. */
  readonly thinking: 'budget' | 'effort' | null
  /** Amazon's Nova models. */
  readonly nova: boolean
  /** Takes back thoughts that Claude signed. An id that tells no model may be Claude's. */
  readonly thoughts: boolean
  /** Takes `cachePoint` blocks. */
  readonly caching: boolean
  /**
   * Follows `outputConfig.textFormat` and strict tools:
   * https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
   */
  readonly schemas: boolean
}

// `anthropic.claude-3-7-sonnet-…`, `us.anthropic.claude-opus-4-6-v1`, `…/anthropic.claude-sonnet-4-2025…`.
const CLAUDE = /(?:^|[./])anthropic\.claude-([a-z0-9.-]*)/
const NOVA = /(?:^|[./])amazon\.nova-/
// An ARN of one's own profile, prompt or import has no `maker.model` in it.
const NAMED = /(?:^|[./])[a-z][a-z0-9-]*\.[a-z][a-z0-9.-]*/
const OPEN_WEIGHTS = new RegExp(
  [
    String.raw`(?:^|[./])(?:qwen\.qwen3|openai\.gpt-oss|deepseek\.v3|google\.gemma-3|minimax\.minimax-m2`,
    String.raw`|moonshot(?:ai)?\.kimi|nvidia\.nemotron|mistral\.(?:magistral|ministral-3|mistral-large-3))`,
  ].join(''),
)

export function traitsOf(model: string): ModelTraits {
  const name = CLAUDE.exec(model)?.[1]
  const version = name === undefined ? 0 : claudeVersion(name)
  const nova = NOVA.test(model)
  return {
    claude: name !== undefined,
    thinking: version >= 4.6 ? 'effort' : version >= 3.7 ? 'budget' : null,
    nova,
    thoughts: name !== undefined || !NAMED.test(model.slice(model.lastIndexOf('/') + 1)),
    caching: name !== undefined || nova,
    schemas: version >= 4.5 || OPEN_WEIGHTS.test(model),
  }
}

/** Major and minor as one number: 3.7, 4, 4.6. The date behind them has eight digits. */
function claudeVersion(name: string): number {
  const [, major = '0', minor = '0'] = /(?:^|-)(\d{1,2})(?:-(\d{1,2}))?(?:-|$|:)/.exec(name) ?? []
  return Number(major) + Number(minor) / 10
}
