import type { EndpointView } from '@runyard/schema/api'
import { describe, expect, it } from 'vitest'
import { changeOf, describeEffect, faultsOf, fieldsOf, valuesOf } from './endpoint-change.ts'
import { coverSecrets, readEnv, writeEnv } from './env-lines.ts'

const endpoint: EndpointView = {
  id: 'e1',
  name: 'caption',
  type: 'QUEUE',
  createdAt: '2026-11-30T00:00:00Z',
  image: 'you/caption:1',
  args: '',
  disk: 10,
  ports: [],
  env: { MODE: 'fast', NOTE: 'two\nlines' },
  registry: null,
  gpu: { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: ['12.4'], minCudaVersion: null },
  workers: { min: 0, max: 3, idleTimeout: 10 },
  scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
  dataCenterIds: [],
  networkVolumes: [],
  timeout: 0,
  flashboot: 'OFF',
  requestUrls: {},
}
const changed = (values: Readonly<Record<string, string>>) => changeOf(endpoint, { ...valuesOf(endpoint), ...values })
const health = (idle: number, running: number) => ({ workers: { idle, running } }) as never

it('an untouched form changes nothing', () => {
  expect(changed({})).toMatchObject({ changes: [], body: {} })
  expect(faultsOf(fieldsOf(endpoint), valuesOf(endpoint)).size).toBe(0)
})

it('only what was changed is sent, and the command line says the same', () => {
  const change = changed({ workersMax: '5', idleTimeout: '60', scalingType: 'REQUEST_COUNT', scalingValue: '2' })
  expect(change.body).toEqual({ workers: { max: 5, idleTimeout: 60 }, scaling: { type: 'REQUEST_COUNT', requestCount: 2 } })
  expect(change.command).toBe('runyard endpoints update caption --workers 0..5 --idle-timeout 60 --jobs-per-worker 2')
  expect(describeEffect(change, health(2, 1))).toBe('Applies in place: no worker is replaced.')
})

it('a change of the container is a new release, and says which workers it replaces', () => {
  const change = changed({ image: 'you/caption:2', env: 'MODE=slow and steady\nNEW=1', gpuPools: 'ADA_24, AMPERE_24' })
  expect(change.body).toEqual({
    image: 'you/caption:2',
    env: { MODE: 'slow and steady', NEW: '1' },
    gpu: { pools: ['ADA_24', 'AMPERE_24'] },
  })
  expect(change.command).toBe(
    "runyard endpoints update caption --gpu ADA_24,AMPERE_24 --image you/caption:2 --env 'MODE=slow and steady' --env NEW=1 --unset-env NOTE",
  )
  expect(describeEffect(change, health(2, 1))).toBe(
    'A new release: 2 idle workers replaced at once, 1 busy worker replaced after their jobs.',
  )
})

it('what the command line has no option for has no command', () => {
  expect(changed({ flashboot: 'FLASHBOOT' })).toMatchObject({ body: { flashboot: 'FLASHBOOT' }, command: undefined })
})

it.each([
  [{ workersMax: '-1' }, 'workersMax', 'must be a whole number of at least 0'],
  [{ workersMax: '' }, 'workersMax', 'must be a whole number of at least 0'],
  [{ workersMin: '4' }, 'workersMax', 'must not be below the active workers'],
  [{ idleTimeout: '4000' }, 'idleTimeout', 'must be a whole number from 1 to 3600'],
  [{ image: ' ' }, 'image', 'must not be empty'],
  [{ env: 'A=1\nB' }, 'env', 'line 2 must be NAME=VALUE'],
  [{ env: 'A=1\nA=2' }, 'env', 'line 2 names A once more'],
])('%j is refused at its field', (values, field, fault) => {
  expect(faultsOf(fieldsOf(endpoint), { ...valuesOf(endpoint), ...values }).get(field)).toBe(fault)
})

describe('lines of the environment', () => {
  it('come back as they were, whatever is in the values', () => {
    const env = { A: '1', B: 'x=y', C: 'two\nlines', D: ' blanks ', E: '"quoted"', F: '', G: '{{ RUNPOD_SECRET_hf }}' }
    expect(readEnv(writeEnv(env))).toEqual({ env })
  })

  it('are covered where a name is that of a secret, and references and other values are not', () => {
    const text =
      'MODE=a=b\nRUNPOD_API_KEY=rpa_1\nhf_token="x=y "\nDB_PASSWORD_1=p\nMAX_TOKENS=5\nA_SECRET={{ RUNPOD_SECRET_a }}\nEMPTY_KEY='
    expect(coverSecrets(text)).toBe(
      'MODE=a=b\nRUNPOD_API_KEY=••••••••\nhf_token=••••••••\nDB_PASSWORD_1=••••••••\nMAX_TOKENS=5\nA_SECRET={{ RUNPOD_SECRET_a }}\nEMPTY_KEY=',
    )
  })
})
