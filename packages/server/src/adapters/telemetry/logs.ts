// Logs: one JSON object a line, or one readable line where a person watches. A name for what happened, and
// its facts.

import { isatty } from 'node:tty'
import { pino } from 'pino'
import type { System } from '../../engine/ports.js'
import { createLiveSystem } from '../system/live-system.js'
import { type LogSink, createLogSink } from './log-sink.js'
import { type Fields, redactFields } from './redact-fields.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** `event` is a fixed name such as `task.ended`; what varies goes into `fields`, never prompt text. */
export interface Logger {
  debug(event: string, fields?: Fields): void
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  error(event: string, fields?: Fields): void
  /** Lines lost so far because the sink was slow or gone. */
  readonly dropped: number
  /** Writes what is queued, for at most `withinMs` (default 1000). */
  close(withinMs?: number): Promise<void>
}

export interface LoggerOptions {
  readonly level: LogLevel | 'silent'
  /** `stdout`, `stderr`, an open descriptor, or a file to append to. Default `stdout`. */
  readonly destination?: string | number
  /** Default: the live system. */
  readonly system?: System
  /** One readable line instead of JSON. Default: when the destination is a terminal. */
  readonly pretty?: boolean
  /** Colour the level of readable lines. Default: as `pretty`. Pass false for NO_COLOR. */
  readonly colour?: boolean
  readonly queueBytesMax?: number
}

type Emit = (level: LogLevel, event: string, fields: Fields) => void

const LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[]

const STREAMS: ReadonlyMap<string | number, number> = new Map([
  ['stdout', 1],
  ['stderr', 2],
])

export function createLogger(options: LoggerOptions): Logger {
  const { system = createLiveSystem(), queueBytesMax } = options
  const destination = STREAMS.get(options.destination ?? 'stdout') ?? options.destination ?? 1
  const sink = createLogSink({
    destination,
    system,
    ...(queueBytesMax === undefined ? {} : { queueBytesMax }),
  })
  const pretty = options.pretty ?? (typeof destination === 'number' && isatty(destination))
  const emit = pretty ? prettyLines(sink, system, options.colour ?? true) : jsonLines(sink, system)
  const lowest = options.level === 'silent' ? LEVELS.length : LEVELS.indexOf(options.level)
  const tellLost = lossReporter(sink, emit)
  const log = (level: LogLevel) => {
    if (LEVELS.indexOf(level) < lowest) return () => undefined
    return (event: string, fields: Fields = {}): void => {
      tellLost()
      emit(level, event, redactFields(fields))
    }
  }
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    get dropped() {
      return sink.dropped
    },
    close: (withinMs = 1_000) => sink.close(withinMs),
  }
}

/** Says how many lines are missing, at the place where they are missing, once there is room again. */
function lossReporter(sink: LogSink, emit: Emit): () => void {
  let told = 0
  return () => {
    if (sink.dropped === told || !sink.hasRoom) return
    const lines = sink.dropped - told
    told = sink.dropped
    emit('warn', 'log.lines_dropped', { lines })
  }
}

function jsonLines(sink: LogSink, system: System): Emit {
  const logger = pino(
    {
      level: 'debug',
      base: null,
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date(system.nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(line) },
  )
  return (level, event, fields) => logger[level](fields, event)
}

const COLOURS = { debug: 90, info: 32, warn: 33, error: 31 } as const satisfies Record<LogLevel, number>

function prettyLines(sink: LogSink, system: System, colour: boolean): Emit {
  return (level, event, fields) => {
    const time = new Date(system.nowMs()).toISOString().slice(11, 23)
    const word = level.padEnd(5)
    const label = colour ? `\u001b[${COLOURS[level]}m${word}\u001b[39m` : word
    const facts = Object.entries(fields).map(([name, value]) => ` ${name}=${prettyValue(value)}`)
    sink.write(`${time} ${label} ${event}${facts.join('')}\n`)
  }
}

/** On one line, with quotes only where a value would be misread without. */
function prettyValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value
  return JSON.stringify(value) ?? 'undefined'
}
