// One request of GraphQL reads, changes and answers a bounded amount, however it repeats itself.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, vi } from 'vitest'
import { it, opened, user } from '../../testing/management-test.ts'

const TOO_MUCH = 'This request asks for too much at once; ask for less, in several requests.'
const SAVE = 'mutation($input: EndpointInput!) { saveEndpoint(input: $input) { id } }'
const STOCK = 'query($input: GpuTypeFilter) { gpuTypes(input: $input) { id lowestPrice { stockStatus } } }'

beforeEach(async () => {
  for (const name of ['one', 'two', 'three']) {
    const template = { name: 't', imageName: 'x', env: [{ key: 'A', value: '1' }] }
    await user.graphql(SAVE, { input: { name, gpuIds: 'ADA_24', template } })
  }
})
afterEach(() => vi.restoreAllMocks())

/** Number of store calls about endpoints, templates and their stock. */
async function stepsOf(work: () => Promise<unknown>): Promise<number> {
  const { endpoints, resources, status } = opened.store
  const { templates } = resources
  const spies = [
    vi.spyOn(endpoints, 'list'),
    vi.spyOn(endpoints, 'get'),
    vi.spyOn(templates, 'list'),
    vi.spyOn(templates, 'find'),
    vi.spyOn(templates, 'save'),
    vi.spyOn(templates, 'remove'),
    vi.spyOn(status, 'get'),
  ]
  await work()
  return spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
}

const aliases = (number: number, field: string) => Array.from({ length: number }, (_, n) => `a${n}: ${field}`).join(' ')

describe('a GraphQL request', () => {
  it('that asks for the stock of 200 cards reads it once', async () => {
    const ids = Array.from({ length: 200 }, (_, n) => `CARD ${n}`)
    const ask = async () => expect(await user.graphql(STOCK, { input: { ids } })).toMatchObject({ gpuTypes: { length: 200 } })
    expect(await stepsOf(ask)).toBe(1 + 3)
  })

  it.each([
    ['ids', STOCK, { input: { ids: Array.from({ length: 201 }, () => 'x') } }, 'The list "ids" has 201 items; at most 200 are allowed.'],
    ['env', SAVE, { input: { template: { env: Array.from({ length: 1001 }, () => ({})) } } }, 'The list "env" has 1001 items'],
    ['what is dropped', SAVE, { input: { repo: [Array.from({ length: 201 }, () => 1)] } }, 'The list "repo" has 201 items'],
  ])('with a longer list of %s is refused', async (_what, query, variables, sentence) => {
    expect(await user.graphql(query, variables)).toContain(sentence)
  })

  it('reads the same thing once under any number of aliases', async () => {
    const query = `{ ${aliases(50, 'myself { endpoints { id template { id env { key } } } }')} }`
    const ask = async () => expect(await user.graphql(query)).toMatchObject({ a49: { endpoints: [{}, {}, {}] } })
    expect(await stepsOf(ask)).toBe(1)
  })

  it.each([
    ['reads', `{ ${aliases(60, 'podTemplate(id: "x") { id }')} }`, 50],
    ['changes', `mutation { ${aliases(60, 'deleteTemplate(templateName: "x")')} }`, 50],
  ])('that wants more %s than one may is refused', async (_what, query, steps) => {
    const ask = async () => expect(errorsOf(await user.rest('POST', '/graphql', { query }))).toContain(TOO_MUCH)
    expect(await stepsOf(ask)).toBe(steps)
  })

  it('that wants more rows than one may is refused, variables of endpoints included', async () => {
    const env = Array.from({ length: 1000 }, (_, n) => ({ key: `V${n}`, value: '' }))
    await user.graphql(SAVE, { input: { name: 'large', gpuIds: 'ADA_24', template: { name: 't', imageName: 'x', env } } })
    const ask = (number: number) => user.graphql(`{ ${aliases(number, 'myself { endpoints { env { key } } }')} }`)
    expect([await ask(9), await ask(11)]).toMatchObject([{ a8: { endpoints: { length: 4 } } }, TOO_MUCH])
  })

  it('sees what it has changed itself', async () => {
    const endpoint = (name: string) =>
      `saveEndpoint(input: { name: "${name}", gpuIds: "ADA_24", templateId: "${id}" }) { template { name } }`
    const { json } = await user.rest('POST', '/v1/templates', { name: 'shared', imageName: 'x', isServerless: true })
    const id = String(json['id'])
    const query = `mutation { a: ${endpoint('a')} b: saveTemplate(input: { id: "${id}", name: "renamed" }) { id } c: ${endpoint('c')} }`
    expect(await user.graphql(query)).toEqual({ a: { template: { name: 'shared' } }, b: { id }, c: { template: { name: 'renamed' } } })
  })

  it('is not remembered by its text', async () => {
    const heapBytes = (): number => {
      setFlagsFromString('--expose-gc')
      ;(runInNewContext('gc') as () => void)()
      return process.memoryUsage().heapUsed
    }
    const before = heapBytes()
    for (let n = 0; n < 100; n += 1) await user.graphql(`{ myself { id } } #${n}${'x'.repeat(1_000_000)}`)
    expect(heapBytes() - before).toBeLessThan(50_000_000)
  })
})

function errorsOf({ json }: { readonly json: Record<string, unknown> }): readonly string[] {
  return (json['errors'] as readonly { message: string }[]).map(({ message }) => message)
}
