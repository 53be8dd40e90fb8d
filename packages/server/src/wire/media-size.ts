// How large images and documents may be, where a format's own documentation says so. What is larger would be
// carried there only to be refused.

import type { Problem } from '../core/parsed.js'

export interface SizeLimit {
  readonly bytes: number
  /** As the documentation has it. */
  readonly name: string
}

const MIB = 1024 * 1024

/** https://docs.anthropic.com/en/docs/build-with-claude/vision, of the decoded bytes. */
export const ANTHROPIC_IMAGE: SizeLimit = { bytes: 5 * MIB, name: '5 MB' }
/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html */
export const CONVERSE_IMAGE: SizeLimit = { bytes: 3.75 * MIB, name: '3.75 MB' }
export const CONVERSE_DOCUMENT: SizeLimit = { bytes: 4.5 * MIB, name: '4.5 MB' }

/** Base64 data behind a place, against the limit there. */
export function checkSize(
  data: string,
  limit: SizeLimit,
  place: { readonly at: string; readonly problems: Problem[] },
): void {
  if (decodedBytes(data) <= limit.bytes) return
  place.problems.push({ at: place.at, message: `must not be larger than ${limit.name} in the other format` })
}

function decodedBytes(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return Math.floor((base64.length * 3) / 4) - padding
}
