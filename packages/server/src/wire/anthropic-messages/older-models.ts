// What Claude models of before cannot be asked for. The list is closed: no model joins the past, and a name
// that is not in it is taken for a newer one. Names of Bedrock and Vertex wrap the same words.

/** Think within a budget only: `adaptive` and `output_config.effort` came with Claude 4.6. */
const BUDGET_ONLY =
  /claude-(?:instant|[23]\b|(?:opus|sonnet|haiku)-4(?:-[015])?(?:[-@](?:20\d{6}|latest|default|v\d).*)?$)/

/** `output_config.format` and strict tools came with Claude Opus 4.1 and Sonnet 4.5. */
const NO_SCHEMAS =
  /claude-(?:instant|[23]\b|(?:opus|sonnet)-4(?:-0)?(?:[-@](?:20\d{6}|latest|default|v\d).*)?$)/

export function knowsOnlyBudgets(model: string): boolean {
  return BUDGET_ONLY.test(model)
}

/** Vertex, whose names have an `@`, does not say that it takes them: there a forced call is the surer way. */
export function followsSchemas(model: string): boolean {
  return !model.includes('@') && !NO_SCHEMAS.test(model)
}
