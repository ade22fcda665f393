import { expect, it } from 'vitest'
import { sshProblem } from './ssh-problems.ts'

const box = { kind: 'ssh', host: 'box', user: 'me', port: 2222, socket: '/run/docker.sock' } as const

it.each([
  ['Host key verification failed.', 'accept it with "ssh -p 2222 me@box"'],
  ['me@box: Permission denied (publickey).', 'with "ssh-copy-id -p 2222 me@box"'],
  ['ssh: Could not resolve hostname box: Name or service not known', 'with which "ssh -p 2222 me@box" works'],
  ['ssh: connect to host box port 2222: Connection refused', 'as in ssh://me@box:2222'],
  ['ssh: connect to host box port 2222: No route to host', 'see that the machine runs'],
  ['Something new', 'see that "ssh -p 2222 me@box" works'],
])('%s has a mend', (words, mend) => {
  const problem = sshProblem(words, box)
  expect(problem).toMatch(mend)
  expect(problem).not.toContain('.:')
})
