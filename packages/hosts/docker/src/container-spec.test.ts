import { workerLaunch } from '@runyard/testing'
import { describe, expect, it } from 'vitest'
import { AGENT_MOUNT, containerName, planeHosts, toContainerOptions } from './container-spec.ts'
import { WORKER_IMAGE } from './images.ts'

const launch = workerLaunch({ specHash: 'hash', image: 'some/image:1', withAgent: true, args: ['ignored'], env: { A: '1' } })
const host = { instanceId: 'install', agentVolume: 'runyard-agent-1' }

describe('toContainerOptions', () => {
  it('labels everything with what it belongs to', () => {
    const gpus = [
      { uuid: 'GPU-1', name: 'L4', simulated: false },
      { uuid: 'GPU-2', name: 'L4', simulated: true },
    ]
    expect(toContainerOptions({ ...launch, gpus }, host).Labels).toEqual({
      runyard: 'install',
      'runyard.endpoint': 'ep',
      'runyard.worker': 'worker001',
      'runyard.spec': 'hash',
      'runyard.gpus': 'GPU-1,GPU-2',
    })
  })

  it('mounts the build of a deployed app read-only, and a cache that the workers of its owner share', () => {
    const apps = { ...launch, build: { id: 'b1', pythonVersion: '3.12' }, cache: { id: 'abc', maxBytes: 7 } }
    const { HostConfig, Env } = toContainerOptions(apps, host)
    expect(HostConfig?.Mounts).toMatchObject([
      { Target: AGENT_MOUNT },
      { Source: expect.stringMatching(/^runyard-build-[0-9a-f]{8}-b1$/), Target: '/app', ReadOnly: true },
      { Source: expect.stringMatching(/^runyard-cache-[0-9a-f]{8}-abc$/), Target: '/var/cache/runyard' },
    ])
    const found = ['RUNPOD_PREBUILT_APP_DIR=/app', 'UV_CACHE_DIR=/var/cache/runyard/uv', 'RUNYARD_DEPENDENCY_CACHE_BYTES=7']
    expect(Env).toEqual(expect.arrayContaining(found))
  })

  it('knows the worker plane by name, from its own hosts or from those of the sandbox that it joins', () => {
    const extraHosts = planeHosts('http://172.18.0.1:8081')
    expect(extraHosts).toEqual(['runyard.internal:172.18.0.1', 'flash.runyard.internal:172.18.0.1'])
    const hostsOf = (more: object) => toContainerOptions(launch, { ...host, ...more }).HostConfig?.ExtraHosts
    expect([hostsOf({ extraHosts }), hostsOf({ extraHosts, sandbox: 'abc' }), hostsOf({})]).toEqual([extraHosts, undefined, []])
    expect(planeHosts('https://plane.example')).toEqual([])
  })

  it('attaches real GPUs by UUID, never simulated ones and never "all"', () => {
    const gpus = [
      { uuid: 'GPU-1', name: 'L4', simulated: false },
      { uuid: 'GPU-2', name: 'L4', simulated: true },
    ]
    expect(toContainerOptions({ ...launch, gpus }, host).HostConfig?.DeviceRequests).toEqual([
      { Driver: 'nvidia', DeviceIDs: ['GPU-1'], Capabilities: [['gpu']] },
    ])
    expect(toContainerOptions(launch, host).HostConfig?.DeviceRequests).toBeUndefined()
  })

  it('starts the agent from its read-only volume, and nothing of it for an image with its own handler', () => {
    const withAgent = toContainerOptions(launch, host)
    expect(withAgent).toMatchObject({ Entrypoint: [`${AGENT_MOUNT}/bin/node`, `${AGENT_MOUNT}/agent.mjs`], Cmd: [] })
    expect(withAgent.HostConfig?.Mounts).toMatchObject([{ Source: 'runyard-agent-1', Target: AGENT_MOUNT, ReadOnly: true }])
    const own = toContainerOptions({ ...launch, withAgent: false, args: ['python', 'handler.py'] }, host)
    expect(own).toMatchObject({ Cmd: ['python', 'handler.py'], HostConfig: { Mounts: [] } })
    expect(own.Entrypoint).toBeUndefined()
    const entered = toContainerOptions({ ...launch, withAgent: false, entrypoint: ['sh', '-c'], args: ['python handler.py'] }, host)
    expect(entered).toMatchObject({ Entrypoint: ['sh', '-c'], Cmd: ['python handler.py'] })
  })

  it('starts Python beside the agent in our own image, unless a variable, a server or a wait for an endpoint needs it otherwise', () => {
    const beside = ['python3', `${AGENT_MOUNT}/runner/supervisor.py`, '--beside', `${AGENT_MOUNT}/runner/vendor`]
    const agent = [`${AGENT_MOUNT}/bin/node`, `${AGENT_MOUNT}/agent.mjs`]
    const ours = { ...launch, image: WORKER_IMAGE }
    expect(toContainerOptions(ours, host).Entrypoint).toEqual([...beside, ...agent])
    expect(toContainerOptions(ours, host).Env).toContain('RUNYARD_RUNTIME_DIR=/tmp/runyard-beside')
    for (const name of ['PYTHONPATH', 'LD_PRELOAD', 'PATH', 'RUNYARD_PYTHON', 'RUNYARD_PRELOAD', 'RUNYARD_SERVES'])
      expect(toContainerOptions({ ...ours, env: { ...ours.env, [name]: 'x' } }, host).Entrypoint).toEqual(agent)
    expect(toContainerOptions(ours, { ...host, isStandby: true }).Entrypoint).toEqual(agent)
  })

  it('refuses to start the agent on a host without its volume', () => {
    expect(() => toContainerOptions(launch, { instanceId: 'install', agentVolume: undefined })).toThrow('has no agent volume')
  })

  it('mounts nothing but the agent and the CA bundle, both read-only', () => {
    const { HostConfig } = toContainerOptions({ ...launch, caBundle: '/etc/ca.pem' }, host)
    expect(HostConfig?.Mounts?.map(({ Target, ReadOnly }) => [Target, ReadOnly])).toEqual([
      [AGENT_MOUNT, true],
      ['/etc/ca.pem', true],
    ])
    expect(HostConfig?.Binds).toBeUndefined()
    expect(HostConfig?.Privileged).toBeUndefined()
  })

  it('runs under the runtime that is asked for, else under the engine’s own', () => {
    expect(toContainerOptions({ ...launch, runtime: 'runsc' }, host).HostConfig?.Runtime).toBe('runsc')
    expect(toContainerOptions(launch, host).HostConfig).not.toHaveProperty('Runtime')
  })

  it('gives /dev/shm half of the memory limit, and 16 GiB without one', () => {
    const shm = (memoryBytes: number | undefined) => toContainerOptions({ ...launch, memoryBytes }, host).HostConfig?.ShmSize
    expect([shm(2 ** 33), shm(2 ** 20), shm(undefined)]).toEqual([2 ** 32, 2 ** 26, 2 ** 34])
  })

  it('names containers so that two installs can have a worker of the same id', () => {
    expect(containerName('one', 'worker001')).not.toBe(containerName('two', 'worker001'))
  })
})
