// Follows the output of a command that does not end by itself, such as `nvidia-smi -l`, on this machine. Other ways to a machine implement the same type.
import { spawn } from 'node:child_process'
import { systemCode } from '@runyard/schema'

export interface Follow {
  /** Standard output as it comes, in pieces of any size. */
  readonly onOutput: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * Resolves with the exit code when the command has ended, or with undefined if the machine has no such command. An abort ends the command. The
 * command never outlives this process for long: its output leads nowhere then.
 * @throws what keeps the command from being started there; whether it exists is then unknown.
 */
export type FollowCommand = (file: string, args: readonly string[], follow: Follow) => Promise<number | undefined>

/** Ended by a signal, as shells count it. */
const SIGNALLED = 128

export const followLocally: FollowCommand = (file, args, { onOutput, signal }) => {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const child = spawn(file, [...args], { stdio: ['ignore', 'pipe', 'ignore'], signal, killSignal: 'SIGKILL' })
  child.stdout.setEncoding('utf8').on('data', onOutput)
  child.once('error', (error) => {
    if (systemCode(error) === 'ENOENT') return resolve(undefined)
    // An abort is an error, too; the process has ended when its output has.
    if (!signal.aborted) reject(error)
  })
  child.once('close', (code) => resolve(code ?? SIGNALLED))
  return promise
}
