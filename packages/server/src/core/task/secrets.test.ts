import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { containsSecret } from './secrets.js'

// Put together here, so that no scanner takes this file for a leak.
const run = (pattern: string, length: number): string => pattern.repeat(length).slice(0, length)
const SECRETS: Record<string, string> = {
  'an OpenAI key': `sk-${run('aB3', 48)}`,
  'an OpenAI project key': `sk-proj-${run('aB3_-', 60)}`,
  'an Anthropic key': `sk-ant-api03-${run('Zz9', 90)}`,
  'an AWS key id': `AKIA${run('Q7', 16)}`,
  'a temporary AWS key id': `ASIA${run('Q7', 16)}`,
  'a GitHub token': `ghp_${run('aB3', 36)}`,
  'a fine-grained GitHub token': `github_pat_${run('aB3', 22)}`,
  'a GitLab token': `glpat-${run('aB3', 20)}`,
  'a Slack token': `xoxb-${run('123-', 24)}`,
  'a Google key': `AIza${run('aB3', 35)}`,
  'a Stripe key': `sk_live_${run('aB3', 24)}`,
  'a private key': '-----BEGIN RSA PRIVATE KEY-----',
  'a plain private key': '-----BEGIN PRIVATE KEY-----',
  'a signed token': `eyJ${run('hb', 20)}.eyJ${run('zd', 30)}.${run('x_-', 43)}`,
}

describe('containsSecret', () => {
  test.each(Object.entries(SECRETS))('finds %s wherever it stands', (_, secret) => {
    for (const text of [
      secret,
      `key: "${secret}"`,
      `a\n${secret}.`,
      `KEY=${secret};`,
      `(${secret})`,
      `x ${secret}`,
    ]) {
      expect(containsSecret(text)).toBe(true)
    }
  })

  test('finds one behind an escape, in JSON', () => {
    const secret = SECRETS['an AWS key id'] ?? ''
    expect(containsSecret(JSON.stringify({ note: `key:\n${secret}` }))).toBe(true)
    expect(containsSecret(`["${secret.replace('AKIA', '\\u0041KIA')}"]`)).toBe(true)
    expect(containsSecret('C:\\new {"broken": "json"')).toBe(false)
  })

  test.each([
    '',
    'Your order has been shipped.',
    'a task-oriented-assistant-for-customer-support-2024-Edition',
    'sk-like-this-but-only-words-in-kebab-case',
    'sk-SHORT1',
    'AKIA is the prefix of AWS key ids',
    'eyJ is how a JSON object begins in base64',
    'version 1.2.3-alpha.4.5.6.7.8.9.10.11',
    '-----BEGIN PUBLIC KEY-----',
    '-----BEGIN CERTIFICATE-----',
    'https://example.com/a.very.long.path.with.dots/and_underscores_in_it_2024',
  ])('does not find one in %j', (text) => {
    expect(containsSecret(text)).toBe(false)
  })

  test('finds any of them in the middle of any text', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom(...Object.values(SECRETS)),
        fc.string(),
        (before, secret, after) => {
          expect(containsSecret(`${before} ${secret} ${after}`)).toBe(true)
        },
      ),
    )
  })

  test('gets through a megabyte of near misses', () => {
    for (const bait of ['eyJ', 'sk-', '-----BEGIN ', 'ghp_', 'a.', 'eyJaaaa.', 'AKIA', 'sk-A1']) {
      const text = run(bait, 1_000_000)
      expect(containsSecret(text)).toBe(bait === 'sk-A1')
    }
  })
})
