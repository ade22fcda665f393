// What a driver says about images of a real engine, and how it removes them.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import Docker from 'dockerode'
import { afterEach, describe, expect, it } from 'vitest'
import { createDockerHost } from './docker-host.ts'

const socket = '/var/run/docker.sock'
const docker = new Docker({ socketPath: socket })

describe('images of an engine', () => {
  const repo = `runyard-test/pruned-${randomBytes(4).toString('hex')}`
  const name = `${repo}:1`
  const driver = createDockerHost({ label: 'here', connection: { kind: 'unix', socket }, instanceId: repo })

  afterEach(async () => {
    const containers = await docker.listContainers({ all: true, filters: { label: [repo] } })
    await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true })))
    await driver.removeImage(name)
  })

  /** An archive without files. */
  const importEmpty = async () => {
    const answer = await docker.importImage(Readable.from([Buffer.alloc(1024)]), { repo, tag: '1' })
    await new Promise((resolve) => answer.on('end', resolve).resume())
  }

  it('are held by containers, and one in use is not removed', async () => {
    await importEmpty()
    const imageId = await driver.imageId(name)
    expect(await driver.heldImages([name, 'runyard-test/absent:1'])).toEqual([{ name, imageId, bytes: expect.any(Number), isUsed: false }])
    const container = await docker.createContainer({ Image: name, Cmd: ['/none'], Labels: { [repo]: 'yes' } })
    expect(await driver.heldImages([name])).toMatchObject([{ isUsed: true }])
    expect(await driver.removeImage(name)).toBe(false)
    await container.remove()
    expect(await driver.removeImage(name)).toBe(true)
    expect(await driver.heldImages([name])).toEqual([])
    expect(await driver.removeImage(name)).toBe(false)
  })

  it('lose only the name that was removed if they have another one', async () => {
    await importEmpty()
    const other = `${repo}:owner`
    await docker.getImage(name).tag({ repo, tag: 'owner' })
    expect(await driver.removeImage(name)).toBe(true)
    expect(await driver.hasImage(other)).toBe(true)
    expect(await driver.removeImage(other)).toBe(true)
  })
})
