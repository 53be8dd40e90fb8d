import { Command } from 'commander'
import { expect, test } from 'vitest'
import type { CliIo } from './cli-io.js'
import { registerSim, simCommand } from './sim.js'

function fakeIo(): CliIo & { readonly lines: string[]; readonly errors: string[]; readonly codes: number[] } {
  const lines: string[] = []
  const errors: string[] = []
  const codes: number[] = []
  const io = { out: (text: string) => void lines.push(text), err: (text: string) => void errors.push(text) }
  return { lines, errors, codes, ...io, exit: (code) => void codes.push(code), colour: false, key: null }
}

const OPTIONS = { port: 0, host: '127.0.0.1', seed: 3 }

test('it says where it listens, and answers there with its knobs', async () => {
  const io = fakeIo()
  const server = await simCommand({ ...OPTIONS, outage: true }, io)
  expect(io.lines).toEqual([`listening on ${server?.url}`])
  const response = await fetch(`${server?.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer k' },
    body: '{"model":"m","messages":[{"role":"user","content":"x"}]}',
  })
  expect(response.status).toBe(503)
  await server?.close()
})

test('with --json the line is JSON', async () => {
  const io = fakeIo()
  const server = await simCommand({ ...OPTIONS, json: true }, io)
  expect(JSON.parse(io.lines[0] ?? '')).toEqual({ url: server?.url, simulated: true })
  await server?.close()
})

test('a knob out of range is wrong usage, a taken port is not reachable', async () => {
  const io = fakeIo()
  expect(await simCommand({ ...OPTIONS, errorRate: 2 }, io)).toBeNull()
  expect(io.codes).toEqual([2])
  expect(io.errors[0]).toMatch(/^--error-rate: /)
  const server = await simCommand(OPTIONS, io)
  expect(await simCommand({ ...OPTIONS, port: Number(new URL(server?.url ?? '').port) }, io)).toBeNull()
  expect(io.codes).toEqual([2, 3])
  await server?.close()
})

test('every knob is a flag, and a number that is none is refused by the parser', async () => {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  registerSim(program, fakeIo())
  const flags = program.commands[0]?.options.map((option) => option.long) ?? []
  const named = [
    'port',
    'host',
    'seed',
    'latency-ms',
    'jitter',
    'tokens-per-second',
    'error-rate',
    'throttle-rate',
  ]
  const more = [
    'requests-per-minute',
    'broken-stream-rate',
    'stall-rate',
    'usage-factor',
    'confidence',
    'output-tokens',
  ]
  expect(flags).toEqual(
    expect.arrayContaining([...named, ...more, 'outage', 'json'].map((name) => `--${name}`)),
  )
  await expect(program.parseAsync(['sim', '--latency-ms', 'soon'], { from: 'user' })).rejects.toThrow(
    /Give a number/,
  )
})
