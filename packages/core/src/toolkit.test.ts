import { expect, test } from 'vitest'
import { judgeToolkit } from './toolkit.ts'

const said = (version: string) => `NVIDIA Container Toolkit CLI version ${version}\ncommit: 9a1b\n`

test.each([
  ['1.20.0', 'ok', '1.20.0'],
  ['1.19.1', 'ok', '1.19.1'],
  ['1.19.0', 'note', '1.19.0 has known holes, unless your distribution fixed them: CVE-2026-24260'],
  ['1.17.7', 'note', 'CVE-2026-24260, CVE-2025-23266'],
  ['1.9.0', 'note', 'CVE-2024-0132'],
])('toolkit %s is judged %s', (version, verdict, words) => {
  expect(judgeToolkit(said(version))).toMatchObject({ verdict, words: expect.stringContaining(words) as string })
})

test.each([undefined, '', 'command not found'])('a version that cannot be read (%j) is not called safe', (output) => {
  expect(judgeToolkit(output)).toMatchObject({ verdict: 'note', words: expect.stringContaining('not known') as string })
})
