import { expect, test, it } from 'vitest'
import { endpoint } from './testing/plan-fixture.ts'
import { nestedCalls, workerEnvironment, type WorkerEnvironmentOptions, planeUrlOf } from './worker-environment.ts'

function environment(change: Partial<WorkerEnvironmentOptions> = {}) {
  return workerEnvironment({
    endpoint: endpoint('ep1'),
    workerId: 'w7f3',
    planeUrl: 'http://gw:8081',
    token: 'secret',
    gpus: [{ uuid: 'g', name: 'NVIDIA A40', simulated: false }],
    cpus: undefined,
    memoryBytes: undefined,
    host: { cpuCount: 9, memoryBytes: 50e9 },
    envelope: 'flash',
    pingIntervalMs: 10_000,
    caBundle: undefined,
    ...change,
  })
}

// worker-api §17.15, §17.16, §17.17: a query string to append to, a log level that the SDK knows, no check of the internet.
test('every URL contains the worker’s id, and only the job’s id is a placeholder (worker-api §2.1)', () => {
  expect(environment()).toMatchObject({
    RUNPOD_WEBHOOK_GET_JOB: 'http://gw:8081/v2/ep1/job-take/w7f3?gpu=NVIDIA+A40',
    RUNPOD_WEBHOOK_POST_OUTPUT: 'http://gw:8081/v2/ep1/job-done/w7f3/$ID?gpu=NVIDIA+A40',
    RUNPOD_WEBHOOK_POST_STREAM: 'http://gw:8081/v2/ep1/job-stream/w7f3/$ID?gpu=NVIDIA+A40',
    RUNPOD_WEBHOOK_PING: 'http://gw:8081/v2/ep1/ping/w7f3?gpu=NVIDIA+A40',
    RUNPOD_AI_API_KEY: 'secret',
    RUNPOD_POD_ID: 'w7f3',
    RUNPOD_ENDPOINT_ID: 'ep1',
    RUNPOD_PING_INTERVAL: '10000',
    RUNPOD_POD_HOSTNAME: 'w7f3',
    RUNPOD_DEBUG_LEVEL: 'INFO',
    RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
    RUNYARD_ENVELOPE: 'flash',
  })
})

test('an endpoint may preload other modules than its host, or none', () => {
  expect(environment().RUNYARD_PRELOAD).toBeUndefined()
  expect(environment({ preload: ['torch', 'PIL.Image'] })).toMatchObject({ RUNYARD_PRELOAD: 'torch,PIL.Image' })
  const own = endpoint('ep1', { spec: { env: { RUNYARD_PRELOAD: '' } } })
  expect(environment({ preload: ['torch'], endpoint: own })).toMatchObject({ RUNYARD_PRELOAD: '' })
})

test('the machine is described with Runpod’s variables', () => {
  expect(environment()).toMatchObject({
    RUNPOD_GPU_COUNT: '1',
    RUNPOD_GPU_NAME: 'NVIDIA+A40',
    RUNPOD_GPU_SIZE: 'AMPERE_48',
    RUNPOD_CPU_COUNT: '9',
    RUNPOD_MEM_GB: '50',
  })
  const cpuWorker = environment({ gpus: [], cpus: 2, memoryBytes: 8e9, envelope: null })
  expect(cpuWorker).toMatchObject({
    RUNPOD_GPU_COUNT: '0',
    RUNPOD_CPU_COUNT: '2',
    RUNPOD_MEM_GB: '8',
    RUNYARD_MEMORY_BYTES: '8000000000',
    RUNPOD_WEBHOOK_GET_JOB: 'http://gw:8081/v2/ep1/job-take/w7f3?gpu=CPU',
  })
  expect(cpuWorker).not.toHaveProperty('RUNPOD_GPU_NAME')
  expect(cpuWorker).not.toHaveProperty('RUNYARD_ENVELOPE')
})

test('the user’s variables override ours, except those that the worker protocol needs', () => {
  const env = { RUNPOD_DEBUG_LEVEL: 'DEBUG', RUNPOD_ENDPOINT_BASE_URL: 'http://elsewhere/v2', RUNPOD_POD_ID: 'mine', OWN: 'yes' }
  expect(environment({ endpoint: endpoint('ep1', { spec: { env } }) })).toMatchObject({
    OWN: 'yes',
    RUNPOD_DEBUG_LEVEL: 'DEBUG',
    RUNPOD_ENDPOINT_BASE_URL: 'http://elsewhere/v2',
    RUNPOD_POD_ID: 'w7f3',
  })
})

test.each([
  [{ HTTPS_PROXY: 'http://proxy' }, 'gw'],
  [{ http_proxy: 'http://proxy', NO_PROXY: 'minio,10.0.0.0/8' }, 'minio,10.0.0.0/8,gw'],
  [{ NO_PROXY: 'minio' }, undefined],
])('the heartbeat bypasses the user’s proxies: %j', (env, noProxy) => {
  const given = environment({ endpoint: endpoint('ep1', { spec: { env } }) })
  expect([given['no_proxy'], given['NO_PROXY']]).toEqual([noProxy, noProxy ?? 'minio'])
})

test('nested calls go to the worker plane', () => {
  expect(environment()).toMatchObject({
    RUNPOD_ENDPOINT_BASE_URL: 'http://gw:8081/v2',
    RUNPOD_API_BASE_URL: 'http://gw:8081',
    RUNPOD_REST_API_URL: 'http://gw:8081/v1',
    RUNPOD_HAPI_URL: 'http://gw:8081/hapi',
    RUNPOD_CONSOLE_URL: 'http://gw:8081',
  })
})

