// Test fixture: what the gateway of the small pool says of registries, secrets, volumes, releases, webhooks, apps,
// usage and notices.
export const NOW = Date.parse('2026-11-30T12:00:00Z')
/** Epoch ms. */
export const ago = (seconds: number): number => NOW - seconds * 1000
export const CAPTION = { id: 'k2j4h5g6f7d8s9', name: 'live-caption-of-every-picture-in-the-archive' }
export const UPSCALE = { id: 'a1b2c3d4e5f6g7', name: 'upscale' }

const sums = (seconds: number) => ({ seconds, billableSeconds: seconds - 0.5, gpuSeconds: 2 * seconds, cost: seconds / 1800 })
const USAGE = {
  from: new Date(ago(2_592_000)).toISOString(),
  to: new Date(NOW).toISOString(),
  usage: [
    { endpointId: CAPTION.id, endpointName: CAPTION.name, gpuType: 'NVIDIA GeForce RTX 4090', state: 'running', ...sums(123_456) },
    { endpointId: UPSCALE.id, endpointName: UPSCALE.name, gpuType: 'NVIDIA L4', state: 'initializing', ...sums(60) },
    { endpointId: null, endpointName: null, gpuType: null, state: 'idle', ...sums(7200) },
  ],
  by: ['endpoint', 'gpu', 'state'],
  currency: 'EUR',
  total: sums(130_716),
}

const KEY = { ownerId: 'vision', scopes: ['admin'], limits: {}, expiresAt: null, lastUsedAt: null, madeBy: null, ofFile: false }
const iso = (seconds: number): string => new Date(ago(seconds)).toISOString()
const KEYS = [
  {
    ...KEY,
    id: '5f0c1d2e-0000-4000-8000-000000000001',
    ownerId: 'owner',
    name: 'the key of the data directory',
    createdAt: iso(9e6),
    lastUsedAt: iso(20),
    ofFile: true,
  },
  {
    ...KEY,
    id: '6a1b2c3d-0000-4000-8000-000000000002',
    name: 'ci',
    scopes: ['run', 'view'],
    limits: { workers: 3, queuedJobs: null },
    createdAt: iso(4e5),
    expiresAt: iso(-7_776_000),
  },
  {
    ...KEY,
    id: '7b2c3d4e-0000-4000-8000-000000000003',
    name: 'old',
    scopes: ['metrics'],
    createdAt: iso(8e6),
    expiresAt: iso(1),
  },
]

const GPU = { uuid: 'GPU-2b1f6b9e-0000-4000-8000-000000000001', name: 'NVIDIA RTX A5000', memoryBytes: 24 * 2 ** 30, simulated: false }
const SIGHT = { label: 'gpu-box-1.machines.example.com', kind: 'docker', health: 'ready', at: NOW, claims: { [GPU.uuid]: 'w1' } }
const CAPABILITIES = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true }
const INVENTORY = { hostId: 'docker:1', kind: 'docker', capabilities: CAPABILITIES, cpuCount: 32, memoryBytes: 128 * 2 ** 30 }
const LOST = {
  kind: 'quarantined',
  since: ago(130),
  quarantines: [ago(130)],
  cause: 'lost',
  message: 'XID 79: the GPU has fallen off the bus',
}
const HOSTS = [
  {
    id: 'docker:1',
    sight: {
      ...SIGHT,
      inventory: {
        ...INVENTORY,
        cudaVersion: '12.8',
        labels: { room: 'cellar' },
        gpus: [
          { ...GPU, healthy: true },
          { ...GPU, uuid: 'GPU-2b1f6b9e-0000-4000-8000-000000000002', healthy: false, fault: LOST.message },
        ],
      },
    },
    workers: [{ id: 'ry-9f8e7d6c5b4a3210-001', endpointId: CAPTION.id, gpus: 1 }],
    cards: [{ uuid: 'GPU-2b1f6b9e-0000-4000-8000-000000000002', claim: LOST }],
  },
  {
    id: 'docker:2',
    sight: { ...SIGHT, label: 'gpu-box-2', claims: {} },
    cordon: { reason: 'a fan fails', since: NOW - 60_000 },
    workers: [],
    cards: [],
  },
]

