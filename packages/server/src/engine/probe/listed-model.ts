// Whether a provider lists the model of a deployment, and which one may be meant when it does not. A model
// that is not listed may be right all the same, as an alias is; and a call may be answered by another model
// than was asked for, as llama.cpp does. So it is a hint, beside what the call showed.

import { nearest } from '@spillway/protocol'
import type { Deployment } from '../../core/release/release.js'
import { type ModelList, listsModel } from '../../wire/model-list.js'

export interface Listed {
  /** null: there is no list, or it does not tell. */
  readonly listed: boolean | null
  readonly hint: string | null
}

/** A server of one's own has few: then they are all named. */
const NAMED_MAX = 3

export function listedModel({ provider, model }: Deployment, list: ModelList | null): Listed {
  const listed = list === null ? null : listsModel(list, model)
  if (list === null || listed !== false) return { listed, hint: null }
  const { ids } = list
  const near = nearest(model, ids)
  const meant = near !== null ? `; did you mean \`${near}\`?` : ids.length <= NAMED_MAX ? named(ids) : ''
  const many = ids.length === 1 ? '1 model' : `${ids.length} models`
  return { listed, hint: `${provider} lists ${many}, and \`${model}\` is not among them${meant}` }
}

function named(ids: readonly string[]): string {
  return ids.length === 0 ? '' : `: ${ids.map((id) => `\`${id}\``).join(', ')}`
}
