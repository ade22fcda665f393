import type { Build, Environment } from '@runyard/schema'
import { endpointRecord } from '@runyard/testing/records'
import { describe, expect, it } from 'vitest'
import { deployedEnvelope, deploymentOf, isOfRelease, pythonOf, resourceSettings, runsApp } from './deployment.ts'
import { place, type OpenHost } from './placement.ts'
import { plan } from './plan.ts'
import { container, endpoint as planned, gpu, host as sightOf, NOW, observed, record, view } from './testing/plan-fixture.ts'

const ENVIRONMENT: Environment = { id: 'env-1', ownerId: 'owner', appId: 'app', name: 'prod', activeBuildId: 'b1', createdAt: 1 }
const BUILD: Build = {
  id: 'b1',
  ownerId: 'owner',
  appId: 'app',
  artifactId: 'a',
  objectKey: 'k',
  kind: 'flash',
  pythonVersion: '3.12',
  sizeBytes: 1,
  sha256: 'f'.repeat(64),
  createdAt: 1,
}
const APPS = { environments: new Map([['env-1', ENVIRONMENT]]), builds: new Map([['b1', BUILD]]) }
const endpoint = (change: Parameters<typeof endpointRecord>[1] = {}) => endpointRecord('ep', { flashEnvironmentId: 'env-1', ...change })

describe('the build of an endpoint', () => {
  it('is the one that its environment has active', () => {
    expect(deploymentOf(endpoint(), APPS)).toEqual({ kind: 'build', build: BUILD })
  })

  it('is that of the release to which it was rolled back, unless that is gone or of another app', () => {
    const [old, foreign] = [
      { ...BUILD, id: 'b0' },
      { ...BUILD, id: 'b9', appId: 'another' },
    ]
    const apps = { ...APPS, builds: new Map([...APPS.builds, ['b0', old], ['b9', foreign]]) }
    expect(deploymentOf(endpoint({ buildId: 'b0' }), apps)).toEqual({ kind: 'build', build: old })
    for (const buildId of ['gone', 'b9']) expect(deploymentOf(endpoint({ buildId }), apps)).toEqual({ kind: 'build', build: BUILD })
  })

  it('is none for an endpoint without environment', () => {
    expect(deploymentOf(endpointRecord('ep', { spec: { env: { FLASH_RESOURCE_NAME: 'fn' } } }), APPS)).toBeUndefined()
  })

  it('is an archive for an image that may unpack it itself, which needs none and brings its own Python', () => {
    const own = (env: Record<string, string>) => endpoint({ spec: { image: 'mine/handler:1', env } })
    const deployment = deploymentOf(own({ FLASH_RESOURCE_NAME: 'fn' }), APPS)
    expect([deployment, pythonOf(deployment)]).toEqual([{ kind: 'archive', build: BUILD }, undefined])
    expect(deploymentOf(own({ FLASH_RESOURCE_NAME: 'fn' }), { ...APPS, builds: new Map() })).toBeUndefined()
    expect(deploymentOf(own({}), APPS)).toBeUndefined()
  })

  it('is also there for an image of the user’s with the runtime of the SDK 2.0', () => {
    expect(runsApp(endpoint({ spec: { image: 'mine/torch:1', env: { RUNPOD_RUNTIME_KIND: 'queue' } } }))).toBe(true)
  })

  it('is missing, with a sentence, before the first deploy, and once the environment is gone or of another owner', () => {
    const undeployed = { ...APPS, environments: new Map([['env-1', { ...ENVIRONMENT, activeBuildId: null }]]) }
    expect(deploymentOf(endpoint(), undeployed)).toEqual({ kind: 'none', message: 'nothing was deployed to the environment "prod" yet' })
    const gone = { kind: 'none', message: 'the environment of the endpoint does not exist any more' }
    expect(deploymentOf(endpoint(), { ...APPS, environments: new Map() })).toEqual(gone)
    expect(deploymentOf(endpoint({ ownerId: 'other' }), APPS)).toEqual(gone)
  })
})

