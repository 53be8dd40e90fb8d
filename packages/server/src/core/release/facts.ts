// Every fact a rule can read, when it is known and of what type. Rules are checked against this list when a
// release is loaded; whatever is not listed here is an attribute, which the caller or the tenant supplies.

/** CEL type names. All numbers are doubles, because they are JavaScript numbers. */
export type FactType =
  | 'string'
  | 'bool'
  | 'double'
  | 'dyn'
  | 'list'
  | 'map'
  | 'list<string>'
  | 'map<string, double>'

/**
 * `before`: known before the call, so a rule on it routes directly. `after`: a signal, known when an answer
 * is there, so a rule on it escalates. `judged`: known when the task is judged, so only `success` and
 * `harm` read it.
 */
export type FactTime = 'before' | 'after' | 'judged'

export interface Fact {
  readonly name: string
  readonly type: FactType
  readonly known: FactTime
  /** What is inside, where that is a closed list: anything else is a spelling mistake. */
  readonly members?: readonly string[]
  readonly meaning: string
}

export const FACTS: readonly Fact[] = [
  { name: 'task', type: 'string', known: 'before', meaning: 'Name of the contract.' },
  { name: 'tenant', type: 'string', known: 'before', meaning: 'Name of the tenant.' },
  { name: 'model', type: 'string', known: 'before', meaning: 'What the caller wrote as `model`.' },
  { name: 'priority', type: 'string', known: 'before', meaning: '`interactive`, `background` or `batch`.' },
  {
    name: 'session',
    type: 'string',
    known: 'before',
    meaning: 'The conversation, when the caller named one.',
  },
  { name: 'stream', type: 'bool', known: 'before', meaning: 'The caller asked for a stream.' },
  { name: 'input_tokens', type: 'double', known: 'before', meaning: 'Estimated tokens of the request.' },
  { name: 'has_tools', type: 'bool', known: 'before', meaning: 'The request offers tools.' },
  { name: 'has_images', type: 'bool', known: 'before', meaning: 'The request carries images.' },
  {
    name: 'remaining',
    type: 'map<string, double>',
    known: 'before',
    members: ['cost_usd', 'model_calls', 'input_tokens', 'output_tokens', 'ms'],
    meaning: "What is left of the task's budget; a member is missing where it sets no limit.",
  },
  { name: 'confidence', type: 'double', known: 'after', meaning: 'Confidence in the answer, 0..1.' },
  {
    name: 'output',
    type: 'map',
    known: 'judged',
    members: ['text', 'json', 'finish_reason', 'tool_calls'],
    meaning: 'The answer; `json` when it is JSON.',
  },
  { name: 'checks', type: 'map', known: 'judged', meaning: 'Results of the checks, by name.' },
  { name: 'evidence', type: 'list', known: 'judged', meaning: 'What the application gave as evidence.' },
  {
    name: 'verdict',
    type: 'map',
    known: 'judged',
    members: ['status', 'score', 'reason'],
    meaning: "The application's own verdict, when it gave one.",
  },
  { name: 'cost_usd', type: 'double', known: 'judged', meaning: 'What the task cost, USD.' },
  { name: 'latency_ms', type: 'double', known: 'judged', meaning: 'From opening to the last answer, ms.' },
  {
    name: 'degraded',
    type: 'list<string>',
    known: 'judged',
    meaning: 'Rungs of the ladder that were taken.',
  },
  { name: 'escalated', type: 'bool', known: 'judged', meaning: 'An answer was escalated.' },
  { name: 'model_calls', type: 'double', known: 'judged', meaning: 'Upstream attempts made.' },
]
