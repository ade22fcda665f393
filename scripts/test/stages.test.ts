import { globSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { STAGES, WAITING } from './stages.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const exclude = (path: string): boolean => path.includes('node_modules')
const all = globSync(['{apps,packages}/**/*.test.ts', 'scripts/**/*.test.ts', 'test/**/*.test.ts'], { cwd: ROOT, exclude })

it('each test file is in one stage', () => {
  expect(all.length).toBeGreaterThan(400)
  expect(all.filter((path) => STAGES.filter(({ holds }) => holds(path)).length !== 1)).toEqual([])
})

it('the files that wait exist', () => {
  expect(WAITING.filter((path) => !all.includes(path))).toEqual([])
})
