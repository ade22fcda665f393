// Programs of engines beyond those of this machine, unpacked from Debian packages: gVisor's runtime, and a dockerd that knows CDI.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { unpackDebianPackages } from './debian.ts'
import { cacheDir } from './venvs.ts'

const PROGRAMS = join(cacheDir(), 'engine-programs')
const RUNSC = join(PROGRAMS, 'usr', 'bin', 'runsc')
/** Of Debian 13; that of Debian 12 is too old for CDI. */
export const NEWER_DOCKERD = join(PROGRAMS, 'usr', 'sbin', 'dockerd')

export const isGvisorReady = (): boolean => existsSync(RUNSC)
export const isNewerDockerdReady = (): boolean => existsSync(NEWER_DOCKERD)
export const unpackGvisor = (): Promise<void> => unpackDebianPackages(['runsc'], PROGRAMS)
export const unpackNewerDockerd = (): Promise<void> => unpackDebianPackages(['docker.io'], PROGRAMS, 'trixie')

/**
 * For the `daemon.json` of an engine. Debian's version is of 2022: without virtualization it has only the platform ptrace, and on a kernel of today it takes each
 * network for that of the machine, so that it uses the sockets of the container's network instead of its own.
 */
export const GVISOR = { runtimes: { runsc: { path: RUNSC, runtimeArgs: ['--platform=ptrace', '--network=host'] } } }
