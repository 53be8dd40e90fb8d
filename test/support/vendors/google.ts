// Gemini on AI Studio, and Vertex with Gemini and with Claude. Answers are the simulator's, said in
// generateContent; Claude's pass as they are.

import {
  type SimAnswer,
  type Vendor,
  type VendorCall,
  askSim,
  dataOf,
  json,
  startVendor,
  textOf,
} from './front.js'

type Fields = Record<string, unknown>
type List = readonly Fields[]

export const GEMINI_KEY = 'gemini-key-0001'
export const VERTEX = { token: 'ya29.vertex-token-0001', project: 'acme-prod', region: 'europe-west4' }

export function startGemini(simUrl: string): Promise<Vendor> {
  return startVendor(async (call) => {
    if (call.headers['x-goog-api-key'] !== GEMINI_KEY)
      return failed(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.')
    const [, model = '', verb = ''] = /^\/v1beta\/models\/([^/:]+):(\w+)$/.exec(call.path) ?? []
    if (verb === 'batchEmbedContents') return embedded(simUrl, model, bodyOf(call))
    return generated(simUrl, { model, verb, call })
  })
}

export function startVertex(simUrl: string): Promise<Vendor> {
  const { project, region, token } = VERTEX
  const prefix = `/v1/projects/${project}/locations/${region}/publishers`
  return startVendor(async (call) => {
    if (call.headers['authorization'] !== `Bearer ${token}`)
      return failed(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.')
    const path = call.path.startsWith(prefix) ? call.path.slice(prefix.length) : ''
    const [, publisher, model = '', verb = ''] =
      /^\/(google|anthropic)\/models\/([^/:]+):(\w+)$/.exec(path) ?? []
    if (publisher === 'google') return generated(simUrl, { model, verb, call })
    if (publisher !== 'anthropic') return failed(404, 'NOT_FOUND', 'Not found.')
    return claude(simUrl, model, call)
  })
}

async function claude(simUrl: string, model: string, call: VendorCall) {
  const { anthropic_version: version, ...body } = bodyOf(call)
  if (model === 'count-tokens' && typeof body['model'] === 'string') {
    const counted = await askSim(simUrl, '/v1/messages/count_tokens', body)
    return json(counted.status, JSON.parse(await textOf(counted)))
  }
  if (version !== 'vertex-2023-10-16' || 'model' in body)
    return failed(400, 'INVALID_ARGUMENT', 'anthropic_version is required and model is not permitted.')
  const answer = await askSim(simUrl, '/v1/messages', { ...body, model: decodeURIComponent(model) })
  const type = answer.headers.get('content-type') ?? 'application/json'
  return { status: answer.status, headers: { 'content-type': type }, body: answer.body }
}

function failed(code: number, status: string, message: string) {
  return json(code, { error: { code, message, status } })
}

async function failedLike(answer: SimAnswer) {
  await textOf(answer)
  if (answer.status === 429) return failed(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.')
  if (answer.status >= 500) return failed(500, 'INTERNAL', 'An internal error has occurred.')
  return failed(400, 'INVALID_ARGUMENT', 'The request is not valid.')
}

interface Generation {
  readonly model: string
  readonly verb: string
  readonly call: VendorCall
}

async function generated(simUrl: string, { model, verb, call }: Generation) {
  const stream = verb === 'streamGenerateContent'
  if (!stream && verb !== 'generateContent')
    return failed(404, 'NOT_FOUND', 'Requested entity was not found.')
  const chat = chatOf(bodyOf(call))
  const id = decodeURIComponent(model)
  const options = stream ? { stream, stream_options: { include_usage: true } } : {}
  const answer = await askSim(simUrl, '/v1/chat/completions', { ...chat, model: id, ...options })
  if (answer.status !== 200) return failedLike(answer)
  if (!stream) return json(200, contentOf(JSON.parse(await textOf(answer)) as Fields, id))
  if (call.query.get('alt') !== 'sse')
    return failed(400, 'INVALID_ARGUMENT', 'This front only streams events.')
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: frames(dataOf(answer.body), id),
  }
}

function chatOf({ contents, systemInstruction, tools, toolConfig, generationConfig }: Fields): Fields {
  const config = (generationConfig ?? {}) as Fields
  const system = ((systemInstruction as { parts?: List } | undefined)?.parts ?? []).map(({ text }) => text)
  const declared = ((tools ?? []) as { functionDeclarations?: List }[]).flatMap(
    (one) => one.functionDeclarations ?? [],
  )
  const schema = config['responseJsonSchema'] ?? config['responseSchema']
  const isJson = config['responseMimeType'] === 'application/json'
  return {
    messages: [
      ...(system.length > 0 ? [{ role: 'system', content: system.join('\n') }] : []),
      ...(contents as List).flatMap(({ role, parts }) => messagesOf(String(role), parts as List)),
    ],
    max_tokens: config['maxOutputTokens'],
    temperature: config['temperature'],
    top_p: config['topP'],
    stop: config['stopSequences'],
    ...(isJson && { response_format: formatOf(schema) }),
    ...(declared.length > 0 && { tools: declared.map(toolOf), tool_choice: choiceOf(toolConfig) }),
  }
}

function formatOf(schema: unknown): Fields {
  if (schema === undefined) return { type: 'json_object' }
  return { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: lowerTypes(schema) } }
}

/** The older schema form writes types in capitals. */
function lowerTypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerTypes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === 'type' && typeof one === 'string' ? one.toLowerCase() : lowerTypes(one),
    ]),
  )
}

