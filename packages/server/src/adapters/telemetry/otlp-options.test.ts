import { expect, test } from 'vitest'
import { otlpOptions } from './otlp-options.js'

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' }

function optionsOf(env: Readonly<Record<string, string>>) {
  const choice = otlpOptions(env)
  return choice.kind === 'on' ? choice.options : choice
}

test.each([{}, { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }, { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }])(
  'with %j nothing is exported',
  (env) => {
    expect(otlpOptions(env)).toEqual({ kind: 'off' })
  },
)

test('the general endpoint is a base, the one for traces is used as it is', () => {
  expect(optionsOf(ENDPOINT)).toMatchObject({ url: 'http://collector:4318/v1/traces', timeoutMs: 10_000 })
  const own = { ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/ingest' }
  expect(optionsOf(own)).toMatchObject({ url: 'https://traces.example/ingest' })
})

test('headers are decoded, those for traces win, and what is no pair is left out', () => {
  const env = {
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YTpi, x-team = core ,broken,=empty',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-team=traces,odd=100%',
  }
  expect(optionsOf(env)).toMatchObject({
    headers: { authorization: 'Basic YTpi', 'x-team': 'traces', odd: '100%' },
  })
})

test('the service is named spillway unless the operator names it', () => {
  const attributes = {
    ...ENDPOINT,
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=gateway,deployment.environment=prod',
  }
  expect(optionsOf(ENDPOINT)).toMatchObject({ resource: { 'service.name': 'spillway' } })
  expect(optionsOf(attributes)).toMatchObject({
    resource: { 'service.name': 'gateway', 'deployment.environment': 'prod' },
  })
  expect(optionsOf({ ...attributes, OTEL_SERVICE_NAME: 'edge' })).toMatchObject({
    resource: { 'service.name': 'edge' },
  })
})

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, 'not an http(s) URL'],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'grpc is not supported'],
])('%j is refused with the reason', (env, reason) => {
  expect(otlpOptions(env)).toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining(reason) as string,
  })
})

test('a timeout that is no time is the default', () => {
  expect(optionsOf({ ...ENDPOINT, OTEL_EXPORTER_OTLP_TIMEOUT: 'soon' })).toMatchObject({ timeoutMs: 10_000 })
  expect(optionsOf({ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '250' })).toMatchObject({
    timeoutMs: 250,
  })
})
