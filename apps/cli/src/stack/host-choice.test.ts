import { describe, expect, it } from 'vitest'
import { engineNamedBy } from './host-choice.ts'

describe('DOCKER_HOST', () => {
  it('names the socket of an engine of this machine', () => {
    const named = 'unix:///run/user/1000/docker.sock'
    expect(engineNamedBy({ DOCKER_HOST: named })).toEqual({ engine: named })
    expect(engineNamedBy({})).toEqual({})
    expect(engineNamedBy({ DOCKER_HOST: '' })).toEqual({})
  })

  it.for(['tcp://10.0.0.1:2375', 'ssh://me@box', 'box:2375', 'unix://', 'unix://relative'])('%s is refused in one sentence', (named) => {
    expect(() => engineNamedBy({ DOCKER_HOST: named })).toThrow(`DOCKER_HOST names "${named}"`)
  })
})
