import { randomBytes } from 'node:crypto'
import { describeHostConformance } from '@runyard/testing'
import type { HostFixture } from '@runyard/testing'
import Docker from 'dockerode'
import { containerName } from './container-spec.ts'
import { createDockerHost } from './docker-host.ts'

const socket = '/var/run/docker.sock'
const docker = new Docker({ socketPath: socket })

function createFixture(): HostFixture {
  const instanceId = `conformance-${randomBytes(4).toString('hex')}`
  const create = (instance: string) => createDockerHost({ hostId: 'docker-under-test', socket, instanceId: instance })
  return {
    createDriver: () => create(instanceId),
    createStranger: () => create(`${instanceId}-other`),
    launch: (base, script) => ({ ...base, args: ['sh', '-c', script] }),
    kill: async (workerId) => {
      await docker.getContainer(containerName(instanceId, workerId)).kill({ signal: 'SIGKILL' })
    },
    leftovers: async () => {
      const containers = await docker.listContainers({ all: true, filters: { label: [`runyard=${instanceId}`] } })
      return containers.flatMap((container) => container.Names)
    },
    async [Symbol.asyncDispose]() {},
  }
}

describeHostConformance('a Docker Engine', async () => createFixture(), { memoryLimit: true, foreignExitCodes: true, gpu: 'x' })
