// What the simulator says: a plain support reply that takes up the words of the question, exactly as long as
// asked.

import type { Dice } from './seeded.js'
import { tokenize } from './tokens.js'

const COMMON = new Set(
  (
    'about after again also because been before being could does doing from have having hello here into just ' +
    'know like made make more most much need only other over please should since some still such tell than ' +
    'thank thanks that their them then there these they this those through want were what when where which ' +
    'while will with would your yours'
  ).split(' '),
)
const SCAN_CHARS_MAX = 4_000
const WORDS_MAX = 6

const OPENINGS = [
  'Thank you for writing to us about {a} and {b}.',
  'Thanks for the details on {a}; I have also looked at {b}.',
  'I understand that this is about {a}, and that {b} matters to you.',
  'I am sorry for the trouble with {a}. I have checked what we know about {b}.',
] as const

const SENTENCES = [
  'The record shows {a} as you describe it.',
  'You can follow every step under your account settings.',
  'A change to {b} takes effect within one working day.',
  'If {a} looks wrong after that, reply to this message.',
  'No further charge is made while we look into {b}.',
  'I have noted {c} so that you need not repeat it.',
  'The next update reaches you by email.',
  'Please keep the reference at hand when you contact us about {c}.',
  'We compared {a} with {b} and found no conflict.',
  'Nothing else is needed from your side at the moment.',
] as const

/** The words of a message worth taking up, in order, at most six; made-up ones when it has none. */
export function keywordsOf(message: string): readonly [string, string, string] {
  const plain = message.slice(0, SCAN_CHARS_MAX).replaceAll(/\[\[sim:[^\]]*\]\]/g, ' ')
  const words = (plain.match(/\p{L}[\p{L}\p{N}-]{3,23}/gu) ?? []).map((word) => word.toLowerCase())
  const [a, b, c] = [...new Set(words.filter((word) => !COMMON.has(word)))].slice(0, WORDS_MAX)
  return [a ?? 'your request', b ?? 'your account', c ?? 'the details']
}

/** Exactly `count` tokens of prose that ends with a full stop. */
export function writeText(dice: Dice, keywords: readonly [string, string, string], count: number): string[] {
  const tokens = tokenize(fill(dice.pick(OPENINGS), keywords))
  let previous = -1
  while (tokens.length < count) {
    const step = dice.between(1, SENTENCES.length - 1)
    previous = (Math.max(previous, 0) + step) % SENTENCES.length
    tokens.push(...tokenize(` ${fill(SENTENCES[previous] ?? SENTENCES[0], keywords)}`))
  }
  tokens.length = count
  tokens[count - 1] = '.'
  return tokens
}

/** A few words for a field of a JSON answer. */
export function writePhrase(dice: Dice, keywords: readonly [string, string, string]): string {
  return fill(dice.pick(SENTENCES), keywords)
}

function fill(sentence: string, [a, b, c]: readonly [string, string, string]): string {
  return sentence.replace('{a}', a).replace('{b}', b).replace('{c}', c)
}
