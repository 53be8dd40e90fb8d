// What may stand in a header (RFC 9110 section 5), the same for requests and responses, whoever reads or
// writes them: a value can never begin another line.

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/

/** `name` in lower case. */
export function isFieldName(name: string): boolean {
  return NAME.test(name)
}

/** Visible characters, blanks, and the bytes above ASCII, one character each. */
export function isFieldValue(value: string): boolean {
  return !FORBIDDEN.test(value)
}
