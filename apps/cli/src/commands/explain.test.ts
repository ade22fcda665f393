import { expect, it } from 'vitest'
import type { ExplainView } from '@runyard/schema/api'
import { recorder } from '../testing/recorder.ts'
import { renderExplanation } from './explain.ts'

const HELD = { reason: 'held', message: 'worker w1 of endpoint "hog" holds it', remedy: 'lower the minimum of "hog"' } as const
const SEEN: ExplainView = {
  endpoint: { id: 'ep1', name: 'sd' },
  reason: 'gpus_busy',
  message: 'all 1 GPUs that match NVIDIA L4 are in use',
  wanted: 'NVIDIA L4',
  priority: 1,
  waiting: 2,
  workers: { now: 0, min: 0, max: 3, throttled: 1 },
  hosts: [
    {
      hostId: 'h1',
      host: 'box',
      refusal: { reason: 'too_few_gpus', message: 'no GPU that a worker with NVIDIA L4 can have now', remedy: 'see its GPUs' },
      gpus: [{ uuid: 'GPU-1', name: 'NVIDIA L4', simulated: false, refusal: HELD }],
    },
    { hostId: 'h2', host: 'other', gpus: [] },
  ],
  changes: ['lower the minimum of "hog"'],
}

it('an explanation names the reason, each host and GPU, and what would change it', () => {
  const text = renderExplanation(SEEN, recorder()).join('\n')
  expect(text).toContain('all 1 GPUs that match NVIDIA L4 are in use (gpus_busy)')
  expect(text).toMatch(/0 NVIDIA L4 +worker w1 of endpoint "hog" holds it/)
  expect(text).toMatch(/other +could take it/)
  expect(text).toMatch(/what would change it\n {2}- lower the minimum of "hog"$/)
})

it('an explanation of a job names the job', () => {
  expect(renderExplanation({ ...SEEN, job: { id: 'j1', status: 'IN_QUEUE' } }, recorder())[0]).toContain('j1  IN_QUEUE on sd')
})
