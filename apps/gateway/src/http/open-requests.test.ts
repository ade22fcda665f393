// A key that is revoked through one gateway, seen by those who use it at another.
import { createSend } from '@runyard/testing'
import { beforeAll, expect, it } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const startGateway = useGateways()
let one: TestGateway
let other: TestGateway
beforeAll(async () => {
  one = await startGateway({}, { prefix: 'shared' })
  other = await startGateway({}, { prefix: 'shared' })
})
const keyed = async (name: string) => {
  const { key, plain } = await one.store.keys.create({ name, ownerId: 'owner' })
  return { id: key.id, authorization: `Bearer ${plain}`, send: createSend(other.publicUrl, { authorization: `Bearer ${plain}` }) }
}

it('is refused at every gateway, and a request that another key holds is left alone', async () => {
  const { id: ep } = await one.addEndpoint()
  const { id, send } = await keyed('revoked')
  const { json } = await send(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  const path = `/v2/${ep}/status-sync/${String(json['id'])}?wait=60000`
  const held = send(path)
  const kept = other.call(path)
  // Both are held: the job has no worker.
  await expect.poll(async () => await metric(other, 'runyard_http_held_requests{holder="caller"}')).toBe(2)
  await one.store.keys.revoke(id)
  expect(await held).toMatchObject({ status: 401 })
  await expect.poll(async () => (await send(path)).status).toBe(401)
  await one.call(`/v2/${ep}/cancel/${String(json['id'])}`, { method: 'POST' })
  expect((await kept).json['status']).toBe('CANCELLED')
})

it('ends the stream of one who follows a worker’s log', async () => {
  const { id: ep } = await one.addEndpoint()
  const worker = await one.addWorker(ep)
  const { id, authorization } = await keyed('follower')
  const answer = await fetch(`${other.publicUrl}/v2/serverless/${ep}/workers/${worker.id}/logs`, { headers: { authorization } })
  expect(answer.status).toBe(200)
  const read = answer.text().then(
    () => 'ended',
    () => 'cut',
  )
  await one.store.keys.rotate(id)
  expect(await read).toBe('cut')
})

async function metric(gateway: TestGateway, name: string): Promise<number> {
  const { text } = await gateway.call('/metrics')
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
}
