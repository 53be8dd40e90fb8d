// Providers in a cloud: where they are, and which of several credentials opens them. Credentials exclude
// each other, so that nobody has to guess which one a call went out with.

import type { AwsAccess, AzureAccess, GoogleAccess } from '../core/release/cloud-providers.js'
import type { ProviderConfig } from '../core/release/release.js'
import type { Problems } from './problems.js'
import { address, COMMON, common } from './provider-fields.js'
import { filled, optional, type Reader, record, required, secret, text, type Values } from './readers.js'
import { isNull, type MapTree } from './tree.js'

export const CLOUD_KINDS = ['azure', 'bedrock', 'vertex'] as const
type CloudKind = (typeof CLOUD_KINDS)[number]

const API_VERSION = /^(?:\d{4}-\d\d-\d\d(?:-preview)?|preview|v1)$/

const apiVersion: Reader<string> = {
  fallback: 'v1',
  read(tree, problems) {
    const value = text.read(tree, problems)
    if (API_VERSION.test(value)) return value
    problems.add(tree.offset, 'must be a version such as `2024-10-21`, `2025-01-01-preview` or `v1`')
    return apiVersion.fallback
  },
}

/** A part of a host name, a path or a file system, never more than that. */
function word(pattern: RegExp, example: string): Reader<string> {
  return {
    fallback: '',
    read(tree, problems) {
      const value = filled.read(tree, problems)
      if (value !== '' && !pattern.test(value)) problems.add(tree.offset, `must be as in \`${example}\``)
      return value
    },
  }
}

const region = (example: string) => word(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, example)
const project = word(/^[a-z0-9][a-z0-9.:-]*$/, 'my-project-123')

const client = record({
  tenant_id: required(filled),
  client_id: required(filled),
  client_secret: required(secret),
})

/** A client of a tenant, or the word `default` for the chain of the place where the server runs. */
const entra: Reader<AzureAccess> = {
  fallback: { from: 'chain' },
  read(tree, problems) {
    if (tree.kind === 'scalar' && tree.value === 'default') return { from: 'chain' }
    if (tree.kind !== 'map') {
      problems.add(tree.offset, 'must be `default`, or a map of `tenant_id`, `client_id` and `client_secret`')
      return entra.fallback
    }
    const values = client.read(tree, problems)
    const { tenant_id: tenantId, client_id: clientId, client_secret: clientSecret } = values
    return { from: 'client', tenantId, clientId, clientSecret }
  },
}

const azure = record({
  ...COMMON,
  base_url: required(address),
  api_version: required(apiVersion),
  api_key: optional(secret),
  entra: optional(entra),
})

const AWS_KEYS = {
  access_key_id: optional(secret),
  secret_access_key: optional(secret),
  session_token: optional(secret),
}

const bedrock = record({
  ...COMMON,
  ...AWS_KEYS,
  region: required(region('us-east-1')),
  base_url: optional(address),
})

const vertex = record({
  ...COMMON,
  project: required(project),
  region: required(region('europe-west1')),
  base_url: optional(address),
  access_token: optional(secret),
  service_account_file: optional(filled),
})

export function isCloudKind(kind: string): kind is CloudKind {
  return CLOUD_KINDS.some((known) => known === kind)
}

export function readCloudProvider(
  { name, kind }: { readonly name: string; readonly kind: CloudKind },
  map: MapTree,
  problems: Problems,
): ProviderConfig {
  switch (kind) {
    case 'azure': {
      const values = azure.read(map, problems)
      const access = azureAccess(values, map, problems)
      const where = { baseUrl: values.base_url, apiVersion: values.api_version }
      return { kind, ...common(name, kind, values), ...where, access }
    }
    case 'bedrock': {
      const values = bedrock.read(map, problems)
      const where = { region: values.region, baseUrl: values.base_url }
      return { kind, ...common(name, kind, values), ...where, access: awsAccess(values, map, problems) }
    }
    case 'vertex': {
      const values = vertex.read(map, problems)
      const where = { project: values.project, region: values.region, baseUrl: values.base_url }
      return { kind, ...common(name, kind, values), ...where, access: googleAccess(values, map, problems) }
    }
  }
}

function azureAccess(values: typeof azure.fallback, map: MapTree, problems: Problems): AzureAccess {
  if (values.api_key !== null) exclude(map, { key: 'entra', by: 'api_key' }, problems)
  if (values.entra !== null) return values.entra
  if (!has(map, 'api_key'))
    problems.add(map.offset, '`api_key` or `entra` is missing; `entra: default` uses the default chain')
  return { from: 'key', apiKey: values.api_key ?? '' }
}

function awsAccess(values: Values<typeof AWS_KEYS>, map: MapTree, problems: Problems): AwsAccess {
  const {
    access_key_id: accessKeyId,
    secret_access_key: secretAccessKey,
    session_token: sessionToken,
  } = values
  const given = Object.keys(AWS_KEYS).filter((key) => has(map, key))
  const [first] = given
  if (first === undefined) return { from: 'chain' }
  for (const key of ['access_key_id', 'secret_access_key'])
    if (!has(map, key)) problems.add(keyOffset(map, first), `\`${key}\` is missing beside \`${first}\``)
  return {
    from: 'keys',
    accessKeyId: accessKeyId ?? '',
    secretAccessKey: secretAccessKey ?? '',
    sessionToken,
  }
}

function googleAccess(
  values: { readonly access_token: string | null; readonly service_account_file: string | null },
  map: MapTree,
  problems: Problems,
): GoogleAccess {
  const { access_token: accessToken, service_account_file: path } = values
  if (accessToken !== null) {
    exclude(map, { key: 'service_account_file', by: 'access_token' }, problems)
    return { from: 'token', accessToken }
  }
  return path === null ? { from: 'chain' } : { from: 'file', path }
}

function has(map: MapTree, key: string): boolean {
  const entry = map.entries.get(key)
  return entry !== undefined && !isNull(entry.value)
}

function keyOffset(map: MapTree, key: string): number {
  return map.entries.get(key)?.keyOffset ?? map.offset
}

function exclude(
  map: MapTree,
  { key, by }: { readonly key: string; readonly by: string },
  problems: Problems,
) {
  if (has(map, key)) problems.add(keyOffset(map, key), `\`${key}\` and \`${by}\` exclude each other`)
}
