import { describe, expect, it } from 'vitest'
import { socketOf } from './host-choice.ts'

describe('DOCKER_HOST', () => {
  it('names the socket of an engine of this machine', () => {
    expect(socketOf({ DOCKER_HOST: 'unix:///run/user/1000/docker.sock' })).toEqual({ socket: '/run/user/1000/docker.sock' })
    expect(socketOf({})).toEqual({})
    expect(socketOf({ DOCKER_HOST: '' })).toEqual({})
  })

  it.for(['tcp://10.0.0.1:2375', 'ssh://me@box', 'box:2375', 'unix://', 'unix://relative'])('%s is refused in one sentence', (named) => {
    expect(() => socketOf({ DOCKER_HOST: named })).toThrow(`DOCKER_HOST names "${named}"`)
  })
})