export const SMALL_LISTS: Record<string, unknown> = {
  '/runyard/v1/hosts': { hosts: HOSTS },
  '/runyard/v1/keys': { keys: KEYS },
  '/runyard/v1/keys/current': KEYS[0],
  '/v2/registries': { registries: [{ id: 'reg_0123456789abcdef', name: 'a-registry-of-the-vision-team-with-a-long-name' }] },
  '/runyard/v1/secrets': {
    secrets: [
      {
        name: 'hf_token',
        updatedAt: new Date(ago(90_000)).toISOString(),
        description: 'reads the private models of the vision team on the hub',
      },
    ],
  },
  '/v2/network-volumes/w5e6i7g8h9t0s1': {},
  'POST /runyard/v1/endpoints/a1b2c3d4e5f6g7/retry': {},
  'PUT /runyard/v1/hosts/docker%3A2/cordon': {},
  'DELETE /runyard/v1/hosts/docker%3A2/cordon': {},
  'POST /runyard/v1/hosts/docker%3A1/gpus/GPU-2b1f6b9e-0000-4000-8000-000000000002/release': {
    uuid: 'GPU-2b1f6b9e-0000-4000-8000-000000000002',
    isListed: true,
  },
  'POST /runyard/v1/keys': { ...KEY, id: KEYS[1]?.id, name: 'ci-of-the-vision-team', key: 'rp_new' },
  'PATCH /runyard/v1/keys/6a1b2c3d-0000-4000-8000-000000000002': KEYS[1],
  'DELETE /runyard/v1/keys/6a1b2c3d-0000-4000-8000-000000000002': {},
  'POST /runyard/v1/keys/6a1b2c3d-0000-4000-8000-000000000002/rotate': { ...KEYS[1], key: 'rp_other' },
  'POST /v2/registries': { id: 'reg_1', name: 'vision' },
  'PATCH /v2/registries/reg_0123456789abcdef': { id: 'reg_0123456789abcdef', name: 'a-registry-of-the-vision-team-with-a-long-name' },
  'DELETE /v2/registries/reg_0123456789abcdef': {},
  'PUT /runyard/v1/secrets/hf_token': { name: 'hf_token' },
  'DELETE /runyard/v1/secrets/hf_token': {},
  'POST /runyard/v1/notices/test': {
    receivers: [
      { url: 'https://hooks.example.com/teams/vision/alerts', isDelivered: true, message: 'status 200' },
      { url: 'https://other.example.com/', isDelivered: false, message: 'the receiver closed the connection before it answered' },
    ],
  },
  'POST /runyard/v1/session/codes': { code: '7F3K-92QD' },
  'POST /runyard/v1/jobs/bulk': {
    matched: 3,
    done: 2,
    refused: [{ why: 'the input is not kept any more', jobs: 1 }],
    sample: [],
    isMore: false,
  },
  '/runyard/v1/webhooks/secrets': { secrets: ['whsec_0123456789abcdef', 'whsec_before'] },
  'POST /runyard/v1/webhooks/secrets/rotate': { secrets: ['whsec_after', 'whsec_0123456789abcdef'] },
  'POST /v2/serverless/a1b2c3d4e5f6g7/webhooks/evt_1/redeliver': {},
  '/runyard/v1/endpoints/a1b2c3d4e5f6g7/rollback': { image: 'vision:1' },
  '/runyard/v1/volumes': {
    volumes: [
      {
        id: 'w5e6i7g8h9t0s1',
        name: 'weights',
        kind: 'STANDARD',
        size: 500,
        dataCenter: 'EU-RO-1',
        place: 'gpu-box-2',
        endpoints: [CAPTION, UPSCALE],
        createdAt: new Date(ago(90_000)).toISOString(),
      },
      {
        id: 'g1l2o3b4a5l6v7',
        name: 'shared-data-of-the-vision-team',
        kind: 'GLOBAL',
        size: null,
        dataCenter: null,
        place: null,
        endpoints: [],
        createdAt: new Date(ago(3600)).toISOString(),
      },
    ],
  },
  '/v2/serverless/k2j4h5g6f7d8s9/releases': {
    releases: [
      {
        version: 3,
        createdAt: new Date(ago(7200)).toISOString(),
        image: 'registry.example.com/team/vision/stable-diffusion-worker:2026-11-30-cuda12',
        digest: 'sha256:4f6ddbf4e64ad616f6dc256d1aca96f8e6a9be8cb310a920b69659c64f6ddbf4',
        workerCount: 2,
        diff: [{ field: 'image' }, { field: 'env' }, { field: 'workersMax' }, { field: 'executionTimeoutMs' }],
      },
    ],
    rollout: { inProgress: true, workersOnLatest: 1, workersTotal: 2 },
  },
  '/v2/serverless/k2j4h5g6f7d8s9/webhooks': {
    attempts: [
      {
        at: ago(30),
        eventId: 'evt_1fc94455-6c1e_1',
        attempt: 2,
        outcome: 'failed',
        durationMs: 1204,
        url: 'https://hooks.example.com/teams/vision/jobs/ended?token=0123456789',
        error: 'the receiver closed the connection before it answered',
        nextAt: NOW + 60_000,
      },
    ],
    pending: { count: 1 },
  },
  '/v2/serverless/a1b2c3d4e5f6g7/webhooks': { attempts: [], pending: { count: 0 } },
  '/graphql': {
    data: {
      myself: {
        flashApps: [
          {
            id: 'app1',
            name: 'pictures-of-the-archive',
            createdAt: new Date(ago(9000)).toISOString(),
            flashBuilds: [{ id: 'bld_0123456789', createdAt: new Date(ago(9000)).toISOString() }],
            flashEnvironments: [
              {
                id: 'env1',
                name: 'production',
                state: 'ACTIVE',
                activeBuildId: 'bld_0123456789',
                createdAt: new Date(ago(9000)).toISOString(),
                endpoints: [CAPTION, UPSCALE],
              },
            ],
          },
        ],
      },
    },
  },
  '/runyard/v1/usage': USAGE,
  '/runyard/v1/notices': {
    notices: [
      {
        event: 'host_lost',
        subject: 'gpu-box-2.machines.example.com',
        message: 'the host does not answer since 13:50',
        since: new Date(ago(600)).toISOString(),
      },
      { event: 'endpoint_unhealthy', subject: CAPTION.name, message: 'five starts have failed: the image has no handler', since: null },
    ],
  },
}
