import { Config, HostConfig } from '@runyard/schema'
import { expect, it } from 'vitest'
import { openHost } from './open-host.ts'

const open = (host: object, workerPlane = {}) =>
  openHost(HostConfig.parse(host), {
    config: Config.parse({ dataDir: '/nowhere', workerPlane }),
    instanceId: 'i',
    env: {},
    root: '/nowhere',
  })

it('each kind of host says what it can do', () => {
  expect(open({ kind: 'docker', id: 'box' })).toMatchObject({
    label: 'box',
    kind: 'docker',
    capabilities: { runsImages: true, isolates: true },
  })
  expect(open({ kind: 'process' })).toMatchObject({ kind: 'process', capabilities: { runsImages: false, gpuChoice: 'uuid' } })
})

it.each([
  ['what is configured for this host', { planeUrl: 'https://plane.example/box/' }, { url: 'http://all' }, 'https://plane.example/box'],
  ['what is configured for all', {}, { url: 'http://all/' }, 'http://all'],
  ['where the gateway listens', {}, { host: '172.17.0.1', port: 7 }, 'http://172.17.0.1:7'],
  ['this machine, where the gateway listens everywhere', {}, { host: '0.0.0.0', port: 7 }, 'http://127.0.0.1:7'],
])('workers reach the worker plane at %s', async (_, host, plane, url) => {
  expect(await open({ kind: 'process', ...host }, plane).planeUrl()).toBe(url)
})

it('a host whose engine does not answer says so, and how to mend it', async () => {
  const probe = await open({ kind: 'docker', socket: '/nowhere/docker.sock' }).probe()
  expect(probe).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('No Docker engine answers on /nowhere/docker.sock') as string,
  })
})
