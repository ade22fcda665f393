import { RunyardError } from '@runyard/schema'
import { describe, expect, it } from 'vitest'
import { inOptions, readBody, readEnv } from './request.ts'

const body = (options: Record<string, string>) => readBody({ options })

describe('options of an endpoint', () => {
  it('omit fields that are not named', () => {
    expect(body({})).toEqual({})
  })

  it.each([
    [{ gpu: 'ADA_24, AMPERE_24,-NVIDIA L4' }, { gpu: { pools: ['ADA_24', 'AMPERE_24'], excludedTypes: ['NVIDIA L4'] } }],
    [{ gpu: 'NVIDIA GeForce RTX 4090', 'gpu-count': '2' }, { gpu: { pools: ['NVIDIA GeForce RTX 4090'], count: 2 } }],
    [{ 'gpu-count': '2' }, { gpu: { count: 2 } }],
    [{ cpu: 'cpu3g-2-8' }, { cpu: [{ id: 'cpu3g', vcpuCount: 2, memory: 8 }] }],
    [{ cpu: 'cpu5c-4' }, { cpu: [{ id: 'cpu5c', vcpuCount: 4 }] }],
    [{ workers: '1..4' }, { workers: { min: 1, max: 4 } }],
    [{ workers: '4', 'idle-timeout': '60' }, { workers: { max: 4, idleTimeout: 60 } }],
    [{ workers: '0..0' }, { workers: { min: 0, max: 0 } }],
    [{ 'queue-delay': '0.5' }, { scaling: { type: 'QUEUE_DELAY', queueDelay: 0.5 } }],
    [{ 'jobs-per-worker': '3' }, { scaling: { type: 'REQUEST_COUNT', requestCount: 3 } }],
    [{ priority: '3' }, { priority: 3 }],
    [{ 'requests-per-second': '0.5' }, { requestsPerSecond: 0.5 }],
    [
      { timeout: '7.5', disk: '20' },
      { timeout: 7500, disk: 20 },
    ],
    [
      { name: 'n', image: 'i:1', command: 'sh -c "x"' },
      { name: 'n', image: 'i:1', args: 'sh -c "x"' },
    ],
  ])('%j become %j', (options, expected) => {
    expect(body(options)).toEqual(expected)
  })

  it('keep everything after the first = of a variable', () => {
    expect(readEnv({ options: { env: ['A=1', 'B=x=y', 'C='] } })).toEqual({ A: '1', B: 'x=y', C: '' })
  })

  it.each([
    [{ workers: '4..' }, '--workers takes MIN..MAX such as 0..3, or MAX alone; "4.." is neither.'],
    [{ cpu: 'big' }, '--cpu takes a size such as cpu3g-2-8 (2 vCPU, 8 GB); "big" is none.'],
    [{ cpu: 'cpu3g-1-4' }, '--cpu takes a size such as cpu3g-2-8 (2 vCPU, 8 GB); in "cpu3g-1-4" the number of vCPUs must be at least 2.'],
    [{ gpu: '-NVIDIA L4' }, '--gpu names what a worker may have, and "-NVIDIA L4" names nothing; e.g. any,-NVIDIA L4 is every card but'],
    [{ disk: 'ten' }, '--disk takes a whole number from 1 to 100000; "ten" is none.'],
    [{ disk: '-5' }, '--disk takes a whole number from 1 to 100000; "-5" is none.'],
    [{ 'idle-timeout': '-1' }, '--idle-timeout takes a whole number from 1 to 3600; "-1" is none.'],
    [{ priority: '1.5' }, '--priority takes a whole number from 1 to 100; "1.5" is none.'],
    [{ 'queue-delay': '0.1' }, '--queue-delay takes a number from 0.5 to 86400; "0.1" is none.'],
    [{ timeout: '0.5' }, '--timeout takes a number from 5 to 604800, or 0 for no limit; "0.5" is none.'],
    [{ 'queue-delay': '1', 'jobs-per-worker': '1' }, '--queue-delay and --jobs-per-worker exclude each other; name one of them.'],
  ])('refuse %j in one sentence', (options, sentence) => {
    expect(() => body(options)).toThrow(sentence)
  })

  it('are named in refusals of the API in place of its fields', () => {
    const said = (message: string) => inOptions(new RunyardError('bad_request', message))
    expect(said('"workers.max" must be at most 1000, not 1e+20.')).toMatchObject({
      message: '--workers must be at most 1000, not 1e+20.',
    })
    expect(said('gpuIds excludes every GPU type')).toMatchObject({ message: '--gpu excludes every GPU type' })
    expect(said('An endpoint has at most 1000 workers')).toMatchObject({ message: 'An endpoint has at most 1000 workers' })
  })

  it('reject a variable whose name has a blank', () => {
    expect(() => readEnv({ options: { env: ['A B=1'] } })).toThrow(
      '--env takes NAME=VALUE, and "A B" is no NAME: it has no blanks and no control characters.',
    )
  })

  it('reject a variable without a value', () => {
    expect(() => readEnv({ options: { env: ['JUST_A_NAME'] } })).toThrow('--env takes NAME=VALUE; "JUST_A_NAME" is not such a pair.')
  })
})
