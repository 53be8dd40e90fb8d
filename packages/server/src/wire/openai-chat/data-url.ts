// Bytes inside a URL: `data:<media type>;base64,<bytes>`.

const BASE64_MARK = ';base64,'
const MEDIA_TYPE_CHARS_MAX = 100

/** null: not such a URL. */
export function base64Source(
  url: unknown,
): { readonly kind: 'base64'; readonly mediaType: string; readonly data: string } | null {
  if (typeof url !== 'string' || !url.startsWith('data:')) return null
  const mark = url.indexOf(BASE64_MARK)
  if (mark === -1 || mark > MEDIA_TYPE_CHARS_MAX) return null
  return {
    kind: 'base64',
    mediaType: url.slice('data:'.length, mark),
    data: url.slice(mark + BASE64_MARK.length),
  }
}