it('its workers speak the envelope of the SDK that built the app', () => {
  expect((['flash', 'sdk2'] as const).map(deployedEnvelope)).toEqual(['deployed-flash', 'deployed-sdk2'])
})

describe('what a manifest says of one function', () => {
  it('is read for the settings that the client does not send', () => {
    const template = { containerDiskInGb: 99, dockerArgs: 'python x.py', startScript: null }
    const manifest = { resources: { fn: { max_concurrency: 4, template } } }
    expect(resourceSettings(manifest, 'fn')).toEqual({ maxConcurrency: 4, diskGb: 99, unfollowed: ['dockerArgs'] })
  })

  it.for([[undefined], [{}], [{ resources: [] }], [{ resources: { fn: 7 } }], [{ resources: { fn: { max_concurrency: 'many' } } }]])(
    'is nothing in %j',
    ([manifest]) => {
      expect(resourceSettings(manifest, 'fn')).toEqual({ unfollowed: [] })
    },
  )

  it('is nothing where the worker has no function', () => {
    expect(resourceSettings({ resources: { fn: { max_concurrency: 4 } } }, undefined)).toEqual({ unfollowed: [] })
  })
})

describe('the Python of an app', () => {
  const host = (hostId: string, pythons?: string[]): OpenHost => ({
    hostId,
    kind: 'process',
    label: hostId,
    capabilities: { runsImages: false, isolates: false, gpuChoice: 'uuid', remembersExits: false },
    cpuCount: 8,
    memoryBytes: 32e9,
    gpus: [],
    cudaVersion: null,
    ...(pythons === undefined ? {} : { pythons }),
  })
  const spec = { ...endpoint().spec, python: '3.12' }

  it('decides which host gets its worker', () => {
    expect(place(spec, [host('one', ['3.11']), host('two', ['3.11', '3.12'])], [])).toMatchObject({ kind: 'placed', hostId: 'two' })
    expect(place(spec, [host('unknown')], [])).toMatchObject({ kind: 'placed' })
  })

  it('is the reason why no worker starts where no host has it', () => {
    const message = 'the app was built for Python 3.12, which no host has: one has 3.10, 3.11; two has none'
    const { label: _label, ...unnamed } = host('two', [])
    expect(place(spec, [host('one', ['3.10', '3.11']), unnamed], [])).toEqual({ kind: 'refused', reason: 'no_python', message })
  })

  it('is any where its build does not say', () => {
    expect(pythonOf({ kind: 'build', build: { ...BUILD, pythonVersion: null } })).toBeUndefined()
    expect(pythonOf({ kind: 'build', build: BUILD })).toBe('3.12')
  })
})

describe('a worker with the spec of its endpoint and another build', () => {
  const deployment = { kind: 'build', build: BUILD } as const

  it.each([
    ['is of another release after a roll-back', 'b1', false],
    ['is of the same release after a roll-back to a build that is gone', 'b0', true],
    ['is of the same release without a roll-back', undefined, true],
  ])('%s', (_, buildId, expected) => {
    expect(isOfRelease({ specHash: 's', buildId: 'b2' }, { specHash: 's', buildId }, deployment)).toBe(expected)
    expect(isOfRelease({ specHash: 's', buildId: 'b1' }, { specHash: 's', buildId }, deployment)).toBe(true)
    expect(isOfRelease({ specHash: 'r', buildId: 'b1' }, { specHash: 's', buildId }, deployment)).toBe(false)
  })

  it('is replaced by one of the release', () => {
    const worker = record('w1', { buildId: 'b2' })
    const found = { ...planned('ep-one', { settings: { workersMin: 1 } }), buildId: 'b1' }
    const hosts = [sightOf('h1', [gpu('g0'), gpu('g1')], [container(worker)])]
    const { actions } = plan(observed([view(found, { workers: [worker], deployment })], hosts), NOW)
    expect(actions.map(({ kind }) => kind)).toEqual(['mark-outdated', 'drain', 'start'])
  })
})
