import { expect, it } from 'vitest'
import { plan } from './plan.ts'
import { newTask, type TaskRequest } from './tasks.ts'
import { container, exited, gpu, host, NOW, observed, record, view } from './testing/plan-fixture.ts'

const REQUEST: TaskRequest = {
  name: 'task-train-0123abcd',
  image: 'runpod/task:py3.12-latest',
  args: '',
  env: { RUNPOD_TASK_TOKEN: 'secret', RUNPOD_TASK_PORT: '8080' },
  diskGb: 10,
  registryId: null,
  mounts: [],
  hardware: { kind: 'gpu', types: ['NVIDIA GeForce RTX 4090'], count: 1, allowedCudaVersions: [] },
}
const CONTEXT = { ownerId: 'o', now: NOW, randomText: () => 'abcdefgh1234', sha256: (text: string) => text, maxAgeMs: 1000, keyId: 'k' }
const task = newTask(REQUEST, CONTEXT)
const mine = { endpointId: task.id, specHash: task.specHash }
const kindsOf = (actions: readonly { readonly kind: string }[]) => actions.map(({ kind }) => kind)

it('is an endpoint with one worker and an end', () => {
  expect(task).toMatchObject({
    type: 'LOAD_BALANCER',
    settings: { workersMin: 1, workersMax: 1 },
    spec: { env: { PORT: '8080', RUNPOD_TASK_TOKEN: 'secret' }, gpu: { count: 1 } },
    task: { until: NOW + 1000, mounts: [] },
    keyId: 'k',
  })
})

it('needs the token of a task, since no other pods are served', () => {
  expect(() => newTask({ ...REQUEST, env: {} }, CONTEXT)).toThrow('pods are served as tasks of SDK 2 only')
})

it('starts its worker without a request', () => {
  const { actions } = plan(observed([view(task)], [host('h1', [gpu('a')])]), NOW)
  expect(kindsOf(actions)).toEqual(['start'])
})

it('is deleted when its worker has ended, and starts no other', () => {
  const worker = record('w1', mine)
  const { actions } = plan(observed([view(task, { workers: [worker] })], [host('h1', [gpu('a')], [exited(worker)])]), NOW)
  expect(kindsOf(actions)).toContain('end-task')
  expect(kindsOf(actions)).not.toContain('start')
})

it('is deleted when its time is over, although its worker works', () => {
  const worker = record('w1', mine)
  const seen = observed([view(task, { workers: [worker] })], [host('h1', [gpu('a')], [container(worker)])])
  expect(kindsOf(plan(seen, NOW + 999).actions)).not.toContain('end-task')
  expect(plan(seen, NOW + 999).nextDueAt).toBeLessThanOrEqual(NOW + 1000)
  expect(kindsOf(plan(seen, NOW + 1000).actions)).toContain('end-task')
})
