import { expect, it } from 'vitest'
import { knownFacts, outputOf } from './known-facts.ts'

it('of a job that was cancelled before a worker had it, neither a run nor an output is shown', () => {
  const job = { id: 'j1', status: 'CANCELLED', delayTime: 1200, executionTime: 0, workerId: '', output: {} } as const
  expect(knownFacts(job)).toEqual({ delayTime: 1200 })
  expect(outputOf(job)).toBeUndefined()
})

it('an empty output of a completed job is an output', () => {
  const job = { id: 'j1', status: 'COMPLETED', delayTime: 5, executionTime: 0, workerId: 'w1', output: {} } as const
  expect(knownFacts(job)).toEqual({ delayTime: 5, executionTime: 0, workerId: 'w1' })
  expect(outputOf(job)).toEqual({})
})
