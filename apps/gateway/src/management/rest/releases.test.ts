import { withPinnedImage } from '@runyard/core'
import { beforeEach, expect } from 'vitest'
import { QUEUE_BODY } from '../../testing/management-app.ts'
import { it, opened, user } from '../../testing/management-test.ts'

let id: string

const BODY = { ...QUEUE_BODY, name: 'e', image: 'x:1' }
const list = async () => (await user.rest('GET', `/v2/serverless/${id}/releases`)).json as { releases: Record<string, unknown>[] }
const rollBack = (body: unknown = {}, by = user) => by.rest('POST', `/runyard/v1/endpoints/${id}/rollback`, body)

beforeEach(async () => {
  id = String((await user.rest('POST', '/v2/serverless', BODY)).json['id'])
})

it('lists what each release changed, newest first, without the values of variables', async () => {
  await user.rest('PATCH', `/v2/serverless/${id}`, { image: 'x:2', env: { TOKEN: 'secret' } })
  await user.rest('PATCH', `/v2/serverless/${id}`, { workers: { max: 7 } })
  const { releases, ...rest } = await list()
  expect(rest).toEqual({ rollout: { inProgress: false, workersOnLatest: 0, workersTotal: 0, percentOnLatest: 0 } })
  expect(releases.map(({ version, image, diff }) => ({ version, image, diff }))).toEqual([
    {
      version: 2,
      image: 'x:2',
      diff: [
        { field: 'image', old: 'x:1', new: 'x:2' },
        { field: 'env.TOKEN', old: null, new: '***' },
      ],
    },
    { version: 1, image: 'x:1', diff: [] },
  ])
})

it('shows the digest that the tag of the latest release refers to, until a save reads the tag again', async () => {
  const digests = async () => (await list()).releases.map(({ digest }) => digest)
  expect(await digests()).toEqual([null])
  const pin = { hostId: 'h1', id: 'sha256:a', digest: 'me/x@sha256:a' }
  await opened.store.endpoints.upsert({ id }, (current) => {
    if (current === undefined) throw new Error('the endpoint is gone')
    return withPinnedImage(current, pin)
  })
  expect(await digests()).toEqual([pin.digest])
  await user.rest('PATCH', `/v2/serverless/${id}`, { image: 'x:2' })
  expect(await digests()).toEqual([null, null])
})

it('returns to the release before, or to the one that is named, as a new version', async () => {
  for (const image of ['x:2', 'x:3']) await user.rest('PATCH', `/v2/serverless/${id}`, { image })
  expect((await rollBack()).json).toMatchObject({ image: 'x:2' })
  expect((await rollBack({ version: 1 })).json).toMatchObject({ image: 'x:1' })
  expect((await list()).releases.map(({ version, image }) => `${String(version)} ${String(image)}`)).toEqual([
    '5 x:1',
    '4 x:2',
    '3 x:3',
    '2 x:2',
    '1 x:1',
  ])
  expect(await opened.store.endpoints.get(id)).toMatchObject({ version: 5, spec: { image: 'x:1' } })
})

it('refuses a release that is not there, the one that runs, and the endpoint of another owner', async () => {
  expect((await rollBack()).json['detail']).toBe('The endpoint "e" has no earlier release.')
  expect((await rollBack({ version: 9 })).json['detail']).toBe('The endpoint "e" has no release 9.')
  expect((await rollBack({ version: 1 })).status).toBe(409)
  expect((await rollBack({}, await opened.userOf('other'))).status).toBe(404)
})
