// What the pictures of `RUNYARD_PICTURES=1` show: a day of six cards, endpoints with releases, logs, a batch and failures of several causes, keys and webhooks.
import { processHostId } from '@runyard/host-process'
import { SIMULATED_UUID } from '@runyard/schema'
import { fillDay, type Card } from '../../bench/page/day.ts'
import type { Api } from '../../harness/api.ts'
import type { Stack, StackOptions } from '../../harness/stack.ts'
import { openTestStore } from '../../harness/store.ts'
import { FAIL, NAP, sourceCall } from '../calls.ts'

export const isPictured = process.env['RUNYARD_PICTURES'] === '1'
/** Of the day, with its history. */
export const PICTURED_ENDPOINT = 'upscale'

const cardsOn = (hostId: string): readonly Card[] =>
  Array.from({ length: 6 }, (_, index) => {
    const name = index < 4 ? 'NVIDIA GeForce RTX 4090' : 'NVIDIA L4'
    return { uuid: `${SIMULATED_UUID}${hostId}-${index}`, hostId, index, name }
  })
const DAY_JOBS = 9000
const HOUR_MS = 3_600_000
const SHORTEST_MS = 10_000
/** While the first pages are pictured. */
const LONG_S = 90
const WORKING = `
def upscale(picture):
    import json, sys, time
    print("INFO loading weights from /models/upscale.safetensors")
    for step in range(1, 5):
        print(f"INFO {picture}: step {step} of 4")
        time.sleep(0.2)
    print(json.dumps({"level": "warning", "msg": "slow disk", "path": "/models", "ms": 412}))
    print("DeprecationWarning: use_fast is the default", file=sys.stderr)
    return {"picture": picture, "pixels": [3840, 2160], "seconds": 0.8}
`

/** Before the stack starts. */
async function prepareDay({ redisUrl, dataDir }: { readonly redisUrl: string; readonly dataDir: string }): Promise<void> {
  await using store = await openTestStore(redisUrl, { history: { bytes: 64 * 1024 * 1024, days: 7 } })
  const until = Date.now()
  const cards = cardsOn(processHostId(dataDir, 'local'))
  await fillDay(store, { hosts: 1, cardsPerHost: cards.length, jobs: DAY_JOBS, failing: 0.03, until, cards })
  const ends = await store.history.ends({ from: until - 24 * HOUR_MS, to: until, count: 1000 })
  for (const text of await store.history.lives(ends.map(({ id }) => id))) {
    const { id: workerId, endpointId, gpus, hostId, createdAt, readyAt, drainingSince, goneAt } = JSON.parse(text ?? '{}') as Life
    const row = { workerId, endpointId, gpuType: gpus[0]?.name ?? '', gpuCount: 1, hostId }
    await store.ledger.transition({ ...row, state: 'initializing', at: createdAt })
    await store.ledger.transition({ ...row, state: 'running', at: readyAt })
    await store.ledger.transition({ ...row, state: 'idle', at: Math.max(readyAt, drainingSince - SHORTEST_MS) })
    await store.ledger.close(workerId, goneAt)
  }
}

export const PICTURED_STACK: Partial<StackOptions> = {
  simulatedGpus: 'NVIDIA GeForce RTX 4090:4,NVIDIA L4:2',
  settings: { RUNYARD_PRICES_GPU_PER_HOUR: '{"NVIDIA GeForce RTX 4090":0.69,"NVIDIA L4":0.43}' },
  prepare: prepareDay,
}

interface Life {
  readonly id: string
  readonly endpointId: string
  readonly hostId: string
  readonly gpus: readonly { readonly name: string }[]
  readonly createdAt: number
  readonly readyAt: number
  readonly drainingSince: number
  readonly goneAt: number
}

/** Once it runs. Returns a job with logs. */
export async function fillPictured({ api }: Stack): Promise<string> {
  const endpoint = `/v2/serverless/${PICTURED_ENDPOINT}`
  const change = async (body: object): Promise<void> => {
    const { status, text } = await api.request(endpoint, { method: 'PATCH', body })
    if (status !== 200) throw new Error(`the endpoint was not changed: ${text}`)
  }
  await change({ workers: { max: 2 } })
  await change({ env: { MODEL: 'upscale-x4', PRECISION: 'fp16' } })
  await change({ env: { MODEL: 'upscale-x4-v2', PRECISION: 'bf16' } })
  await makeKeys(api)
  const upscale = (picture: string) => sourceCall('upscale', WORKING, { picture })
  const webhook = { webhook: 'https://hooks.example.com/runyard' }
  const ids = await Promise.all(
    ['barn.jpg', 'harbour.jpg', 'owl.jpg'].map((picture) => api.run(PICTURED_ENDPOINT, upscale(picture), webhook)),
  )
  const failed = await api.run(PICTURED_ENDPOINT, sourceCall('fail', FAIL))
  for (const id of [...ids, failed]) await api.settled(PICTURED_ENDPOINT, id)
  const batch = await api.post(
    `/v2/${PICTURED_ENDPOINT}/batch`,
    ['bridge.jpg', 'market.jpg'].map((picture) => ({ input: upscale(picture) })),
  )
  await api.post(`/v2/${PICTURED_ENDPOINT}/batch/${String(batch.json['id'])}/finalize`, {})
  await api.run(await api.saveEndpoint({ name: 'translate', gpuIds: 'AMPERE_80' }), { text: 'hello' })
  for (const busy of ['llama-8b', 'llama-8b', 'whisper']) await api.run(busy, sourceCall('nap', NAP, { seconds: LONG_S }))
  return ids[0] ?? ''
}

async function makeKeys(api: Api): Promise<void> {
  await api.post('/runyard/v1/keys', { name: 'ops', scopes: ['operate', 'view'] })
  await api.post('/runyard/v1/keys', { name: 'prometheus', scopes: ['metrics'] })
  await api.post('/runyard/v1/keys', { name: 'web shop', scopes: ['run'] })
}
