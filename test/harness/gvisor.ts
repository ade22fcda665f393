// gVisor's container runtime, from Debian's package of it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { unpackDebianPackages } from './debian.ts'
import { cacheDir } from './venvs.ts'

const PROGRAMS = join(cacheDir(), 'gvisor')
const RUNSC = join(PROGRAMS, 'usr', 'bin', 'runsc')

export function isGvisorReady(): boolean {
  return existsSync(RUNSC)
}

export async function unpackGvisor(): Promise<void> {
  await unpackDebianPackages(['runsc'], PROGRAMS)
}

/**
 * For the `daemon.json` of an engine. Debian's version is of 2022: without virtualization it has only the platform ptrace, and on a kernel of today it takes each
 * network for that of the machine, so that it uses the sockets of the container's network instead of its own.
 */
export const GVISOR = { runtimes: { runsc: { path: RUNSC, runtimeArgs: ['--platform=ptrace', '--network=host'] } } }
