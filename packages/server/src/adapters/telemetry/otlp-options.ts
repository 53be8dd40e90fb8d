// The OpenTelemetry environment variables for traces, as its specification defines them. No endpoint, no
// export.

export interface OtlpOptions {
  /** Where spans are posted. */
  readonly url: string
  /** Values may be secrets: never printed. */
  readonly headers: Readonly<Record<string, string>>
  /** Longest time for one export, ms. Default 10000. */
  readonly timeoutMs: number
  /** Who sends: `service.name` and what OTEL_RESOURCE_ATTRIBUTES adds. */
  readonly resource: Readonly<Record<string, string>>
}

type Environment = Readonly<Record<string, string | undefined>>

export type OtlpChoice =
  | { readonly kind: 'on'; readonly options: OtlpOptions }
  | { readonly kind: 'off' }
  /** Wanted, but not possible as it is written. */
  | { readonly kind: 'invalid'; readonly message: string }

const TIMEOUT_MS = 10_000

export function otlpOptions(env: Environment): OtlpChoice {
  const url = endpoint(env)
  if (url === null || env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none')
    return { kind: 'off' }
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    return { kind: 'invalid', message: 'OTEL_EXPORTER_OTLP_ENDPOINT is not an http(s) URL' }
  }
  const protocol = forTraces(env, 'PROTOCOL')
  if (protocol !== undefined && protocol !== 'http/protobuf') {
    return {
      kind: 'invalid',
      message: `OTEL_EXPORTER_OTLP_PROTOCOL ${protocol} is not supported, http/protobuf is`,
    }
  }
  const timeoutMs = Number(forTraces(env, 'TIMEOUT'))
  const resource = { 'service.name': 'spillway', ...pairs(env['OTEL_RESOURCE_ATTRIBUTES']) }
  const serviceName = env['OTEL_SERVICE_NAME']
  return {
    kind: 'on',
    options: {
      url,
      headers: {
        ...pairs(env['OTEL_EXPORTER_OTLP_HEADERS']),
        ...pairs(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS']),
      },
      timeoutMs: timeoutMs > 0 ? timeoutMs : TIMEOUT_MS,
      resource: serviceName ? { ...resource, 'service.name': serviceName } : resource,
    },
  }
}

/** The general endpoint is a base; the one for traces is used as it is. */
function endpoint(env: Environment): string | null {
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
  if (own) return own
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT']
  return base ? `${base.replace(/\/+$/, '')}/v1/traces` : null
}

function forTraces(env: Environment, name: string): string | undefined {
  return env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || undefined
}

/** `a=1,b=two%20words`, as in W3C Baggage. Pairs that are not pairs are left out. */
function pairs(text: string | undefined): Record<string, string> {
  const found: Record<string, string> = {}
  for (const pair of (text ?? '').split(',')) {
    const [name = '', ...rest] = pair.split('=')
    if (name.trim() !== '' && rest.length > 0) found[name.trim()] = decoded(rest.join('=').trim())
  }
  return found
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
