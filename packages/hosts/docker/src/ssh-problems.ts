// What ssh says when it reaches no host, as the end of a sentence with the command that mends it.
import type { EngineConnection } from '@runyard/schema'

interface Rule {
  readonly pattern: RegExp
  /** `ssh`: the words with which a user tries it. */
  readonly mend: (how: { readonly ssh: string; readonly target: string }) => string
}

const RULES: readonly Rule[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/i,
    mend: ({ ssh }) => `compare its key with the host's and accept it with "${ssh}"`,
  },
  { pattern: /Permission denied/i, mend: ({ target }) => `give it your key with "ssh-copy-id ${target}"` },
  { pattern: /Could not resolve hostname/i, mend: ({ ssh }) => `write the name or the address with which "${ssh}" works` },
  {
    pattern: /Connection refused/i,
    mend: ({ target }) => `start sshd there, or name its port as in ssh://${target.split(' ').at(-1) ?? ''}:2222`,
  },
  { pattern: /timed out|No route to host|Network is unreachable/i, mend: ({ ssh }) => `see that the machine runs and that "${ssh}" works` },
  { pattern: /ENOENT/, mend: () => 'install it with "sudo apt-get install openssh-client"' },
]

export function sshProblem(words: string, { host, user, port }: Extract<EngineConnection, { kind: 'ssh' }>): string {
  const name = user === undefined ? host : `${user}@${host}`
  const target = port === undefined ? name : `-p ${port} ${name}`
  const ssh = `ssh ${target}`
  const mend = RULES.find(({ pattern }) => pattern.test(words))?.mend ?? (() => `see that "${ssh}" works`)
  return `${words.replace(/\.+$/, '')}: ${mend({ ssh, target })}`
}
