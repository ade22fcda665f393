import { workerLaunch } from '@runyard/testing'
import { expect, test } from 'vitest'
import { toContainerOptions } from './container-spec.ts'
import { gpuRequest, gpuWayOf } from './gpu-way.ts'

const SPECS = { CDISpecDirs: ['/etc/cdi', '/var/run/cdi'] }
const FOUND = { ...SPECS, DiscoveredDevices: [{ Source: 'cdi', ID: 'nvidia.com/gpu=GPU-1' }] }

test.each([
  ['nvidia', 'the engine has the runtime', { Runtimes: { nvidia: {} }, ...FOUND }, false],
  ['nvidia', 'the hook is there', FOUND, true],
  ['nvidia', 'nothing is known', {}, false],
  ['nvidia', 'the engine looks for specifications and finds none', { ...SPECS, DiscoveredDevices: [] }, false],
  ['nvidia', 'only other devices have specifications', { ...SPECS, DiscoveredDevices: [{ ID: 'amd.com/gpu=0' }] }, false],
  ['cdi', 'a specification names GPUs', FOUND, false],
  ['cdi', 'an older engine only says where specifications are', SPECS, false],
] as const)('GPUs are attached by %s where %s', (way, _, facts, hook) => {
  expect(gpuWayOf(facts, hook)).toBe(way)
})

test('by CDI cards and slices are asked for by their names in the specification, and never all of them', () => {
  expect(gpuRequest('cdi', ['GPU-1', 'MIG-2'])).toEqual({ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=GPU-1', 'nvidia.com/gpu=MIG-2'] })
  const gpus = [{ uuid: 'GPU-1', name: 'NVIDIA GB10', simulated: false }]
  const options = toContainerOptions(workerLaunch({ gpus }), { instanceId: 'install', agentVolume: 'agent', gpuWay: 'cdi' })
  expect(options.HostConfig?.DeviceRequests).toEqual([{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=GPU-1'] }])
})
