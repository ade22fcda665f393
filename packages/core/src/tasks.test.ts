import { expect, it } from 'vitest'
import { plan } from './plan.ts'
import { GPU_POOL_IDS } from './gpu-catalogue.ts'
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

it('runs on our image only', () => {
  expect(() => newTask({ ...REQUEST, image: 'mine/other:1' }, CONTEXT)).toThrow('A task runs on an image of runpod/task here')
})

it('may ask for CPUs, or for any GPU, and has its volumes and its port', () => {
  const { RUNPOD_TASK_PORT: _port, ...env } = REQUEST.env
  const mounts = [{ volumeId: 'v1', path: '/data' }]
  const onCpu = newTask(
    { ...REQUEST, env, mounts, hardware: { kind: 'cpu', instanceIds: ['cpu3c-2-4'] } },
    { ...CONTEXT, keyId: undefined },
  )
  expect(onCpu).toMatchObject({ spec: { gpu: null, cpu: { instanceIds: ['cpu3c-2-4'] }, networkVolumeIds: ['v1'], env: { PORT: '8080' } } })
  expect(onCpu).not.toHaveProperty('keyId')
  const any = newTask({ ...REQUEST, hardware: { kind: 'gpu', types: [], count: 2, allowedCudaVersions: [] } }, CONTEXT)
  expect(any.spec.gpu).toMatchObject({ count: 2, pools: GPU_POOL_IDS })
})
