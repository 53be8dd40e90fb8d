import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AnswerText } from './answer-text.js'

/** Every token is a byte. */
const textOf = (tokens: readonly number[]): string => Buffer.from(tokens).toString('utf8')

function play(text: string, stops: readonly string[]) {
  const answer = new AnswerText<{ token: number }>({ textOf, stops })
  const pieces: { text: string; tokens: readonly { token: number }[] }[] = []
  let pushed = 0
  for (const token of Buffer.from(text)) {
    pushed += 1
    pieces.push(answer.push({ token }))
    if (answer.isStopped) break
  }
  pieces.push(answer.finish())
  return {
    pieces,
    pushed,
    text: pieces.map((piece) => piece.text).join(''),
    tokens: pieces.flatMap((piece) => piece.tokens.map(({ token }) => token)),
    isStopped: answer.isStopped,
  }
}

describe('text of tokens', () => {
  test('without stops is what the tokens say, and every token is told once, in order', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const played = play(text, [])
        expect(played.text).toBe(Buffer.from(text).toString('utf8'))
        expect(played.tokens).toEqual([...Buffer.from(text)])
      }),
    )
  })

  test('a character is sent when it is whole', () => {
    const { pieces } = play('aé€😀', [])
    expect(pieces.map(({ text }) => text)).toEqual(['a', '', 'é', '', '', '€', '', '', '', '😀', ''])
  })

  test('bytes that are no character do not wait for ever', () => {
    const answer = new AnswerText<{ token: number }>({ textOf, stops: [] })
    const texts = Array.from({ length: 4 }, () => answer.push({ token: 0xff }).text)
    expect(texts).toEqual(['', '', '', '\ufffd'.repeat(4)])
  })

  test('with stops is the text before the first of them, as soon as it is there', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 3 })
    const long = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 30 })
    fc.assert(
      fc.property(long, fc.array(word, { maxLength: 3 }), (text, stops) => {
        const ends = stops.map((stop) => [text.indexOf(stop), stop.length] as const).filter(([at]) => at >= 0)
        const played = play(text, stops)
        expect(played.isStopped).toBe(ends.length > 0)
        // Of several stops, the one that is complete first ends it.
        const read =
          ends.length === 0 ? text : text.slice(0, Math.min(...ends.map(([at, length]) => at + length)))
        expect(played.pushed).toBe(Buffer.byteLength(read))
        expect(played.text.length).toBeGreaterThanOrEqual(ends.length === 0 ? text.length : 0)
        for (const stop of stops) expect(played.text).not.toContain(stop)
        expect(text.startsWith(played.text)).toBe(true)
        expect(Buffer.from(played.tokens).toString('utf8').startsWith(played.text)).toBe(true)
      }),
    )
  })

  test('what may become a stop is held, and sent when it does not', () => {
    const { pieces } = play('a\n\nb', ['\n\n\n'])
    expect(pieces.map(({ text }) => text)).toEqual(['a', '', '', '\n\nb', ''])
    expect(play('a\n\n', ['\n\n\n']).text).toBe('a\n\n')
  })
})
