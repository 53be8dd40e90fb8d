// What an error means that comes in a stream, or in a body with status 200: its words have to say what a
// status would have said. Every provider has its own spelling of the same few words.

import type { ProviderError } from './format.js'

/** As attempts end by it. `rejected`: the request itself was refused. null: the words say nothing more. */
export type InBandEnd = 'throttled' | 'credentials' | 'unknown_model' | 'rejected' | 'context_length'

export function inBandEnd({ type, code }: ProviderError): InBandEnd | null {
  for (const word of [code, type]) {
    const found = word === null ? undefined : (ENDS.get(plain(word)) ?? endOfStatus(word))
    if (found !== undefined) return found
  }
  return null
}

/** `ThrottlingException`, `throttlingException` and `throttling_error` are one word. */
function plain(word: string): string {
  return word
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .replace(/(?:exception|error)$/, '')
}

const ENDS: ReadonlyMap<string, InBandEnd> = new Map(
  Object.entries({
    throttling: 'throttled',
    toomanyrequests: 'throttled',
    ratelimit: 'throttled',
    ratelimitexceeded: 'throttled',
    overloaded: 'throttled',
    resourceexhausted: 'throttled',
    unavailable: 'throttled',
    serviceunavailable: 'throttled',
    servicequotaexceeded: 'throttled',
    modelnotready: 'throttled',
    authentication: 'credentials',
    permission: 'credentials',
    unauthenticated: 'credentials',
    permissiondenied: 'credentials',
    accessdenied: 'credentials',
    unrecognizedclient: 'credentials',
    expiredtoken: 'credentials',
    invalidapikey: 'credentials',
    notfound: 'unknown_model',
    resourcenotfound: 'unknown_model',
    modelnotfound: 'unknown_model',
    deploymentnotfound: 'unknown_model',
    contextlengthexceeded: 'context_length',
    validation: 'rejected',
    invalidrequest: 'rejected',
    invalidargument: 'rejected',
    invalidprompt: 'rejected',
    badrequest: 'rejected',
    contentfilter: 'rejected',
    contentpolicyviolation: 'rejected',
    requesttoolarge: 'rejected',
  } as const),
)

function endOfStatus(word: string): InBandEnd | undefined {
  if (/^(?:429|503|529)$/.test(word)) return 'throttled'
  if (/^40[13]$/.test(word)) return 'credentials'
  if (word === '404') return 'unknown_model'
  return /^(?:400|413|422)$/.test(word) ? 'rejected' : undefined
}
