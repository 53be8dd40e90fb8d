// `and`, `or` and `not` beside CEL's own operators. Each word becomes an operator of the same length, so a
// position in the rewritten text is the same position in what the user wrote.

const OPERATORS: ReadonlyMap<string, string> = new Map([
  ['and', '&& '],
  ['or', '||'],
  ['not', '!  '],
])

// One alternative per kind of token; the order matters. Strings and comments are taken whole, so nothing
// inside them is rewritten. A raw string (r"...") knows no escapes. An unclosed string runs to the end: CEL
// reports it.
const TOKENS = [
  /[bB]?[rR][bB]?"""[\s\S]*?(?:"""|$)/,
  /[bB]?[rR][bB]?'''[\s\S]*?(?:'''|$)/,
  /[bB]?[rR][bB]?"[^"\n]*(?:"|$)/,
  /[bB]?[rR][bB]?'[^'\n]*(?:'|$)/,
  /[bB]?"""(?:\\[\s\S]|(?!""")[^\\])*(?:"""|$)/,
  /[bB]?'''(?:\\[\s\S]|(?!''')[^\\])*(?:'''|$)/,
  /[bB]?"(?:\\[\s\S]|[^"\\])*(?:"|$)/,
  /[bB]?'(?:\\[\s\S]|[^'\\])*(?:'|$)/,
  /\/\/[^\n]*/,
  /[A-Za-z_][A-Za-z0-9_]*/,
]
const TOKEN = new RegExp(TOKENS.map((token) => token.source).join('|'), 'g')

/** Never changes the length, a string, a comment or the name of a member (`labels.or`). */
export function celKeywords(source: string): string {
  return source.replace(TOKEN, (token: string, offset: number) => {
    const operator = OPERATORS.get(token)
    if (operator === undefined) return token
    return isMember(source, offset) ? token : operator
  })
}

function isMember(source: string, offset: number): boolean {
  let before = offset - 1
  while (before >= 0 && /\s/.test(source.charAt(before))) before--
  return source[before] === '.'
}
