// Children of the tests that end when the test process does, also by SIGKILL, which leaves it no time to end them: the kernel sends them a
// signal. By util-linux' `setpriv`, which becomes the command itself, so its pid is the command's. Where that is missing (macOS) they
// outlive a killed run. An entry of its own: set-up scripts use it without vitest.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const SETPRIV = '/usr/bin/setpriv'

let canDo: boolean | undefined

/** The command and its arguments, to be spawned from the main thread. */
export function dieWithUs(command: string, args: readonly string[], signal: 'KILL' | 'TERM' = 'KILL'): [command: string, args: string[]] {
  // Busybox has one of that name that cannot do it.
  canDo ??= existsSync(SETPRIV) && spawnSync(SETPRIV, ['--pdeathsig', signal, 'true']).status === 0
  return canDo ? [SETPRIV, ['--pdeathsig', signal, command, ...args]] : [command, [...args]]
}
