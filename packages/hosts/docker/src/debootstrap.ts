// A minimal Debian or Ubuntu in a directory, made by debootstrap. Every package is checked: by its hash in the release's lists, which are signed
// with a key that this machine has. Without a signature or a keyring it fails; debootstrap itself would only warn.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { systemCode, RunyardError } from '@runyard/schema'
import type { PackageSource } from './apt-sources.ts'

export interface TreeOptions {
  /** An empty directory. */
  readonly root: string
  readonly packages: readonly string[]
  readonly onProgress: (line: string) => void
  readonly signal: AbortSignal | undefined
}

/** Needs root. @throws RunyardError with debootstrap's last lines. */
export async function makeTree(source: PackageSource, { root, packages, onProgress, signal }: TreeOptions): Promise<void> {
  const { mirror, suite, components, keyring } = source
  const options = ['--force-check-gpg', '--variant=minbase', `--components=${components.join(',')}`, `--include=${packages.join(',')}`]
  if (keyring !== undefined) options.push(`--keyring=${keyring}`)
  const child = spawn('debootstrap', [...options, suite, root, ...(mirror === undefined ? [] : [mirror])], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  const errors: string[] = []
  createInterface(child.stdout).on('line', (line) => (line.startsWith('I: ') ? onProgress(line.slice(3)) : errors.push(line)))
  createInterface(child.stderr).on('line', (line) => errors.push(line))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)).catch(
    (error: unknown) => {
      throw missingTool(error)
    },
  )
  if (code === 0) return
  throw new RunyardError('internal', `debootstrap could not make the base image: ${errors.slice(-3).join(' ') || `exit code ${code}`}`)
}

function missingTool(error: unknown): unknown {
  const missing = systemCode(error) === 'ENOENT'
  return missing
    ? new RunyardError('not_found', 'debootstrap is not installed: "sudo apt-get install debootstrap".', { cause: error })
    : error
}
