// The real pnpm with the settings of this workspace, on a registry that serves one package of any age.
import { execFile } from 'node:child_process'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect } from 'vitest'
import { directory as base, it } from '@runyard/testing/directory'
import { ROOT } from './locations.ts'

const run = promisify(execFile)
const DAY_MS = 86_400_000

let registry: Server
let publishedAt: Date
beforeEach(async () => {
  registry = createServer((_request, response) => {
    const time = publishedAt.toISOString()
    const dist = { tarball: 'http://127.0.0.1:1/fresh.tgz', integrity: `sha512-${Buffer.alloc(64).toString('base64')}` }
    const versions = { '1.0.0': { name: 'fresh', version: '1.0.0', dist } }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name: 'fresh', modified: time, 'dist-tags': { latest: '1.0.0' }, time: { '1.0.0': time }, versions }))
  })
  await once(registry.listen(0, '127.0.0.1'), 'listening')
  const { port } = registry.address() as AddressInfo
  await copyFile(join(ROOT, 'pnpm-workspace.yaml'), join(base, 'pnpm-workspace.yaml'))
  await writeFile(join(base, 'package.json'), JSON.stringify({ private: true, dependencies: { fresh: '*' } }))
  await writeFile(join(base, '.npmrc'), `registry=http://127.0.0.1:${port}/\ncache-dir=${base}/cache\nstore-dir=${base}/store\n`)
})
afterEach(() => {
  registry.close()
})

async function lock(): Promise<{ readonly text: string; readonly isTaken: boolean }> {
  const words = [join(ROOT, 'runyard'), 'exec', 'pnpm', '--dir', base, 'install', '--lockfile-only']
  const text = await run('sh', words).then(
    ({ stdout }) => stdout,
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  )
  const written = await readFile(join(base, 'pnpm-lock.yaml'), 'utf8').catch(() => '')
  return { text, isTaken: written.includes('fresh@1.0.0') }
}

it('a version that was published this week does not enter the lockfile', async () => {
  publishedAt = new Date(Date.now() - 6 * DAY_MS)
  const { text, isTaken } = await lock()
  expect(text).toContain('minimumReleaseAge')
  expect(isTaken).toBe(false)
})

it('a version that is older than a week enters the lockfile', async () => {
  publishedAt = new Date(Date.now() - 8 * DAY_MS)
  expect((await lock()).isTaken).toBe(true)
})
