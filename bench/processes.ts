// Child processes on chosen cores, and what the kernel knows about them.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { createInterface } from 'node:readline'

const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000
const OUTPUT_LINES_KEPT = 40

export interface Started extends AsyncDisposable {
  readonly pid: number
  readonly url: string
  /** Every line the process printed before it was ready. */
  readonly lines: readonly string[]
  /** From spawning to the line `listening on`, ms. */
  readonly readyMs: number
  stop(): Promise<void>
}

export interface Core {
  readonly gateway: string
  readonly others: string
}

export function portOf(server: Server): number {
  const address = server.address() as AddressInfo
  return address.port
}

/** The first core this process may use is the gateway's; load generator and upstream share the rest. */
export function chooseCores(): Core {
  const allowed = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  const cores = allowed.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  const [gateway = 0, ...others] = cores
  if (others.length === 0) throw new Error('two cores are needed: one for the gateway, one for the load')
  return { gateway: String(gateway), others: others.join(',') }
}

function waitForEnd(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('exit', () => resolve()))
}

async function stopProcess(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await waitForEnd(child)
  clearTimeout(timer)
}

function waitForUrl(child: ChildProcess, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not ready in time:\n${lines.join('\n')}`)),
      START_TIMEOUT_MS,
    )
    const onLine = (line: string): void => {
      if (lines.length < OUTPUT_LINES_KEPT) lines.push(line)
      const url = /listening on (http:\S+)/.exec(line)?.[1]
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    }
    // Both are read to the end: a full pipe would block the process that is measured.
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', onLine)
    }
    child.once('exit', (code) => reject(new Error(`ended with ${String(code)}:\n${lines.join('\n')}`)))
  })
}

/** For scripts of the bench: a bench that was killed must not leave them running. */
export function endWithParent(): void {
  process.stdin.on('end', () => process.exit(0)).resume()
}

export interface StartOptions {
  readonly cores: string
  readonly script: string
  readonly scriptArguments?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts a Node script on the given cores and waits for its line `listening on http://H:N`. */
export async function startProcess(options: StartOptions): Promise<Started> {
  const started = performance.now()
  const command = ['-c', options.cores, process.execPath, options.script, ...(options.scriptArguments ?? [])]
  const child = spawn('taskset', command, {
    // Its input ends when this process does, however that ends: see `endWithParent`.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  })
  const lines: string[] = []
  const url = await waitForUrl(child, lines)
  const stop = (): Promise<void> => stopProcess(child)
  const readyMs = performance.now() - started
  return { pid: child.pid ?? 0, url, lines, readyMs, stop, [Symbol.asyncDispose]: stop }
}

export interface CpuTime {
  /** Of all living threads, ns. Threads hardly come and go here: pools are made at the start. */
  readonly all: number
  /** Of the thread that runs the event loop, ns. The rest is workers, the collector and the compiler. */
  readonly main: number
}

function threadNanoseconds(pid: number, thread: string): number {
  const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
  return Number(text.split(' ')[0])
}

export function cpuTime(pid: number): CpuTime {
  const threads = readdirSync(`/proc/${pid}/task`)
  const all = threads.reduce((sum, thread) => sum + threadNanoseconds(pid, thread), 0)
  return { all, main: threadNanoseconds(pid, String(pid)) }
}

/** The same in clock ticks of 10 ms, ended threads included: a coarse check of `cpuTime`. */
export function cpuTicksMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

export function rssBytes(pid: number): number {
  const kilobytes = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes ?? 0) * 1024
}
