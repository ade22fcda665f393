// Workers of one host share uv's cache: a second worker installs what the first one has fetched, also while the package index is away (ADR 66).
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startFakeGateway, type FakeGateway } from './testing/fake-gateway.ts'
import { uvDirectory } from './testing/uv.ts'
import { flashCall, python, startWorker } from './testing/worker.ts'

const WHEEL = 'tiny-1.0-py3-none-any.whl'
const BUILD = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] if len(sys.argv) > 1 else sys.stdin.read(), "w") as z:
    z.writestr("tiny/__init__.py", "VALUE = '1.0'")
    z.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
    z.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr("tiny-1.0.dist-info/RECORD", "tiny/__init__.py,,\\n")
`

let root: string
let gateway: FakeGateway
let index: Server
/** Requests for the wheel. */
let downloads = 0

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'cache-'))
  python(BUILD, join(root, WHEEL))
  gateway = await startFakeGateway()
  index = createServer((request, response) => {
    if (request.url?.endsWith(WHEEL) === true) {
      downloads += 1
      // As PyPI serves files.
      response.setHeader('cache-control', 'max-age=365000000, immutable, public').end(readFileSync(join(root, WHEEL)))
    } else if (request.url === '/simple/tiny/') response.setHeader('content-type', 'text/html').end(`<a href="/${WHEEL}">${WHEEL}</a>`)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => index.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  index.close()
  await gateway[Symbol.asyncDispose]()
  rmSync(root, { recursive: true, force: true })
})

/** What a worker with a directory of its own answers to a job that needs the package. */
async function runOnNewWorker(name: string): Promise<unknown> {
  const scratch = join(root, name)
  mkdirSync(scratch)
  const url = `http://127.0.0.1:${(address ??= index.address() as AddressInfo).port}/simple`
  const uvSettings = {
    UV_DEFAULT_INDEX: url,
    UV_INDEX_URL: url,
    UV_CACHE_DIR: join(root, 'uv'),
    UV_HTTP_TIMEOUT: '5',
    UV_HTTP_RETRIES: '0',
  }
  await using _ = startWorker(gateway.url, {
    env: {
      ...uvSettings,
      RUNYARD_SCRATCH_DIR: scratch,
      RUNYARD_ENVELOPE: 'flash',
    },
  })
  const code = 'def f():\n    import tiny\n    return tiny.VALUE\n'
  gateway.give({ id: name, input: flashCall('f', code, { dependencies: ['tiny'], serialization_format: 'json' }) })
  return (await gateway.settled(name)).body
}
let address: AddressInfo | undefined

describe.skipIf(uvDirectory === undefined)('the dependencies of a second worker', () => {
  it('come from the cache of the host: nothing is downloaded again, and the package index may be away', async () => {
    expect(await runOnNewWorker('first')).toMatchObject({ output: { json_result: '1.0' } })
    const ofFirst = downloads
    expect(await runOnNewWorker('second')).toMatchObject({ output: { json_result: '1.0' } })
    expect([ofFirst > 0, downloads]).toEqual([true, ofFirst])
    index.closeAllConnections()
    await new Promise((resolve) => index.close(resolve))
    const { output } = (await runOnNewWorker('third')) as { output: { json_result: string; stdout: string } }
    expect(output.json_result).toBe('1.0')
    expect(output.stdout).toContain('the package index does not answer; installing from the cache of this host')
  })
})