test('a worker that can call load-balanced endpoints has one base for them and for jobs, and the authority of its certificate (ADR 87)', () => {
  const nested = { name: 'runyard.internal', authority: 'PEM' } as const
  const base = endpoint('ep1')
  const proxied = { ...base, spec: { ...base.spec, env: { HTTPS_PROXY: 'http://proxy:3128' } } }
  expect(environment({ planeUrl: 'http://172.18.0.1:8081', nested, endpoint: proxied })).toMatchObject({
    RUNPOD_ENDPOINT_BASE_URL: 'http://runyard.internal:8081/v2',
    RUNPOD_API_BASE_URL: 'http://172.18.0.1:8081',
    RUNYARD_PLANE_NAME: 'runyard.internal',
    RUNYARD_AUTHORITY: 'PEM',
    NO_PROXY: '172.18.0.1,runyard.internal',
  })
  expect(environment()).not.toHaveProperty('RUNYARD_AUTHORITY')
})

it.each([
  ['runyard.internal', 'http://172.18.0.1:8081', true],
  ['runyard.internal', 'http://plane:8081', false],
  ['runyard.internal', 'https://10.0.0.1', false],
  ['runyard.internal', 'http://10.0.0.1:80/below', false],
  ['runyard.localhost', 'http://127.0.0.1:8081', true],
  ['runyard.localhost', 'http://172.18.0.1:8081', false],
] as const)('%s leads to a worker plane at %s: %s', (name, url, leads) => {
  expect(nestedCalls(name, url, 'PEM')).toEqual(leads ? { name, authority: 'PEM' } : undefined)
  expect(nestedCalls(name, url, undefined)).toBeUndefined()
})

// worker-api §17.14
test('the ping interval is never below a second, which would end the SDK’s heartbeat process', () => {
  expect(environment({ pingIntervalMs: 200 })['RUNPOD_PING_INTERVAL']).toBe('1000')
})

test('a CA bundle is set for pip, uv, requests, curl, boto3, git and Node', () => {
  const named = Object.entries(environment({ caBundle: '/etc/ca.pem' })).filter(([, value]) => value === '/etc/ca.pem')
  expect(named.map(([name]) => name).sort()).toEqual([
    'AWS_CA_BUNDLE',
    'CURL_CA_BUNDLE',
    'GIT_SSL_CAINFO',
    'NODE_EXTRA_CA_CERTS',
    'PIP_CERT',
    'REQUESTS_CA_BUNDLE',
    'SSL_CERT_FILE',
  ])
  expect(environment()).not.toHaveProperty('SSL_CERT_FILE')
})

test('a simulated GPU is marked as such and skips the GPU check', () => {
  expect(environment({ gpus: [{ uuid: 'g', name: 'NVIDIA L4', simulated: true }] })).toMatchObject({
    RUNPOD_SKIP_GPU_CHECK: 'true',
    RUNYARD_SIMULATED_GPU: 'true',
  })
})

test('a Runpod variable that a user sets reaches the worker', () => {
  const base = endpoint('ep1')
  const env = { RUNPOD_MAX_CONCURRENCY: '4', RUNPOD_INIT_TIMEOUT: '900' }
  expect(environment({ endpoint: { ...base, spec: { ...base.spec, env } } })).toMatchObject(env)
})

it.each([
  ['the address that the gateway listens on', { host: '172.17.0.1', port: 8081 }, 'http://172.17.0.1:8081'],
  ['this machine’s address for the host, if the gateway listens on all addresses', { host: '0.0.0.0', port: 1 }, 'http://10.0.0.9:1'],
  ['the same for IPv6', { host: '::', port: 1 }, 'http://10.0.0.9:1'],
  ['an IPv6 address in brackets', { host: 'fd00::1', port: 1 }, 'http://[fd00::1]:1'],
  ['the configured URL, without its trailing slash', { host: '::', port: 1, url: 'https://plane.example/x/' }, 'https://plane.example/x'],
])('workers get %s', (_, settings, url) => {
  expect(planeUrlOf(settings, '10.0.0.9')).toBe(url)
})

test('a load-balanced endpoint has its port, and the key and the limit for dependencies are passed on', () => {
  const balanced = (env: Record<string, string>) => ({ ...endpoint('ep1', { spec: { env } }), type: 'LOAD_BALANCER' as const })
  expect(environment({ endpoint: balanced({}), apiKey: 'rpa_1', dependencyLimitS: 60 })).toMatchObject({
    PORT: '80',
    PORT_HEALTH: '80',
    RUNYARD_SERVES: 'http',
    RUNPOD_API_KEY: 'rpa_1',
    RUNYARD_DEPENDENCY_LIMIT_S: '60',
  })
  expect(environment({ endpoint: balanced({ PORT: '9000' }) })).toMatchObject({ PORT: '9000', PORT_HEALTH: '9000' })
})

test.each([
  ['Runpod Flash/1.21.0 (Python 3.13.0; Linux 6.1; x86_64) with the key "mine"', '3.13.0'],
  ['RunPod-Python-SDK/2.0.0rc2 (Linux 6.1; x86_64) Language/Python 3.12.1 with the key "mine"', '3.12.1'],
  ['Python/3.10 aiohttp/3.14.5 with the key "mine"', '3.10'],
  ['python-requests/2.34.2 with the key "of Python 3.9"', undefined],
  [undefined, undefined],
])('a worker of a live endpoint that was saved by %s knows the Python of that client: %s', (savedBy, version) => {
  const saved = { ...endpoint('ep1', {}), ...(savedBy === undefined ? {} : { savedBy }) }
  expect(environment({ endpoint: saved, envelope: 'flash' })['RUNYARD_CLIENT_PYTHON']).toBe(version)
  for (const envelope of ['deployed-flash', null] as const)
    expect(environment({ endpoint: saved, envelope })['RUNYARD_CLIENT_PYTHON']).toBeUndefined()
})
