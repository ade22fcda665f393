// Children of the tests that end with the test process, even if that gets SIGKILL and cannot end them itself: the kernel signals them.
// This uses util-linux' `setpriv`, which execs the command, so both have the same pid. Without it (macOS) children outlive a killed run.
// A separate entry point, because set-up scripts use it without vitest.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const SETPRIV = '/usr/bin/setpriv'

let canDo: boolean | undefined

/** The command and its arguments, to be spawned from the main thread. */
export function dieWithUs(command: string, args: readonly string[], signal: 'KILL' | 'TERM' = 'KILL'): [command: string, args: string[]] {
  // Busybox has a `setpriv` without this option.
  canDo ??= existsSync(SETPRIV) && spawnSync(SETPRIV, ['--pdeathsig', signal, 'true']).status === 0
  return canDo ? [SETPRIV, ['--pdeathsig', signal, command, ...args]] : [command, [...args]]
}
