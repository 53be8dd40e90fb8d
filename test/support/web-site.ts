// A web site as an application has one: a page, an import map and the ES modules as they were built, no
// bundler. It listens on this machine only; as `127.0.0.1` and as `localhost` it is two origins.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface WebSite extends AsyncDisposable {
  readonly origin: string
  /** The same pages under another name, and so another origin. */
  readonly otherOrigin: string
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** First folder of the URL -> folder of the repository. */
const FOLDERS: Readonly<Record<string, string>> = {
  client: 'packages/client/dist',
  protocol: 'packages/protocol/dist',
  page: 'test/dist/support',
  openai: 'node_modules/openai',
}

const IMPORTS = {
  '@spillway/client': '/client/index.js',
  '@spillway/protocol': '/protocol/index.js',
  openai: '/openai/index.mjs',
}

const PAGE = `<!doctype html>
<title>An application</title>
<link rel="icon" href="data:," />
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script>globalThis.loading = import('/page/page-task.js')</script>
`

async function find(path: string): Promise<{ readonly type: string; readonly body: string | Buffer } | null> {
  if (path === '/') return { type: 'text/html', body: PAGE }
  const [, folder = '', ...rest] = path.split('/')
  const root = FOLDERS[folder]
  if (root === undefined || !/\.m?js$/.test(path)) return null
  const body = await readFile(join(ROOT, root, ...rest)).catch(() => null)
  return body === null ? null : { type: 'text/javascript', body }
}

async function serve(url: string, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(url, 'http://localhost')
  const found = await find(pathname)
  if (found === null) response.writeHead(404).end(`no ${pathname}`)
  else response.writeHead(200, { 'content-type': `${found.type}; charset=utf-8` }).end(found.body)
}

export async function startWebSite(): Promise<WebSite> {
  const server = createServer((request, response) => void serve(request.url ?? '/', response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    otherOrigin: `http://localhost:${port}`,
    [Symbol.asyncDispose]: close,
  }
}
