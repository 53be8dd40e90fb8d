// Makes the tree ready to run: right Node, dependencies installed, sources built. Does nothing, quickly, when
// nothing changed. `node scripts/ready.mjs [project...]` builds the named TypeScript projects, or all of
// them. Plain JavaScript with nothing but Node in it, because it runs before anything is installed.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_LEAST = [20, 19]
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MODULES = join(ROOT, 'node_modules')
const STAMPS = join(MODULES, '.spillway')
const SOURCE_ROOTS = ['packages', 'test', 'bench']
const ROOT_INPUTS = ['package.json', 'tsconfig.json', 'tsconfig.base.json']
const SKIPPED = new Set(['node_modules', 'dist', 'results', '.spillway'])
const IS_INPUT = /\.tsx?$|^tsconfig.*\.json$|^package\.json$/

const say = (text) => process.stderr.write(`spillway: ${text}\n`)

function fail(text) {
  say(text)
  process.exit(1)
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > NODE_LEAST[0] || (major === NODE_LEAST[0] && minor >= NODE_LEAST[1])) return
  fail(
    `needs Node ${NODE_LEAST.join('.')} or newer, this is ${process.versions.node}. See https://nodejs.org.`,
  )
}

function run(command, commandArguments) {
  // What a child prints goes to stderr: the stdout of `npm start` belongs to the server.
  // npm before 11.19 runs every install script: this one is told not to download or compile anything.
  const env = { ...process.env, NODE_LLAMA_CPP_SKIP_DOWNLOAD: 'true' }
  const done = spawnSync(command, commandArguments, { cwd: ROOT, env, stdio: ['ignore', 2, 2] })
  return done.status === 0
}

function readStamp(name) {
  const file = join(STAMPS, name)
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}

function writeStamp(name, value) {
  mkdirSync(STAMPS, { recursive: true })
  writeFileSync(join(STAMPS, name), value)
}

const hashOf = (text) => createHash('sha256').update(text).digest('hex')

/** Native modules are built for one Node ABI, so the stamp names it next to the lockfile. */
function installStamp() {
  return `${process.versions.modules} ${hashOf(readFileSync(join(ROOT, 'package-lock.json')))}`
}

/** True when somebody ran `npm install` by hand after the lockfile last changed. */
function installedByHand() {
  const marker = join(MODULES, '.package-lock.json')
  if (readStamp('installed') !== null || !existsSync(marker)) return false
  return statSync(marker).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs
}

function install() {
  const stamp = installStamp()
  if (readStamp('installed') === stamp) return
  if (!installedByHand()) {
    say(
      'installing dependencies (better-sqlite3 compiles for about two minutes where no prebuilt can be had)',
    )
    // Not `npm ci`: it refuses a lockfile that lacks the optional builds of other platforms, which a registry may
    // not even have. The versions are those of the lockfile all the same, and it is not written.
    const fresh = run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'])
    if (!fresh) fail('npm install failed; its messages are above')
  }
  writeStamp('installed', stamp)
}

function inputsUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : inputsUnder(join(folder, entry.name))
    return IS_INPUT.test(entry.name) ? [join(folder, entry.name)] : []
  })
}

/** Changes when a source is added, removed, touched or resized; reads no file. */
function sourcesFingerprint() {
  const folders = SOURCE_ROOTS.map((name) => join(ROOT, name)).filter((folder) => existsSync(folder))
  const files = [...ROOT_INPUTS.map((name) => join(ROOT, name)), ...folders.flatMap(inputsUnder)]
  const lines = files.map((file) => {
    const { mtimeMs, size } = statSync(file)
    return `${relative(ROOT, file)} ${mtimeMs} ${size}`
  })
  return hashOf(lines.sort().join('\n'))
}

function build(projects) {
  const stampName = `built-${projects.join('-').replaceAll('/', '.') || 'all'}`
  const fingerprint = sourcesFingerprint()
  const outputs = ['packages/protocol/dist', 'packages/server/dist'].map((name) => join(ROOT, name))
  const whole = outputs.every((folder) => existsSync(folder))
  if (whole && readStamp(stampName) === fingerprint) return
  say(`building ${projects.join(', ') || 'everything'}`)
  const compiler = join(MODULES, 'typescript', 'bin', 'tsc')
  // The compiler's own record can outlive its output (`rm -r dist`): then everything is written again.
  const built = run(process.execPath, [compiler, '-b', ...projects, ...(whole ? [] : ['--force'])])
  if (!built) fail('the build failed; the errors are above')
  writeStamp(stampName, fingerprint)
}

/**
 * npm links a workspace's command only if its file exists when it installs, which is before the first build.
 */
function linkCommand() {
  const command = join(ROOT, 'packages', 'server', 'dist', 'cli', 'main.js')
  const link = join(MODULES, '.bin', 'spillway')
  if (process.platform === 'win32' || !existsSync(command)) return
  if ((statSync(command).mode & 0o111) === 0) chmodSync(command, 0o755)
  if (!existsSync(link)) symlinkSync(relative(join(MODULES, '.bin'), command), link)
}

checkNode()
install()
build(process.argv.slice(2))
linkCommand()
