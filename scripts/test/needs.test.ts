import { expect, it } from 'vitest'
import { VENV_NAMES } from '../../test/harness/venvs.ts'
import { needsOf } from './needs.ts'

const NOTHING = { docker: false, browser: false, debianPrograms: false, venvs: [] }

it('a unit test needs nothing beyond the common requirements', () => {
  expect(needsOf([{ path: 'packages/core/src/plan.test.ts', text: "describe('plan', () => {})" }])).toEqual(NOTHING)
})

it('a suite needs what it names', () => {
  const text = "await suiteThatNeeds(['redis', 'promtool', 'venv:runpod-1.12'], 'a suite', () => {})"
  expect(needsOf([{ path: 'test/process/a.test.ts', text }])).toEqual({ ...NOTHING, debianPrograms: true, venvs: ['runpod-1.12'] })
})

it('tests of the Docker host need an engine, even if they do not name it', () => {
  expect(needsOf([{ path: 'packages/hosts/docker/src/images.test.ts', text: '' }])).toEqual({ ...NOTHING, docker: true })
})

it('a suite that computes the names of its environments may need any', () => {
  expect(needsOf([{ path: 'test/process/a.test.ts', text: 'const needs = SDKS.map(({ venv }) => `venv:${venv}`)' }])).toEqual({
    ...NOTHING,
    venvs: VENV_NAMES,
  })
})
