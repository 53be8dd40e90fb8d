import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFakeSystem } from '../../testing/fake-system.js'
import { createLogger } from './logs.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'spillway-logs-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

/** A pipe with nobody at its other end: it takes 64 KB and then no more. */
function openHangingPipe(): { fd: number; readAll(): string } {
  const path = join(dir, 'pipe')
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const buffer = Buffer.alloc(65_536)
  const read = () => {
    try {
      return buffer.toString('utf8', 0, readSync(fd, buffer))
    } catch {
      return ''
    }
  }
  const readAll = () => {
    let text = ''
    for (let part = read(); part !== ''; part = read()) text += part
    return text
  }
  return { fd, readAll }
}

async function linesOf(run: (file: string) => Promise<void>): Promise<string[]> {
  const file = join(dir, 'log')
  await run(file)
  return readFileSync(file, 'utf8').split('\n').slice(0, -1)
}

test('a line is one JSON object with level, time and event', async () => {
  const lines = await linesOf(async (destination) => {
    const logger = createLogger({ level: 'info', destination, system: createFakeSystem() })
    logger.info('task.ended', { contract: 'support_reply', costUsd: 0.002, apiKey: 'sk-abcdefgh12345678' })
    logger.debug('not.shown')
    logger.error('store.failed', { error: new Error('disk full') })
    await logger.close()
  })
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      level: 'info',
      time: '2026-11-24T00:00:00.000Z',
      contract: 'support_reply',
      costUsd: 0.002,
      apiKey: '[redacted]',
      event: 'task.ended',
    },
    expect.objectContaining({
      level: 'error',
      event: 'store.failed',
      error: expect.objectContaining({ message: 'disk full' }),
    }),
  ])
})

test('a person gets one readable line, coloured only where wanted', async () => {
  const lines = await linesOf(async (destination) => {
    const options = { level: 'info', destination, system: createFakeSystem(), pretty: true } as const
    const plain = createLogger({ ...options, colour: false })
    plain.warn('task.degraded', { rung: 'refine', reason: 'out of money\nand time', left: { usd: 0 } })
    await plain.close()
    const coloured = createLogger(options)
    coloured.warn('task.degraded')
    await coloured.close()
  })
  expect(lines).toEqual([
    '00:00:00.000 warn  task.degraded rung=refine reason="out of money\\nand time" left={"usd":0}',
    '00:00:00.000 \u001b[33mwarn \u001b[39m task.degraded',
  ])
})

test('silent says nothing', async () => {
  expect(
    await linesOf(async (destination) => {
      const logger = createLogger({ level: 'silent', destination, system: createFakeSystem() })
      logger.error('anything')
      await logger.close()
    }),
  ).toEqual([])
})

test('lines keep their order and none is lost while the sink keeps up', async () => {
  const lines = await linesOf(async (destination) => {
    const logger = createLogger({ level: 'info', destination, system: createFakeSystem() })
    for (let n = 0; n < 5_000; n += 1) logger.info('tick', { n })
    await logger.close()
    expect(logger.dropped).toBe(0)
  })
  expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
    Array.from({ length: 5_000 }, (_, n) => n),
  )
})

describe('a sink that hangs', () => {
  test('costs lines, which are counted, and never the caller; afterwards the log says how many are missing', async () => {
    const pipe = openHangingPipe()
    const system = createFakeSystem()
    const logger = createLogger({ level: 'info', destination: pipe.fd, system, queueBytesMax: 200_000 })
    for (let n = 0; n < 10_000; n += 1) logger.info('tick', { n })
    // All of it was taken in one turn of the event loop: nothing waited for the pipe.
    expect(logger.dropped).toBeGreaterThan(5_000)
    const lost = logger.dropped

    let text = ''
    const written = 10_000 - lost
    const ticks = () => text.split('\n').filter((line) => line.includes('"tick"')).length
    while (ticks() < written) {
      text += pipe.readAll()
      await system.advance(50)
    }
    logger.info('back')
    while (!text.includes('"back"')) {
      text += pipe.readAll()
      await system.advance(50)
    }
    closeSync(pipe.fd)
    const last = text
      .trimEnd()
      .split('\n')
      .slice(-2)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(last[0]).toMatchObject({ event: 'log.lines_dropped', level: 'warn', lines: lost })
    expect(last[1]).toMatchObject({ event: 'back' })
    expect(logger.dropped).toBe(lost)
  })

  test('does not hold up closing beyond the given time', async () => {
    const pipe = openHangingPipe()
    const system = createFakeSystem()
    const logger = createLogger({ level: 'info', destination: pipe.fd, system })
    for (let n = 0; n < 3_000; n += 1) logger.info('tick', { n })
    const closed = logger.close(500)
    await system.advance(499)
    expect(await Promise.race([closed.then(() => 'closed'), Promise.resolve('waiting')])).toBe('waiting')
    await system.advance(1)
    await closed
    logger.info('after')
    expect(logger.dropped).toBe(1)
    closeSync(pipe.fd)
  })

  test('as stdout of a process does not keep that process from ending', async () => {
    const pipe = openHangingPipe()
    // The compiled files: a child process cannot load TypeScript.
    const built = (path: string) => fileURLToPath(new URL(path, import.meta.url)).replace('/src/', '/dist/')
    const script = `
      import { createLogger } from '${built('./logs.js')}'
      const logger = createLogger({ level: 'info' })
      for (let n = 0; n < 50000; n += 1) logger.info('tick', { n })
      process.exit(logger.dropped > 0 ? 42 : 1)`
    // Opened anew and blocking, as a shell would hand it over.
    const stdout = openSync(join(dir, 'pipe'), constants.O_WRONLY)
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', stdout, 'inherit'],
    })
    expect(await once(child, 'exit')).toEqual([42, null])
    closeSync(stdout)
    closeSync(pipe.fd)
  })
})

test('a reader that went away costs lines, not the process', async () => {
  const pipe = openHangingPipe()
  const writer = openSync(join(dir, 'pipe'), constants.O_WRONLY | constants.O_NONBLOCK)
  closeSync(pipe.fd)
  const logger = createLogger({ level: 'info', destination: writer, system: createFakeSystem() })
  logger.info('nobody hears this')
  await logger.close()
  expect(logger.dropped).toBe(1)
  closeSync(writer)
})
