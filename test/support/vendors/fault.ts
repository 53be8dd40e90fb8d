// What a fault of a vendor is, and the secrets that none of them may carry to a caller.

import type { VendorAnswer } from './front.js'

export const SECRETS = {
  azure: 'azure-secret-9000',
  bedrock: 'aws/secret+9000/of-no-known-shape',
  gemini: 'AIzaSyA9000-gemini-secret-000000000000',
  vertex: 'ya29.vertex-secret-9000',
  openai: 'sk-proj-openai-secret-9000',
  anthropic: 'sk-ant-api03-secret-9000',
  vllm: 'vllm-secret-9000',
} as const

export type VendorName = keyof typeof SECRETS

export interface Fault {
  readonly vendor: VendorName
  readonly name: string
  readonly answer: VendorAnswer
  /** The vendor's words that must reach the caller. */
  readonly says: string
  /** As the trace has it. */
  readonly end: string
  /** `rejected`: the caller's to mend. `elsewhere`: not at this deployment again. `again`: tried again. */
  readonly next: 'rejected' | 'elsewhere' | 'again'
  /** How long the vendor asks us to wait. */
  readonly waitMs?: number
}

export type FaultRest = Omit<Fault, 'vendor' | 'answer'>