function toolOf({ name, description, parameters, parametersJsonSchema }: Fields): Fields {
  const schema = lowerTypes(parametersJsonSchema ?? parameters ?? { type: 'object', properties: {} })
  return { type: 'function', function: { name, description, parameters: schema } }
}

function choiceOf(config: unknown): unknown {
  const calling = (config as { functionCallingConfig?: Fields } | undefined)?.functionCallingConfig ?? {}
  const names = calling['allowedFunctionNames'] as readonly string[] | undefined
  if (calling['mode'] === 'NONE') return 'none'
  if (calling['mode'] !== 'ANY') return 'auto'
  return names?.length === 1 ? { type: 'function', function: { name: names[0] } } : 'required'
}

function messagesOf(role: string, parts: List): List {
  const results = parts.flatMap(({ functionResponse }) => {
    if (functionResponse === undefined) return []
    const { id, name, response } = functionResponse as Fields
    return [{ role: 'tool', tool_call_id: id ?? name, content: JSON.stringify(response) }]
  })
  const calls = parts.flatMap(({ functionCall }) => {
    if (functionCall === undefined) return []
    const { id, name, args } = functionCall as Fields
    return [{ id: id ?? name, type: 'function', function: { name, arguments: JSON.stringify(args ?? {}) } }]
  })
  const content = parts.flatMap(({ text, inlineData, thought }): List => {
    if (typeof text === 'string') return thought === true ? [] : [{ type: 'text', text }]
    if (inlineData === undefined) return []
    const { mimeType, data } = inlineData as { mimeType: string; data: string }
    return [{ type: 'image_url', image_url: { url: `data:${mimeType};base64,${data}` } }]
  })
  if (content.length === 0 && calls.length === 0) return results
  const who = role === 'model' ? 'assistant' : 'user'
  return [...results, { role: who, content, ...(calls.length > 0 && { tool_calls: calls }) }]
}

const FINISHES: Readonly<Record<string, string>> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  tool_calls: 'STOP',
  content_filter: 'SAFETY',
}

function usageOf(used: unknown): Fields {
  const { prompt_tokens: input, completion_tokens: output } = used as {
    prompt_tokens: number
    completion_tokens: number
  }
  return {
    promptTokenCount: input,
    candidatesTokenCount: output,
    totalTokenCount: input + output,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
  }
}

function callPart(call: Fields): Fields {
  const { name, arguments: args } = call['function'] as { name: string; arguments: string }
  return { functionCall: { name, args: JSON.parse(args) as unknown } }
}

function contentOf({ choices, usage }: Fields, model: string): Fields {
  const [choice = {}] = choices as List
  const { content, tool_calls: calls } = choice['message'] as { content: string | null; tool_calls?: List }
  const parts = [...(content ? [{ text: content }] : []), ...(calls ?? []).map(callPart)]
  return {
    candidates: [
      {
        content: { parts, role: 'model' },
        finishReason: FINISHES[String(choice['finish_reason'])] ?? 'STOP',
        index: 0,
        avgLogprobs: -0.12,
      },
    ],
    usageMetadata: usageOf(usage),
    modelVersion: model,
    responseId: 'mAITaLmkHPPlz7IPvKOPkQc',
  }
}

async function* frames(chunks: AsyncIterable<string>, model: string): AsyncGenerator<string> {
  const calls = new Map<number, { name: string; arguments: string }>()
  const frame = (candidate: Fields, usageMetadata: Fields): string =>
    `data: ${JSON.stringify({ candidates: [candidate], usageMetadata, modelVersion: model, responseId: 'r1' })}\r\n\r\n`
  const sofar = { promptTokenCount: 1, totalTokenCount: 1 }
  let finish = 'STOP'
  let used: unknown = null
  for await (const data of chunks) {
    if (data === '[DONE]') break
    const chunk = JSON.parse(data) as Fields
    used = chunk['usage'] ?? used
    const [choice] = chunk['choices'] as List
    if (choice === undefined) continue
    const { content, tool_calls: deltas } = choice['delta'] as { content?: string; tool_calls?: List }
    if (content) yield frame({ content: { parts: [{ text: content }], role: 'model' }, index: 0 }, sofar)
    for (const delta of deltas ?? []) {
      const { name = '', arguments: args = '' } = delta['function'] as { name?: string; arguments?: string }
      const known = calls.get(Number(delta['index']))
      calls.set(Number(delta['index']), {
        name: known?.name ?? name,
        arguments: (known?.arguments ?? '') + args,
      })
    }
    finish = FINISHES[String(choice['finish_reason'])] ?? finish
  }
  const parts =
    calls.size > 0 ? [...calls.values()].map((call) => callPart({ function: call })) : [{ text: '' }]
  yield frame({ content: { parts, role: 'model' }, finishReason: finish, index: 0 }, usageOf(used))
}

async function embedded(simUrl: string, model: string, { requests }: Fields) {
  const texts = (requests as { content: { parts: List } }[]).map(({ content }) =>
    content.parts.map(({ text }) => text).join(''),
  )
  const answer = await askSim(simUrl, '/v1/embeddings', { model: decodeURIComponent(model), input: texts })
  if (answer.status !== 200) return failedLike(answer)
  const { data } = JSON.parse(await textOf(answer)) as { data: List }
  return json(200, { embeddings: data.map(({ embedding }) => ({ values: embedding })) })
}

function bodyOf(call: VendorCall): Fields {
  return JSON.parse(call.body.toString('utf8')) as Fields
}
