// The models a provider lists, page by page: OpenAI's and Anthropic's list of ids, the bare list of some
// imitators, Gemini's resource names. One reader for all, since what they hold is told by their fields.

import { isObject } from '../core/json.js'
import { type Parsed, invalid, parsed } from '../core/parsed.js'
import { parseJson } from './fields.js'

export const MODELS_MAX = 1_000
const ID_CHARS_MAX = 256

export interface ModelPage {
  readonly ids: readonly string[]
  /** Asks for the page after this one; null: it is the last. */
  readonly next: string | null
}

export interface ModelList {
  /** At most 1000, each once, in the provider's order. */
  readonly ids: readonly string[]
  /** Nothing was left out. */
  readonly isComplete: boolean
  /** Calls name their model by these ids. Not on Azure, where calls name deployments. */
  readonly namesCalls: boolean
}

export function parseModelPage(text: string): Parsed<ModelPage> {
  const body = parseJson(text)
  if (Array.isArray(body)) return parsed({ ids: idsOf(body, 'id'), next: null })
  if (!isObject(body)) return invalid('models', 'what came is no list of models')
  const { data, models, has_more: hasMore, last_id: lastId, nextPageToken } = body
  if (Array.isArray(data)) {
    return parsed({ ids: idsOf(data, 'id'), next: hasMore === true ? textOrNull(lastId) : null })
  }
  // Ollama without models.
  if (data === null && body['object'] === 'list') return parsed({ ids: [], next: null })
  if (!Array.isArray(models)) return invalid('models', 'what came is no list of models')
  return parsed({ ids: idsOf(models, 'name').map(bare), next: textOrNull(nextPageToken) })
}

/** null: the list does not tell. */
export function listsModel({ ids, isComplete, namesCalls }: ModelList, model: string): boolean | null {
  if (!namesCalls || model.startsWith('tunedModels/')) return null
  const wanted = bare(model)
  // Ollama lists the tag that it adds to a name without one.
  const found = ids.some((id) => bare(id) === wanted || id === `${wanted}:latest`)
  return found ? true : isComplete ? false : null
}

/** Gemini's names stand in a folder, and calls may leave it out. */
function bare(id: string): string {
  return id.replace(/^models\//, '')
}

// Ids are shown to people: one with control characters is none. Anthropic lists its retired models too, which
// cannot be called any more.
function idsOf(entries: readonly unknown[], field: 'id' | 'name'): readonly string[] {
  return entries.flatMap((entry) => {
    const id = isObject(entry) && entry['lifecycle'] !== 'retired' ? entry[field] : null
    if (typeof id !== 'string' || id === '' || id.length > ID_CHARS_MAX) return []
    return /\p{C}/u.test(id) ? [] : [id]
  })
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
