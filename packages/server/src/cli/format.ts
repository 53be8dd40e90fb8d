// Numbers as people read them in a terminal. Unknown is a dash, never 0.

export const UNKNOWN = '–'

/** 0.9637 -> `96.4 %`. A share that is not quite all, or not quite none, never reads as if it were. */
export function percent(share: number | null): string {
  if (share === null) return UNKNOWN
  if (share > 0 && share < 0.001) return '<0.1 %'
  if (share < 1 && share > 0.999) return '>99.9 %'
  const digits = share === 0 || share === 1 ? 0 : 1
  return `${(share * 100).toFixed(digits)} %`
}

/** Whole numbers with a thin group separator: 12 345. */
export function count(value: number | null): string {
  return value === null ? UNKNOWN : String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ' ')
}

/** Dollars with three significant digits, two decimals from one dollar on: `$0.00214`, `$12.40`. */
export function dollars(usd: number | null): string {
  if (usd === null) return UNKNOWN
  const size = Math.abs(usd)
  const sign = usd < 0 ? '-' : ''
  if (size === 0) return '$0'
  if (size < 1e-9) return `${sign}<$1e-9`
  if (size >= 1_000) return `${sign}$${count(size)}`
  const decimals = size >= 1 ? 2 : Math.min(9, 2 - Math.floor(Math.log10(size)))
  return `${sign}$${size.toFixed(decimals)}`
}

/** Times from `3 ms` over `1.84 s` and `2 min 05 s` to `3 h 20 min`. */
export function duration(ms: number | null): string {
  if (ms === null) return UNKNOWN
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9_995) return `${(ms / 1_000).toFixed(2)} s`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  const two = (value: number) => String(value).padStart(2, '0')
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  return `${Math.floor(seconds / 3_600)} h ${two(Math.floor((seconds % 3_600) / 60))} min`
}

/** `2026-11-24 05:41:09` (UTC) of an ISO time or ms since 1970. */
export function moment(time: string | number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ')
}

/** Where in `totalMs` something ran, as a bar of `width` cells; at least one cell is filled. */
export function bar(
  span: { readonly fromMs: number; readonly forMs: number },
  totalMs: number,
  width: number,
): string {
  const scale = totalMs > 0 ? width / totalMs : 0
  const first = Math.min(width - 1, Math.max(0, Math.floor(span.fromMs * scale)))
  const last = Math.min(width, Math.max(first + 1, Math.round((span.fromMs + span.forMs) * scale)))
  return `${'·'.repeat(first)}${'█'.repeat(last - first)}${'·'.repeat(width - last)}`
}

/** Cuts to `width` characters, saying so. */
export function fitText(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
