import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './config.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'runyard-config-'))
})
afterEach(async () => {
  await rm(cwd, { recursive: true })
})

const file = (text: string) => writeFile(join(cwd, 'runyard.yaml'), text)
const load = (env: Record<string, string> = {}) => loadConfig({ env, cwd })

describe('loadConfig', () => {
  it('prefers the environment to the file and the file to the defaults, and reports the source', async () => {
    await file('listen: { port: 1111, host: 0.0.0.0 }\n')
    const { config, origins } = await load({ RUNYARD_LISTEN_PORT: '2222' })
    expect(config.listen).toMatchObject({ port: 2222, host: '0.0.0.0' })
    expect(origins['listen.port']).toBe('RUNYARD_LISTEN_PORT')
    expect(origins['listen.host']).toBe(join(cwd, 'runyard.yaml'))
    expect(origins['workerPlane.port']).toBe('default')
  })

  it('reads the file that RUNYARD_CONFIG names, and rejects a missing one', async () => {
    await writeFile(join(cwd, 'other.yaml'), 'defaultImage: mine:1\n')
    expect((await load({ RUNYARD_CONFIG: 'other.yaml' })).config.defaultImage).toBe('mine:1')
    await expect(load({ RUNYARD_CONFIG: 'absent.yaml' })).rejects.toThrow(/absent\.yaml cannot be read/)
  })

  it('reads networks from a variable and from the file, and rejects invalid ones', async () => {
    const networks = async (text: string) => (await load({ RUNYARD_WEBHOOKS_ALLOW_PRIVATE: text })).config.webhooks.allowPrivate
    expect([await networks('true'), await networks('false')]).toEqual([true, false])
    expect(await networks('10.0.0.0/8, fd12::/16')).toEqual(['10.0.0.0/8', 'fd12::/16'])
    await expect(networks('10.0.0.0')).rejects.toThrow(
      /^RUNYARD_WEBHOOKS_ALLOW_PRIVATE is wrong: allowed is true, false, or networks such as/,
    )
    await file('webhooks: { allowPrivate: [192.168.1.0/24] }\n')
    expect((await load()).config.webhooks.allowPrivate).toEqual(['192.168.1.0/24'])
  })

  it('accepts REDIS_URL as another name of RUNYARD_REDIS_URL, which takes precedence', async () => {
    expect((await load({ REDIS_URL: 'redis://a' })).config.redis.url).toBe('redis://a')
    const both = await load({ REDIS_URL: 'redis://a', RUNYARD_REDIS_URL: 'redis://b' })
    expect(both.config.redis.url).toBe('redis://b')
    expect(both.origins['redis.url']).toBe('RUNYARD_REDIS_URL')
    await expect(load({ REDIS_URL: 'http://a' })).rejects.toThrow('must begin with redis:// or rediss://')
  })

  it('reads hosts from a variable as a bare kind or as JSON', async () => {
    expect((await load({ RUNYARD_HOSTS: 'process' })).config.hosts).toMatchObject([{ id: 'local', kind: 'process' }])
    expect((await load({ RUNYARD_HOSTS: '[{"kind":"docker","id":"a"}]' })).config.hosts).toMatchObject([{ id: 'a', kind: 'docker' }])
  })

  it('reads the hosts of the file, each written short or in full', async () => {
    await file(`hosts:
  - process
  - ssh://me@box.example
  - { engine: unix:///run/user/1000/docker.sock, labels: { rack: b }, limits: { workers: 4 }, cordon: a fan fails }
  - { id: far, engine: tcp://10.0.0.7, tls: { ca: /ca.pem, cert: /cert.pem, key: /key.pem }, reserve: { gpus: 1, gpuMemoryMib: 512 } }
`)
    await expect(load()).rejects.toThrow('runyard.yaml: "hosts" is wrong: two hosts are called "local": give each an id of its own.')
    await file('hosts: [{ kind: process, id: here }, ssh://me@box.example, { labels: { rack: b }, cordon: a fan fails }]')
    expect((await load()).config.hosts).toEqual([
      { kind: 'process', id: 'here' },
      { kind: 'docker', id: 'box.example', engine: 'ssh://me@box.example' },
      { kind: 'docker', id: 'local', labels: { rack: 'b' }, cordon: 'a fan fails' },
    ])
    await file('hosts: [{ engine: ssh://box, limits: { workers: , cpus: "2" }, labels: }, { engine: ssh://box/run/other.sock, id: other }]')
    expect((await load()).config.hosts).toMatchObject([{ id: 'box', limits: { cpus: 2 } }, { id: 'other' }])
    expect((await load({ RUNYARD_HOSTS: 'ssh://a, tcp://127.0.0.1:2375' })).config.hosts).toMatchObject([{ id: 'a' }, { id: '127.0.0.1' }])
  })

  it.each([
    ['tcp://10.0.0.7:2375', '"tcp://10.0.0.7:2375" would be used without TLS, which is refused on a network'],
    ['{ engine: box:22 }', '"box:22" names no engine: write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host.'],
    ['{ engine: tcp://box, tls: { ca: /ca.pem } }', '(at 0.tls.cert): tls names three PEM files: ca, cert and key.'],
    ['{ engine: ssh://box, tls: { ca: /ca.pem, cert: /c.pem, key: /k.pem } }', 'tls is for an engine that tcp:// names.'],
    ['ssh://me@box:0', '"ssh://me@box:0" names no engine'],
    ['{ forwardPlane: true }', 'forwardPlane needs an engine that ssh:// names.'],
    ['{ kind: podman }', 'kind is docker or process.'],
    ['7', 'a host is process, the URL of an engine, or settings such as engine and labels.'],
    ['{ lables: { rack: b } }', 'a host has no setting "lables".'],
    ['{ labels: [b] }', '(at 0.labels): labels are "name: text" lines.'],
    ['{ labels: { "a b": c } }', 'a label is named by letters, digits, ".", "_" and "-".'],
    ['{ labels: { a: "b\\nc" } }', '(at 0.labels.a): the text of a label is one line.'],
    ['{ limits: { workers: many } }', '(at 0.limits.workers): a whole number is needed.'],
    ['{ limits: { workers: "" } }', '(at 0.limits.workers): a whole number is needed.'],
    ['{ limits: { workers: -1 } }', '(at 0.limits.workers): the least is 0.'],
    ['{ standby: true }', '(at 0.standby): a whole number is needed.'],
    ['{ limits: { wokers: 1 } }', '(at 0.limits): a host has no setting "wokers".'],
    ['{ reserve: { gpus: GPU-1 } }', '(at 0.reserve.gpus): reserve.gpus is a number of GPUs or a list of UUIDs.'],
    ['{ cordon: 7 }', '(at 0.cordon): cordon is true, false or the reason.'],
    ['{ planeUrl: box }', '(at 0.planeUrl): planeUrl is an http or https URL such as http://192.168.1.5:8081.'],
    ['{ planeUrl: ftp://box }', '(at 0.planeUrl): planeUrl is an http or https URL such as http://192.168.1.5:8081.'],
    ['ssh://box, { engine: ssh://box, id: twin }', '"box" and "twin" are one host, ssh://box: keep one of them.'],
    ['process, { kind: process, id: twin }', '"local" and "twin" are one host, process: keep one of them.'],
    ['{ simulatedGpus: "NVIDIA L4:many" }', '(at 0.simulatedGpus): simulatedGpus is written like'],
    ['{ id: a b }', '(at 0.id): an id has up to 63 letters, digits, ".", "_" and "-".'],
  ])('refuses the host %s in one sentence', async (host, sentence) => {
    await file(`hosts: [${host}]`)
    await expect(load()).rejects.toThrow(sentence)
    await expect(load()).rejects.toThrow(/^[^\n]*runyard\.yaml: "hosts" is wrong[^\n]*\.$/)
  })

  it('says where a process that hands a setting over has it from', async () => {
    const handed = { RUNYARD_LISTEN_PORT: '2222', RUNYARD_ORIGINS: '{"listen.port":"--port"}' }
    const { config, origins, strayVariables } = await load(handed)
    expect([config.listen.port, origins['listen.port'], origins['listen.host'], strayVariables]).toEqual([2222, '--port', 'default', []])
  })

  it('treats an empty variable as unset', async () => {
    expect((await load({ RUNYARD_LISTEN_PORT: '' })).origins['listen.port']).toBe('default')
  })

  it.each([
    [{ RUNYARD_LISTEN_PORT: 'abc' }, 'RUNYARD_LISTEN_PORT is wrong: allowed is a whole number from 0 to 65535.'],
    [{ RUNYARD_LOG_LEVEL: 'loud' }, 'RUNYARD_LOG_LEVEL is wrong: allowed is one of fatal, error, warn, info, debug, trace, silent.'],
    [{ RUNYARD_SIMULATED_GPU: 'x' }, 'There is no setting RUNYARD_SIMULATED_GPU; did you mean RUNYARD_SIMULATED_GPUS?'],
    [{ RUNYARD_LEASE_DURATION_S: '1e99' }, 'RUNYARD_LEASE_DURATION_S is wrong: allowed is a number from 1 to 86400.'],
    [{ RUNYARD_RETENTION_ASYNC_S: '1e99' }, 'RUNYARD_RETENTION_ASYNC_S is wrong: allowed is a number from 1 to 31536000.'],
    [
      { RUNYARD_SIMULATED_GPUS: 'NVIDIA L4:-1' },
      /^RUNYARD_SIMULATED_GPUS is wrong: simulatedGpus is written like "NVIDIA GeForce RTX 4090:2/,
    ],
    [{ RUNYARD_LIMITS_RUN_BYTES: '-5' }, 'RUNYARD_LIMITS_RUN_BYTES is wrong: allowed is a whole number from 1.'],
    [
      { RUNYARD_LEASE_PING_INTERVAL_S: '100' },
      'RUNYARD_LEASE_PING_INTERVAL_S is wrong: a worker pings at least twice in a lease, so lease.pingIntervalS (100) is at most half of lease.durationS (40).',
    ],
    [{ RUNYARD_LEASE_DURATION_S: '12' }, /^RUNYARD_LEASE_DURATION_S is wrong: a worker pings at least twice in a lease/],
    [{ RUNYARD_TLS_CERT: '/cert.pem' }, 'RUNYARD_TLS_CERT is wrong: tls.cert and tls.key belong together: name both files, or none.'],
    [{ RUNYARD_TLS_PORT: '8080' }, /^RUNYARD_TLS_PORT is wrong: tls.port and listen.port are both 8080/],
    [{ RUNYARD_HOSTS: '[{' }, /^RUNYARD_HOSTS is not valid JSON/],
  ])('refuses %o in one sentence', async (env, sentence) => {
    await expect(load(env as Record<string, string>)).rejects.toThrow(sentence)
  })

  it.each([
    ['lisen: { port: 1 }', /there is no setting "lisen"; did you mean "listen"\?$/],
    ['pingIntervalS: 5', /there is no setting "pingIntervalS"; did you mean "lease\.pingIntervalS"\?$/],
    ['{ lease: { durationX: 5 } }', /there is no setting "lease\.durationX"; did you mean "lease\.durationS"\?$/],
    ['box: 5', /there is no setting "box"; `runyard config` lists them all\.$/],
    ['xyzzyxyzzy: 1', /there is no setting "xyzzyxyzzy"; `runyard config` lists them all\.$/],
    ['listen: { prot: 1 }', 'there is no setting "listen.prot"; did you mean "listen.port"?'],
    [
      'limits: { queueJobs: 99999999999999999999999 }',
      '"limits.queueJobs" is wrong: allowed is a whole number from 1 to 9007199254740991.',
    ],
    ['listen: { port: 99999 }', '"listen.port" is wrong: allowed is a whole number from 0 to 65535.'],
    ['listen: 8080', '"listen" is a section and needs settings below it.'],
    ['- a', 'must hold settings'],
    ['traces: { headers: { a: b } }', '"traces.headers" is wrong: they go to traces.endpoint, which is not set.'],
    [
      'traces: { endpoint: "http://127.0.0.1:4318", headers: { "a b": c } }',
      '"traces.headers" is wrong: a header has a name of letters, digits and "-", and a text of one line.',
    ],
    ['loadBalancing: { names: ["*.example.com"] }', '(at 0): a name is written like gpu.example.com, without scheme, port or *.'],
    ['tls: { name: "https://gpu.example.com" }', '"tls.name" is wrong: a name is written like gpu.example.com'],
    ['tls: { name: 192.168.1.4 }', '"tls.name" is wrong: a name is written like gpu.example.com'],
    ['tls: { cert: 7 }', '"tls.cert" is wrong: it must be text.'],
    ['dataDir: ""', '"dataDir" is wrong: it must not be empty.'],
    ['listen: { host: "" }', '"listen.host" is wrong: it must not be empty.'],
    ['blobs: { directory: "" }', '"blobs.directory" is wrong: it must not be empty.'],
    ['webhooks: { timeoutS: 20, maxAgeS: 5 }', '"webhooks.timeoutS" is wrong: webhooks.timeoutS (20) of one attempt is at most'],
    ['hosts: [{ volumes: { path: /srv/../etc } }]', 'volumes.path has no "..", no "." and no empty part.'],
    ['hosts: [{ volumes: { path: /etc } }]', 'volumes.path is a directory of its own, not one of the system.'],
    ['a: b: c', /runyard\.yaml is not valid YAML: [^\n]+ at line 1, column 4\.$/],
  ])('refuses a file with %j and names it', async (text, sentence) => {
    await file(text)
    await expect(load()).rejects.toThrow(sentence)
    await expect(load()).rejects.toThrow('runyard.yaml')
  })

  it('names variables that look like settings and are none, and loads all the same', async () => {
    const others = { RUNYARD_BOOTSTRAP_KEY: 'x', RUNYARD_SCRATCH_DIR: '/s', RUNYARD_TEST_TRACE: '1', PRICES: 'x', RUNYARD_LISTEN_PORT: '1' }
    expect((await load(others)).strayVariables).toEqual([])
    const { strayVariables, config } = await load({ RUNYARD_PRICES: 'x', RUNYARD_PRICE_PER_HOUR: '1', RUNYARD_ZZZ: '1' })
    expect(config.listen.port).toBe(8080)
    expect(strayVariables).toEqual([
      expect.stringMatching(/^RUNYARD_PRICES is no setting and does nothing; did you mean (?:RUNYARD_PRICES_[A-Z_]+(?: or |\?$)){3}/u),
      'RUNYARD_PRICE_PER_HOUR is no setting and does nothing; did you mean RUNYARD_PRICES_GPU_PER_HOUR?',
      'RUNYARD_ZZZ is no setting and does nothing; `runyard config` lists all settings.',
    ])
  })
})
