import { expect, it } from 'vitest'
import { canStandbyServe, standbyTemplate, type StandbyRequest } from './standby.ts'
import { endpoint } from './testing/plan-fixture.ts'

const template = (preload: readonly string[] = []) =>
  standbyTemplate({ image: 'runyard/worker', preload, pidsLimit: 9, caBundle: undefined })
const request = (change: Partial<StandbyRequest> = {}, env: Record<string, string> = {}): StandbyRequest => ({
  spec: endpoint('ep1', { spec: { env } }).spec,
  image: 'runyard/worker',
  withAgent: true,
  gpus: [],
  runtime: undefined,
  ...change,
})
const card = (simulated: boolean) => [{ uuid: 'GPU-1', name: 'NVIDIA L4', simulated }]

it.each<[string, StandbyRequest, readonly string[]]>([
  ['the default image', request(), []],
  ['variables that the function reads', request({}, { HF_TOKEN: 'secret', TZ: 'UTC' }), []],
  ['a simulated GPU', request({ gpus: card(true) }), []],
  ['a real GPU, where a variable gives it', request({ gpus: card(false), cardsByVariable: true }), []],
  ['no variables of its own beside preloaded modules', request(), ['torch']],
])('a standby worker serves an endpoint with %s', (_, asked, preload) => {
  expect(canStandbyServe(asked, template(preload))).toBe(true)
})

it.each<[string, StandbyRequest, readonly string[]]>([
  ['another image', request({ image: 'own/image' }), []],
  ['a handler of its own', request({ withAgent: false }), []],
  ['a real GPU, which Docker attaches to no running container', request({ gpus: card(false) }), []],
  ['another container runtime', request({ runtime: 'runsc' }), []],
  ['a variable that Python reads as it starts', request({}, { PYTHONHASHSEED: '0' }), []],
  ['a variable of the dynamic linker', request({}, { LD_PRELOAD: '/x.so' }), []],
  ['another list of modules', request({}, { RUNYARD_PRELOAD: 'numpy' }), []],
  ['variables that preloaded modules have not seen', request({}, { HF_HOME: '/cache' }), ['transformers']],
])('a worker starts anew for an endpoint with %s', (_, asked, preload) => {
  expect(canStandbyServe(asked, template(preload))).toBe(false)
})

it('a standby worker has no endpoint, no token and no GPU, and trusts the operator’s certificates', () => {
  const { launch } = standbyTemplate({ image: 'i', preload: ['torch'], pidsLimit: 9, caBundle: '/ca.pem' })
  expect(launch).toMatchObject({ workerId: '', endpointId: '', gpus: [], caBundle: '/ca.pem', withAgent: true })
  expect(launch.env).toMatchObject({ RUNYARD_STANDBY: '1', RUNYARD_PRELOAD: 'torch', NODE_EXTRA_CA_CERTS: '/ca.pem' })
  expect(Object.keys(launch.env).filter((name) => name.startsWith('RUNPOD_'))).toEqual([])
})
