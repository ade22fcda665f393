import type { GpuTypeView, PoolView } from '@runyard/schema/api'
import { describe, expect, it } from 'vitest'
import { RunyardError } from '@runyard/schema/errors'
import { coverBody, coverCommand, refusedFields, toCurl } from '../endpoint/settings/endpoint-change.ts'
import { describeMatch, offersOf } from '../endpoint/settings/match-cards.ts'
import { readDraft, sourcesOf, type Draft } from './new-endpoint.ts'

const draft = (more: Partial<Draft> = {}): Draft => ({
  type: 'QUEUE',
  source: 'own',
  processors: 'gpu',
  written: { name: 'sd' },
  pools: ['ADA_24'],
  ...more,
})

describe('a new endpoint', () => {
  it('needs a name alone: the rest has what is usual, and asks for the cards that are there', () => {
    const { body, command, faults } = readDraft(draft(), [])
    expect(faults.size).toBe(0)
    expect(body).toEqual({
      type: 'QUEUE',
      name: 'sd',
      image: 'runpod/flash:latest',
      scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
      gpu: { pools: ['ADA_24'] },
    })
    expect(command).toBe('runyard endpoints create --name sd --queue-delay 4 --gpu ADA_24 --image runpod/flash:latest')
  })

  it('of an image or a template asks for that', () => {
    expect([...readDraft(draft({ source: 'image' }), []).faults.keys()]).toEqual(['image'])
    expect([...readDraft(draft({ source: 'template' }), []).faults.keys()]).toEqual(['template'])
    const made = readDraft(draft({ source: 'template', processors: 'cpu', written: { name: 'sd', template: 't1' } }), [])
    expect(made.body).toMatchObject({ templateId: 't1', cpu: [{ id: 'cpu3g', vcpuCount: 2, memory: 8 }] })
    expect(made.body).not.toHaveProperty('image')
    expect(made.body).not.toHaveProperty('gpu')
    expect(made.command).toBeUndefined()
  })

  it('must not have the name of another one, which saving would change', () => {
    expect(readDraft(draft(), ['sd']).faults.get('name')).toBe('an endpoint of this name is there already')
  })

  it('shows no secret beside the form, and copies it', () => {
    const { body, command = '' } = readDraft(draft({ written: { name: 'sd', env: "HF_TOKEN=it's me\nMODE=fast" } }), [])
    expect(command).toContain("HF_TOKEN=it'")
    expect(coverCommand(command, body)).toContain("--env 'HF_TOKEN=••••••••' --env MODE=fast")
    expect(toCurl('http://x', coverBody(body))).toContain('"HF_TOKEN":"••••••••","MODE":"fast"')
    expect(toCurl('http://x', body)).not.toContain('••')
  })

  it('that is a load balancer scales by requests and has ports', () => {
    const written = { name: 'own', image: 'me/server:1', ports: '8000/http', env: 'PORT=8000', scalingValue: '2' }
    const { body, command, fields } = readDraft(draft({ type: 'LOAD_BALANCER', source: 'image', written }), [])
    expect(body).toEqual({
      type: 'LOAD_BALANCER',
      name: 'own',
      image: 'me/server:1',
      ports: ['8000/http'],
      env: { PORT: '8000' },
      scaling: { type: 'REQUEST_COUNT', requestCount: 2 },
      gpu: { pools: ['ADA_24'] },
    })
    expect(fields.map(({ name }) => name)).not.toContain('scalingType')
    expect(command).toBeUndefined()
    expect(sourcesOf('LOAD_BALANCER').map(({ value }) => value)).toEqual(['image', 'template'])
  })

  it('shows the refusal of each member at its field', () => {
    const { fields } = readDraft(draft({ source: 'image' }), [])
    const issues = [
      'body.workers.max: must be at most 1000',
      'body.scaling.queueDelay: must be at least 0.5',
      'body.name: must not be empty',
      'body.env.MODE: must be a text',
      'body.nothing.like: it',
    ]
    const refused = new RunyardError('unprocessable', 'POST /v2/serverless: "workers.max" must be at most 1000.', { issues })
    expect([...refusedFields(fields, refused)]).toEqual([
      ['workersMax', 'must be at most 1000'],
      ['scalingValue', 'must be at least 0.5'],
      ['name', 'must not be empty'],
      ['env', 'must be a text'],
    ])
  })

  it.each([
    ['There is an endpoint "sd" already.', 'name'],
    ['A GPU worker has at most 64 GPUs; 999 was given.', 'gpuCount'],
    ['An endpoint has at most 1000 workers (limits.workersPerEndpoint); a maximum of 9999 was given.', 'workersMax'],
    ['The scaler value of QUEUE_DELAY must be between 0.5 and 86400 seconds; 1e9 was given.', 'scalingValue'],
    ['Invalid GPU Pool ID: "NOPE"; the pools are ADA_24', 'gpuPools'],
    ['"x y" is not the name of a container image: it contains white space.', 'image'],
    ['"A B" cannot be the name of an environment variable.', 'env'],
    ['The minimum of 5 workers is above the maximum of 2.', 'workersMax'],
    ['Redis cannot be reached right now.', undefined],
  ])('“%s” is shown at %s', (message, field) => {
    const { fields } = readDraft(draft({ source: 'image' }), [])
    expect([...refusedFields(fields, new Error(message)).keys()]).toEqual(field === undefined ? [] : [field])
  })
})

describe('the cards that match now', () => {
  const card = (name: string, more: object = {}) => ({ name, healthy: true, holders: [], ...more }) as never
  const host = (label: string, gpus: readonly unknown[], more: object = {}) => ({ label, health: 'ready', gpus, ...more }) as never
  const [ada, l4, odd] = ['NVIDIA GeForce RTX 4090', 'NVIDIA L4', 'NVIDIA Odd']
  const types = [
    { id: ada, pool: 'ADA_24' },
    { id: l4, pool: 'AMPERE_24' },
  ] as unknown as readonly GpuTypeView[]
  const pool: PoolView = {
    scalerAt: null,
    hosts: [host('a', [card(ada), card(ada, { holders: [{}] }), card(l4)]), host('b', [card(odd), card(l4)], { cordon: {} })],
  }
  const match = (tokens: readonly string[], more: object = {}) => describeMatch({ tokens, excluded: [], count: 1, ...more }, pool, types)

  it('are counted by pool, by type and by any, and say how many are free', () => {
    expect(match(['ADA_24'])).toBe('2 cards match now, 1 free: 2 × RTX 4090 on a.')
    expect(match([odd])).toBe('1 card matches now, 0 free: 1 × Odd on b.')
    expect(match(['any'])).toBe('5 cards match now, 2 free: 2 × RTX 4090, 2 × L4, 1 × Odd on 2 hosts.')
    expect(match(['ADA_24', 'AMPERE_24'], { excluded: [l4] })).toBe('2 cards match now, 1 free: 2 × RTX 4090 on a.')
  })

  it('are none where nothing has them, or no host has enough for one worker', () => {
    expect(match(['HOPPER_141'])).toBe('No card matches now: jobs would wait until one is there.')
    expect(match(['AMPERE_24'], { count: 2 })).toBe('2 cards match now, but no host has 2 of them for one worker.')
  })

  it('are offered as what to ask for', () => {
    expect(offersOf(pool, types).map(({ token, cards, free }) => [token, cards, free])).toEqual([
      ['ADA_24', 2, 1],
      ['AMPERE_24', 2, 1],
      [odd, 1, 0],
    ])
  })
})
