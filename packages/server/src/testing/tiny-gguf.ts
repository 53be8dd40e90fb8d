// A language model small enough to be made by a test: a GGUF file (version 3) of the llama architecture with
// seeded random weights and a vocabulary of bytes and printable ASCII. It proves that loading, streaming,
// log probabilities, aborts and accounts work, and nothing about the quality of answers. The same options
// give the same bytes on every machine: the weights are uniform, so no function of the platform's libm is
// involved.

import { writeFile } from 'node:fs/promises'
import { seededRandom } from './fake-system.js'

export interface TinyGgufOptions {
  /** Default 1. */
  readonly seed?: number
  /** Tokens it was "trained" for. Default 512. */
  readonly contextTokens?: number
  /**
   * Scale of the last layer: how sure it is of its tokens. Default 3, which is unsure (about 0.2 to 0.5 for
   * the best token); 40 is nearly certain.
   */
  readonly sharpness?: number
}

const WIDTH = 64
const LAYERS = 2
const HEADS = 4
const FEED_FORWARD = 128
const ALIGNMENT = 32
/** Control tokens and the 256 bytes come before the printable characters. */
const FIRST_CHARACTER = 3 + 256

const CHAT_TEMPLATE =
  "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}" +
  '{% if add_generation_prompt %}[assistant] {% endif %}'

export async function writeTinyGguf(path: string, options: TinyGgufOptions = {}): Promise<void> {
  await writeFile(path, tinyGguf(options))
}

export function tinyGguf(options: TinyGgufOptions = {}): Uint8Array {
  const vocabulary = makeVocabulary()
  const metadata = metadataOf(vocabulary, options.contextTokens ?? 512)
  const tensors = tensorsOf(vocabulary.tokens.length)
  const writer = new GgufWriter()
  writer.head(tensors.length, metadata.length)
  for (const [key, value] of metadata) writer.entry(key, value)
  let offset = 0
  for (const tensor of tensors) {
    writer.tensorInfo(tensor, offset)
    offset += padded(elementsOf(tensor) * 4)
  }
  writer.pad()
  const random = seededRandom(options.seed ?? 1)
  for (const tensor of tensors) writer.weights(weightsOf(tensor, random, options.sharpness ?? 3))
  return writer.bytes()
}

interface Vocabulary {
  readonly tokens: readonly string[]
  readonly scores: readonly number[]
  /** 1 normal, 2 unknown, 3 control, 6 byte. */
  readonly types: readonly number[]
}

function makeVocabulary(): Vocabulary {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  )
  // A space is written as U+2581 in vocabularies of this kind.
  const characters = Array.from({ length: 95 }, (_, at) =>
    at === 0 ? '\u2581' : String.fromCharCode(32 + at),
  )
  return {
    tokens: ['<unk>', '<s>', '</s>', ...bytes, ...characters],
    scores: [0, 0, 0, ...bytes.map(() => 0), ...characters.map((_, at) => -1 - at)],
    types: [2, 3, 3, ...bytes.map(() => 6), ...characters.map(() => 1)],
  }
}

type Value =
  | { readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'texts'; readonly value: readonly string[] }
  | { readonly type: 'f32s' | 'i32s'; readonly value: readonly number[] }

const u32 = (value: number): Value => ({ type: 'u32', value })
const f32 = (value: number): Value => ({ type: 'f32', value })
const text = (value: string): Value => ({ type: 'text', value })

function metadataOf(vocabulary: Vocabulary, contextTokens: number): readonly [string, Value][] {
  return [
    ['general.architecture', text('llama')],
    ['general.name', text('spillway-tiny-random')],
    ['general.file_type', u32(0)],
    ['general.alignment', u32(ALIGNMENT)],
    ['llama.vocab_size', u32(vocabulary.tokens.length)],
    ['llama.context_length', u32(contextTokens)],
    ['llama.embedding_length', u32(WIDTH)],
    ['llama.block_count', u32(LAYERS)],
    ['llama.feed_forward_length', u32(FEED_FORWARD)],
    ['llama.attention.head_count', u32(HEADS)],
    ['llama.attention.head_count_kv', u32(HEADS)],
    ['llama.attention.layer_norm_rms_epsilon', f32(1e-5)],
    ['llama.rope.dimension_count', u32(WIDTH / HEADS)],
    ['llama.rope.freq_base', f32(10_000)],
    ['tokenizer.ggml.model', text('llama')],
    ['tokenizer.ggml.tokens', { type: 'texts', value: vocabulary.tokens }],
    ['tokenizer.ggml.scores', { type: 'f32s', value: vocabulary.scores }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: vocabulary.types }],
    ['tokenizer.ggml.unknown_token_id', u32(0)],
    ['tokenizer.ggml.bos_token_id', u32(1)],
    ['tokenizer.ggml.eos_token_id', u32(2)],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: true }],
    ['tokenizer.ggml.add_eos_token', { type: 'bool', value: false }],
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: false }],
    ['tokenizer.chat_template', text(CHAT_TEMPLATE)],
  ]
}

interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly kind: 'norm' | 'matrix' | 'embedding' | 'output'
}

function tensorsOf(tokens: number): readonly Tensor[] {
  const layers = Array.from({ length: LAYERS }, (_, layer) => {
    const at = (part: string, shape: readonly number[], kind: Tensor['kind'] = 'matrix'): Tensor => ({
      name: `blk.${layer}.${part}.weight`,
      shape,
      kind,
    })
    return [
      at('attn_norm', [WIDTH], 'norm'),
      ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].map((part) => at(part, [WIDTH, WIDTH])),
      at('ffn_norm', [WIDTH], 'norm'),
      at('ffn_gate', [WIDTH, FEED_FORWARD]),
      at('ffn_up', [WIDTH, FEED_FORWARD]),
      at('ffn_down', [FEED_FORWARD, WIDTH]),
    ]
  })
  return [
    { name: 'token_embd.weight', shape: [WIDTH, tokens], kind: 'embedding' },
    ...layers.flat(),
    { name: 'output_norm.weight', shape: [WIDTH], kind: 'norm' },
    { name: 'output.weight', shape: [WIDTH, tokens], kind: 'output' },
  ]
}

/** Of variance one over the inputs, so that activations neither die nor explode. */
function weightsOf(tensor: Tensor, random: () => number, sharpness: number): Float32Array {
  const weights = new Float32Array(elementsOf(tensor))
  if (tensor.kind === 'norm') return weights.fill(1)
  const inputs = tensor.kind === 'embedding' ? 1 : (tensor.shape[0] ?? 1)
  const scale = Math.sqrt(3 / inputs) * (tensor.kind === 'output' ? sharpness : 1)
  // Control tokens and bytes keep a flat score: the model mostly says characters, and seldom ends.
  const silent = tensor.kind === 'output' ? FIRST_CHARACTER * WIDTH : 0
  for (let at = silent; at < weights.length; at++) weights[at] = (2 * random() - 1) * scale
  return weights
}

function elementsOf({ shape }: Tensor): number {
  return shape.reduce((product, dimension) => product * dimension, 1)
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}

const TYPE_OF = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, array: 9 } as const
const F32_TENSOR = 0

class GgufWriter {
  readonly #parts: Buffer[] = []
  #length = 0

  head(tensors: number, entries: number): void {
    this.#push(Buffer.from('GGUF'))
    this.#u32(3)
    this.#u64(tensors)
    this.#u64(entries)
  }

  entry(key: string, value: Value): void {
    this.#text(key)
    switch (value.type) {
      case 'u32':
        this.#u32(TYPE_OF.u32)
        return this.#u32(value.value)
      case 'f32':
        this.#u32(TYPE_OF.f32)
        return this.#f32(value.value)
      case 'bool':
        this.#u32(TYPE_OF.bool)
        return this.#push(Buffer.from([value.value ? 1 : 0]))
      case 'text':
        this.#u32(TYPE_OF.text)
        return this.#text(value.value)
      case 'texts':
        this.#array(TYPE_OF.text, value.value.length)
        return value.value.forEach((one) => this.#text(one))
      case 'f32s':
        this.#array(TYPE_OF.f32, value.value.length)
        return value.value.forEach((one) => this.#f32(one))
      case 'i32s':
        this.#array(TYPE_OF.i32, value.value.length)
        return value.value.forEach((one) => this.#u32(one))
    }
  }

  tensorInfo({ name, shape }: Tensor, offset: number): void {
    this.#text(name)
    this.#u32(shape.length)
    for (const dimension of shape) this.#u64(dimension)
    this.#u32(F32_TENSOR)
    this.#u64(offset)
  }

  weights(values: Float32Array): void {
    const bytes = Buffer.alloc(values.length * 4)
    values.forEach((value, at) => bytes.writeFloatLE(value, at * 4))
    this.#push(bytes)
    this.pad()
  }

  pad(): void {
    this.#push(Buffer.alloc(padded(this.#length) - this.#length))
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts)
  }

  #array(type: number, length: number): void {
    this.#u32(TYPE_OF.array)
    this.#u32(type)
    this.#u64(length)
  }

  #text(value: string): void {
    const bytes = Buffer.from(value, 'utf8')
    this.#u64(bytes.length)
    this.#push(bytes)
  }

  #u32(value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    this.#push(bytes)
  }

  #u64(value: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(value))
    this.#push(bytes)
  }

  #f32(value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeFloatLE(value)
    this.#push(bytes)
  }

  #push(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#length += bytes.length
  }
}
