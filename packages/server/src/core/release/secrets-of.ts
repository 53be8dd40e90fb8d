// The values of a provider's configuration that must not be told to anybody: a provider may quote in its
// answer what it was sent.

import type { ProviderConfig } from './release.js'

export function secretsOf(config: ProviderConfig): readonly string[] {
  const headers = 'headers' in config ? Object.entries(config.headers) : []
  const secret = headers.filter(([name]) => SECRET_HEADER.test(name)).map(([, value]) => value)
  return [...ownSecrets(config), ...secret]
}

const SECRET_HEADER = /auth|key|token|secret|cookie/i

function ownSecrets(config: ProviderConfig): readonly string[] {
  if ('apiKey' in config) return config.apiKey === null ? [] : [config.apiKey]
  if (!('access' in config)) return []
  const { access } = config
  switch (access.from) {
    case 'key':
      return [access.apiKey]
    case 'keys':
      return [access.secretAccessKey, access.sessionToken ?? '', access.accessKeyId]
    case 'client':
      return [access.clientSecret]
    case 'token':
      return [access.accessToken]
    default:
      return []
  }
}
