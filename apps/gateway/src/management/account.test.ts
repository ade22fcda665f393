// What clients ask an account for: runpodctl's `doctor`, `user`, `ssh`, `template list`, `serverless create`, `hub`, `model`, `billing` (production §2.3,
// production §3.9), and Terraform's changes of an endpoint (production §2.5).
import { describe, expect } from 'vitest'
import { QUEUE_BODY } from '../testing/management-app.ts'
import { it, opened, user } from '../testing/management-test.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB me@here'

describe('an account', () => {
  it('says who it is, without money and mail', async () => {
    const asked = 'id email clientBalance currentSpendPerHr spendLimit notifyPodsStale notifyPodsGeneral notifyLowBalance'
    expect(await user.graphql(`{ myself { ${asked} } }`)).toEqual({
      myself: {
        id: 'owner',
        email: '',
        clientBalance: 0,
        currentSpendPerHr: 0,
        spendLimit: 0,
        notifyPodsStale: false,
        notifyPodsGeneral: false,
        notifyLowBalance: false,
      },
    })
  })

  it('keeps public SSH keys for GraphQL and REST alike, and for its owner alone', async () => {
    const save = 'mutation ($input: UpdateUserSettingsInput) { updateUserSettings(input: $input) { id pubKey } }'
    expect(await user.graphql('{ myself { id pubKey } }')).toEqual({ myself: { id: 'owner', pubKey: '' } })
    expect(await user.graphql(save, { input: { pubKey: `${KEY}\n\n${KEY}2\n` } })).toEqual({
      updateUserSettings: { id: 'owner', pubKey: `${KEY}\n${KEY}2` },
    })
    expect((await user.rest('GET', '/v2/account/ssh-keys')).json).toEqual({ keys: [KEY, `${KEY}2`] })
    expect((await user.rest('PUT', '/v2/account/ssh-keys', { keys: [KEY] })).json).toEqual({ keys: [KEY] })
    expect(await user.graphql('{ myself { pubKey } }')).toEqual({ myself: { pubKey: KEY } })
    const other = await opened.userOf('other')
    expect((await other.rest('GET', '/v2/account/ssh-keys')).json).toEqual({ keys: [] })
  })

  it('refuses what is no public key', async () => {
    const { status, json } = await user.rest('PUT', '/v2/account/ssh-keys', { keys: ['-----BEGIN OPENSSH PRIVATE KEY-----'] })
    expect({ status, json }).toMatchObject({ status: 400, json: { detail: expect.stringContaining('is no public SSH key') as string } })
  })

  it('lists its templates under the name that runpodctl declares, with the ports apart', async () => {
    await user.rest('POST', '/v2/templates', { name: 't', image: 'me/worker:1', serverless: true, ports: ['8888/http'] })
    const list =
      'query PodTemplates($input: PodTemplateInput) { podTemplates(input: $input) { id name isRunpod portsConfig { port name } } }'
    expect(await user.graphql(list, { input: { isRunpod: true } })).toEqual({ podTemplates: [] })
    expect(await user.graphql(list, { input: { isRunpod: false } })).toEqual({
      podTemplates: [{ id: expect.any(String) as string, name: 't', isRunpod: false, portsConfig: [{ port: '8888/http', name: '' }] }],
    })
  })

  it('answers with the types of each pool, and with empty lists of what only Runpod has', async () => {
    const { serverlessGpuPools: pools } = (await user.graphql('{ serverlessGpuPools { id gpuTypeIds } }')) as Record<string, unknown[]>
    expect(pools).toContainEqual({ id: 'ADA_24', gpuTypeIds: expect.arrayContaining(['NVIDIA GeForce RTX 4090']) as unknown })
    const hub = 'query Listings($input: ListingsInput!) { listings(input: $input) { id title repoName tags stars createdAt } }'
    expect(await user.graphql(hub, { input: { searchQuery: 'vllm', limit: 10 } })).toEqual({ listings: [] })
    const models = 'query myModels { myModels { id owner users { userId status } versions { uuid hash } } }'
    expect(await user.graphql(models)).toEqual({ myModels: [] })
    expect(await user.graphql('{ allAiApiPublicConfigs { id modelName isLive } }')).toEqual({ allAiApiPublicConfigs: [] })
  })

  it('answers what was billed per endpoint and per type, from the ledger and at no price', async () => {
    const made = await user.rest('POST', '/v2/serverless', QUEUE_BODY)
    const endpointId = String(made.json['id'])
    const from = Date.now() - 3_600_000
    const row = { workerId: 'w1', endpointId, gpuType: 'NVIDIA L4', gpuCount: 1 }
    await opened.store.ledger.transition({ ...row, state: 'running', at: from })
    await opened.store.ledger.close('w1', from + 60_000)
    const seconds = (json: Record<string, unknown>): number =>
      (json['records'] as { billedSeconds: number }[]).reduce((sum, { billedSeconds }) => sum + billedSeconds, 0)
    expect(seconds((await user.rest('GET', '/v2/billing?lastN=2')).json)).toBe(60)
    const own = (await user.rest('GET', `/v2/billing/serverless?lastN=2&serverlessId=${endpointId}`)).json
    expect([seconds(own), own['metadata']]).toEqual([60, expect.objectContaining({ uniqueServerlessCount: 1 })])
    expect(seconds((await user.rest('GET', '/v2/billing/serverless?lastN=2&serverlessId=other')).json)).toBe(0)
    const v1 = async (query: string): Promise<unknown> => (await user.rest('GET', `/v1/billing/endpoints?${query}`)).json
    const record = { amount: 0, timeBilledMs: 60_000, diskSpaceBilledGb: 0, time: expect.any(String) as string }
    expect(await v1('bucketSize=month')).toEqual([{ ...record, endpointId }])
    expect(await v1('bucketSize=month&grouping=gpuTypeId')).toEqual([{ ...record, gpuTypeId: 'NVIDIA L4' }])
    expect(await v1('bucketSize=month&gpuTypeId=NVIDIA%20A40')).toEqual([])
    expect(await v1('grouping=podId')).toMatchObject({ error: expect.stringContaining('per endpoint and GPU type') as string })
    const other = await opened.userOf('other')
    expect(seconds((await other.rest('GET', '/v2/billing?lastN=2')).json)).toBe(0)
  })

  it('takes the members that Terraform adds to a change, and refuses another compute type', async () => {
    const made = await user.rest('POST', '/v2/serverless', { ...QUEUE_BODY, flashboot: true })
    const patch = (body: object) => user.rest('PATCH', `/v2/serverless/${made.json['id']}`, body)
    const change = { computeType: 'GPU', cloudType: 'SECURE', containerDiskInGb: 30, vcpuCount: 4, workers: { min: 0, max: 2 } }
    expect(await patch(change)).toMatchObject({ status: 200, json: { disk: 30, workers: { max: 2 }, flashboot: 'FLASHBOOT' } })
    expect(await patch({ computeType: 'CPU' })).toMatchObject({ status: 422 })
    const cpu = await user.rest('POST', '/v2/serverless', {
      ...QUEUE_BODY,
      name: 'cpu',
      gpu: undefined,
      cpu: [{ id: 'cpu3g', vcpuCount: 2 }],
    })
    expect(await user.rest('PATCH', `/v2/serverless/${cpu.json['id']}`, { vcpuCount: 8 })).toMatchObject({
      status: 200,
      json: { cpu: [{ id: 'cpu3g', vcpuCount: 8, memory: 32 }] },
    })
  })

  // The members that the provider's source sends, with every attribute of the resource set (github.com/runpod/terraform-provider-runpod, 32f26e2).
  it.each([
    [
      'templates',
      {
        name: 'tpl',
        image: 'me/worker:1',
        category: 'NVIDIA',
        disk: 20,
        dockerEntrypoint: ['python3', '-u'],
        dockerStartCmd: ['main.py', 'two words'],
        env: { A: '1' },
        public: false,
        serverless: true,
        ports: ['8080/http'],
        readme: 'hello',
      },
      { image: 'me/worker:2', env: { A: '2' }, dockerEntrypoint: ['python3', '-u'], dockerStartCmd: ['other.py'], ports: ['8080/http'] },
      { id: expect.any(String) as string, name: 'tpl', image: 'me/worker:2', disk: 20, env: { A: '2' }, args: 'other.py', readme: 'hello' },
    ],
    [
      'templates',
      { name: 'pod', image: 'me/pod:1', mounts: [{ volumeInGb: 30, volumeMountPath: '/data' }], containerRegistryAuthId: '' },
      { mounts: [{ volumeInGb: 40, volumeMountPath: '/data' }] },
      { id: expect.any(String) as string, name: 'pod', mounts: { persistent: { size: 40, path: '/data' } }, serverless: false },
    ],
    [
      // It cannot be changed.
      'registries',
      { name: 'hub', username: 'me', password: 'secret' },
      undefined,
      { id: expect.any(String) as string, name: 'hub' },
    ],
    [
      'network-volumes',
      { name: 'data', size: 20, dataCenter: 'EU-RO-1' },
      { size: 40 },
      { id: expect.any(String) as string, name: 'data', size: 40, dataCenter: 'EU-RO-1' },
    ],
  ])('creates, reads, changes and deletes %s as Terraform does, to whom 404 is gone', async (path, body, change, read) => {
    const made = await user.rest('POST', `/v2/${path}`, body)
    expect([200, 201]).toContain(made.status)
    expect(made.json['username']).toBe('username' in body ? body.username : undefined)
    const one = `/v2/${path}/${made.json['id']}`
    if (change !== undefined) expect((await user.rest('PATCH', one, change)).status).toBe(200)
    expect(await user.rest('GET', one)).toMatchObject({ status: 200, json: read })
    expect(JSON.stringify((await user.rest('GET', one)).json)).not.toContain('secret')
    expect(await user.rest('DELETE', one)).toEqual({ status: 204, json: {} })
    expect((await user.rest('GET', one)).status).toBe(404)
  })
})
