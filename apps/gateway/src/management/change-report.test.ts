// Two projects of one owner that use one name: each change is an event, a line in the log and a notice to the client that made it.
import { expect } from 'vitest'
import { it as test, opened } from '../testing/management-test.ts'

const GPU = { pools: ['ADA_24'] }
const SCALING = { type: 'QUEUE_DELAY', queueDelay: 4 }

async function saveAs(agent: string, change: Record<string, unknown>, name = 'shared') {
  const headers = { authorization: `Bearer ${await opened.keyOf('me')}`, 'user-agent': agent }
  const payload = { name, type: 'QUEUE', image: 'mine:1', gpu: GPU, scaling: SCALING, ...change }
  const { headers: replied, json } = await opened.app.inject({ method: 'POST', url: '/v2/serverless', headers, payload })
  return { notice: replied['x-runyard-notice'], id: json<{ id: string }>().id }
}

const messagesOf = async (id: string) =>
  (await opened.store.events.list(id, 50)).filter(({ kind }) => kind === 'endpoint_changed').map(({ message }) => message)

test('a save that changes an endpoint of another client is reported to both, without values of variables', async () => {
  const { id, notice } = await saveAs('Project-A/1.0', { env: { TOKEN: 'secret' } })
  expect(notice).toBeUndefined()
  expect((await saveAs('Project-A/1.0', { env: { TOKEN: 'secret' } })).notice).toBeUndefined()
  const changed = await saveAs('Project-B/2.0', { image: 'mine:2', env: { TOKEN: 'other' }, workers: { min: 0, max: 5 } })
  expect(changed).toEqual({
    id,
    notice: 'The endpoint "shared" was there already and has changed: image (mine:1 -> mine:2), env (TOKEN), workersMax (3 -> 5)',
  })
  expect(await messagesOf(id)).toEqual([
    'changed by Project-B/2.0 with the key "test" (last saved by Project-A/1.0 with the key "test"): ' +
      'image (mine:1 → mine:2), env (TOKEN), workersMax (3 → 5)',
  ])
})

test.each([
  ['two clients that take turns', ['A:1', 'B:2', 'A:1'], [false, false, true]],
  ['two projects whose requests look alike', ['A:1', 'A:2', 'A:1', 'A:2'], [false, false, false, true]],
  ['a client that goes on', ['A:1', 'A:2', 'A:3', 'A:4'], [false, false, false, false]],
  ['a client that rolls back', ['A:1', 'A:2', 'A:1', 'A:3'], [false, false, false, false]],
])('%s: %j', async (_, saves, expected) => {
  const found = []
  for (const save of saves) {
    const [agent = '', tag = ''] = save.split(':')
    found.push(String((await saveAs(agent, { image: `mine:${tag}` })).notice).includes('two projects may use one name'))
  }
  expect(found).toEqual(expected)
})

test('GraphQL clients get the notice as a header and as an extension', async () => {
  await saveAs('Project-A/1.0', {})
  const query = 'mutation ($input: EndpointInput!) { saveEndpoint(input: $input) { id } }'
  const input = { name: 'shared', gpuIds: 'ADA_24', workersMax: 7, template: { name: 'shared', imageName: 'mine:1' } }
  const headers = { authorization: `Bearer ${await opened.keyOf('me')}` }
  const reply = await opened.app.inject({ method: 'POST', url: '/graphql', headers, payload: { query, variables: { input } } })
  expect(reply.headers['x-runyard-notice']).toContain('workersMax (3 -> 7)')
  expect(reply.json()).toEqual({
    data: { saveEndpoint: { id: expect.any(String) } },
    extensions: { runyard: { notices: [expect.stringContaining('workersMax (3 → 7)')] } },
  })
})
