// `runyard doctor` on a machine whose configuration names several engines. None of them answers, so that this needs no Docker.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { directory as root, it as test } from '@runyard/testing/directory'
import type { Finding } from './finding.ts'
import { runCommandLine } from '../command-line.ts'
import { recorder } from '../testing/recorder.ts'

async function findings(hosts: string): Promise<readonly Finding[]> {
  await writeFile(join(root, 'runyard.yaml'), hosts)
  const [out, err] = [recorder(), recorder()]
  const env = { PATH: process.env['PATH'] }
  expect(await runCommandLine(['doctor', '--json', '--data', join(root, 'data')], { env, cwd: root, out, err })).toBe(1)
  const found: readonly Finding[] = JSON.parse(out.text())
  return found.filter(({ subject }) => subject.startsWith('Docker'))
}

test('doctor examines every Docker host and names each one; all of them must answer', async () => {
  const engine = (id: string) => `  - { id: ${id}, engine: 'unix://${root}/${id}.sock' }\n`
  const [one, two, ...others] = await findings(`hosts:\n${engine('one')}  - { kind: process, id: here }\n${engine('two')}`)
  expect(one).toMatchObject({ subject: 'Docker (one)', verdict: 'missing', words: expect.stringContaining('one.sock') as string })
  expect(two).toMatchObject({ subject: 'Docker (two)', verdict: 'missing', words: expect.stringContaining('two.sock') as string })
  expect(others).toEqual([])
})

test('a single Docker host needs no name', async () => {
  expect(await findings(`hosts:\n  - { id: one, engine: 'unix://${root}/one.sock' }\n`)).toMatchObject([{ subject: 'Docker' }])
})
