// Writes the lock files of all Python packages: `./runyard exec node scripts/refresh-locks.ts`. Each package has one version and the hashes of
// its files, so an index can only serve exactly these files. Releases of the last week are excluded, as for npm.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureUv, LOCKED_VENVS } from '../test/harness/venvs.ts'
import { VENV_LOCK, type VenvLock } from '../test/harness/venv-lock.ts'
import { readPackages, toRequirements, type LockedPackage } from './locks/pylock.ts'
import { ALONE, WANTED } from './locks/wanted.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..')
/** The oldest Python version that workers and SDKs run on. */
const OLDEST_PYTHON = '3.10'
const MATURE_AFTER_MS = 7 * 86_400_000

const HEADER = '# Written by scripts/refresh-locks.ts. Installed with --require-hashes.\n'

const uv = await ensureUv()
/** Named by a part of their path; without a name all of them. */
const named = process.argv.slice(2)
for (const [path, wanted] of Object.entries(WANTED)) {
  if (named.length > 0 && !named.some((part) => path.includes(part))) continue
  const packages = [...(await resolve(wanted)), ...(await resolve(ALONE[path] ?? [], ['--no-deps']))]
  await writeFile(join(ROOT, path), HEADER + toRequirements(packages))
  say(path)
}
if (named.length === 0) await writeVenvLock()

/** Environments share most packages, so the hashes of each package are written once. */
async function writeVenvLock(): Promise<void> {
  const hashes = new Map<string, readonly string[]>()
  const venvs: Record<string, readonly string[]> = {}
  for (const [name, wanted] of Object.entries(LOCKED_VENVS)) {
    const packages = await resolve(wanted)
    for (const { pin, hashes: of } of packages) hashes.set(pin, of)
    venvs[name] = packages.map(({ pin, marker }) => (marker === undefined ? pin : `${pin} ; ${marker}`))
    say(name)
  }
  const sorted = [...hashes].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const lock: VenvLock = { venvs, hashes: Object.fromEntries(sorted) }
  await writeFile(VENV_LOCK, `${JSON.stringify(lock, null, 1)}\n`)
}

async function resolve(wanted: readonly string[], more: readonly string[] = []): Promise<readonly LockedPackage[]> {
  if (wanted.length === 0) return []
  const directory = await mkdtemp(join(tmpdir(), 'runyard-lock-'))
  try {
    const [input, output] = [join(directory, 'requirements.in'), join(directory, 'pylock.toml')]
    await writeFile(input, wanted.join('\n'))
    const mature = new Date(Date.now() - MATURE_AFTER_MS).toISOString()
    const how = ['--quiet', '--universal', '--python-version', OLDEST_PYTHON, '--exclude-newer', mature]
    await run(uv, ['pip', 'compile', ...how, ...more, '--format', 'pylock.toml', '-o', output, input])
    return readPackages(await readFile(output, 'utf8'))
  } finally {
    await rm(directory, { recursive: true })
  }
}

function say(what: string): void {
  process.stdout.write(`${what} is written\n`)
}
