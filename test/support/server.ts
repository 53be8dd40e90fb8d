// Starts the built server, or the built simulator, as a process of its own: what a user runs is what is
// tested.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface ServerOptions {
  /** Text of a `spillway.yaml`. Default: the built-in configuration. */
  readonly config?: string
  /** Added to a plain environment without any provider key. */
  readonly env?: Readonly<Record<string, string>>
  /** More arguments for `serve`. */
  readonly args?: readonly string[]
  /** Data of an earlier server, to start again on. Default: a new folder, removed by `stop`. */
  readonly dir?: string
}

export interface RunningProcess extends AsyncDisposable {
  readonly url: string
  readonly process: ChildProcess
  /** What it has printed so far, both streams. */
  output(): string
  /** SIGTERM, then waits for the end. Resolves with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL, then waits for the end. */
  kill(): Promise<void>
}

export interface RunningServer extends RunningProcess {
  /** Where its data is kept. */
  readonly dir: string
}

/** The built command line. */
export const MAIN = fileURLToPath(new URL('../../packages/server/dist/cli/main.js', import.meta.url))
// The line end is part of it: a chunk may end in the middle of the port.
const LISTENING = /^listening on (http:\/\/\S+)\n/m
const OUTPUT_KEPT = 1024 * 1024

export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'spillway-test-')))
  const args = ['serve', '--port', '0', '--data', join(dir, 'data'), ...(options.args ?? [])]
  if (options.config !== undefined) {
    const file = join(dir, 'spillway.yaml')
    await writeFile(file, options.config)
    args.push('--config', file)
  }
  const running = await start(args, { cwd: dir, env: options.env ?? {} })
  const stop = async () => {
    const code = await running.stop()
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
    return code
  }
  return { ...running, dir, stop, [Symbol.asyncDispose]: async () => void (await stop()) }
}

/** The simulated provider as an HTTP server: OpenAI wire under `/v1`, Anthropic wire under the root. */
export function startSim(args: readonly string[] = []): Promise<RunningProcess> {
  return start(['sim', '--port', '0', ...args], { cwd: tmpdir(), env: {} })
}

async function start(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<RunningProcess> {
  // The developer's own keys and configuration must not decide what a test sees.
  const plain = { PATH: process.env['PATH'] ?? '', HOME: cwd, TMPDIR: tmpdir(), ...env }
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: plain,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_KEPT)
      const found = LISTENING.exec(output)
      if (found?.[1] !== undefined) resolve(found[1])
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    void ended.then((code) => reject(new Error(`ended with ${code} before it listened:\n${output}`)))
  })
  const end = (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal)
    return ended
  }
  return {
    url,
    process: child,
    output: () => output,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    [Symbol.asyncDispose]: async () => void (await end('SIGTERM')),
  }
}
