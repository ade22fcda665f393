import { expect, it } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
useGateway({}, (site) => {
  ;({ gateway, ep } = site)
})

const samples = async (name: string, query = ''): Promise<readonly string[]> =>
  (await gateway.call(`/metrics${query}`)).text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes('/v2/:endpointId/'))

it('counts requests by the pattern of their route, method and code, refused ones included, and no path that does not exist', async () => {
  await gateway.submit(ep)
  await gateway.submit(ep)
  await gateway.call(`/v2/${ep}/health`)
  await gateway.call(`/v2/${ep}/status/none`)
  await gateway.call(`/v2/${ep}/health`, { method: 'DELETE' })
  await gateway.call(`/v2/${ep}/no-such-thing`)
  expect((await samples('runyard_http_requests_total')).toSorted()).toEqual([
    'runyard_http_requests_total{route="/v2/:endpointId/health",method="DELETE",code="405"} 1',
    'runyard_http_requests_total{route="/v2/:endpointId/health",method="GET",code="200"} 1',
    'runyard_http_requests_total{route="/v2/:endpointId/run",method="POST",code="200"} 2',
    'runyard_http_requests_total{route="/v2/:endpointId/status/:jobId",method="GET",code="404"} 1',
  ])
  expect(await samples('runyard_http_request_seconds_count')).toContain(
    'runyard_http_request_seconds_count{route="/v2/:endpointId/run",method="POST"} 2',
  )
})

it('serves one scope alone, and refuses another word', async () => {
  const names = async (query: string) =>
    new Set((await gateway.call(`/metrics${query}`)).text.split('\n').flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []))
  await gateway.submit(ep)
  const [both, pool, own] = [await names(''), await names('?scope=pool'), await names('?scope=process')]
  expect(pool).toContain('runyard_queue_jobs')
  expect(own).toContain('runyard_jobs_accepted_total')
  expect(own).toContain('process_cpu_seconds_total')
  expect([...pool].filter((name) => own.has(name))).toEqual([])
  expect([...pool, ...own].toSorted()).toEqual([...both].toSorted())
  expect((await gateway.call('/metrics?scope=mine')).status).toBe(400)
})
