// Volumes with unmodified SDKs: what a worker writes is there for a later worker, also of another session and after a restart of everything.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tryCommand } from '../harness/child.ts'
import { makeProject, pythonEnv, runPython } from '../harness/python.ts'
import { testWhere } from '../harness/suite.ts'
import { startStack, type HostKind, type Stack } from '../harness/stack.ts'
import { venvPath } from '../harness/venvs.ts'
import { waitFor } from '../harness/wait.ts'

export function volumesSuite(host: HostKind): void {
  let stack: Stack
  /** A directory stands for the NFS that the operator has mounted; Docker keeps its own volumes. */
  let shared: string

  beforeAll(async () => {
    shared = await mkdtemp(join(tmpdir(), 'runyard-shared-'))
    const hosts = JSON.stringify([{ kind: 'process', id: 'local', volumes: { path: shared, shared: true } }])
    const settings: Record<string, string> = host === 'process' ? { RUNYARD_HOSTS: hosts } : {}
    stack = await startStack({ host, simulatedGpus: 'NVIDIA GeForce RTX 4090:2', settings })
  })
  afterAll(async () => {
    await stack?.stop()
    await rm(shared, { recursive: true, force: true })
  })

  const call = async (what: string) =>
    (await runPython({ venv: 'flash-1.21', program: 'flash_volumes.py', args: [what], env: stack.env })).found
  const volumes = async () =>
    (await (await fetch(`${stack.url}/v2/network-volumes`, { headers: { authorization: `Bearer ${stack.key}` } })).json()) as {
      networkVolumes: { id: string; name: string; dataCenter: string }[]
    }
  const request = (method: string, path: string) =>
    fetch(`${stack.url}${path}`, { method, headers: { authorization: `Bearer ${stack.key}` } })

  test('a Flash function keeps files in its volume, across workers and restarts, until the volume is deleted', async () => {
    const first = await call('write')
    expect(first).toMatchObject({ note: 'kept', path: expect.stringContaining(host === 'process' ? shared : '/runpod-volume') })
    const [endpoint] = await stack.api.endpoints()
    await stack.api.untilZero(endpoint?.id ?? '')
    for (const part of [stack.scaler, stack.gateway]) {
      await part.kill()
      await part.start()
    }
    const second = await call('read')
    expect(second).toMatchObject({ note: 'kept', path: first['path'] })
    expect(second['worker']).not.toBe(first['worker'])
    const [volume] = (await volumes()).networkVolumes
    expect(volume).toMatchObject({ name: 'models', dataCenter: 'EU-RO-1' })
    expect((await request('DELETE', `/v2/network-volumes/${volume?.id}`)).status).toBe(409)
    await request('DELETE', `/v2/serverless/${endpoint?.id}`)
    expect((await request('DELETE', `/v2/network-volumes/${volume?.id}`)).status).toBe(204)
    if (host === 'process') await waitFor('the data to go', async () => !(await readdir(shared)).includes(volume?.id ?? ''))
  })

  // The SDK itself is installed into a worker's own environment, which needs the index.
  testWhere(host === 'process', 'an app of SDK 2.0 finds what an earlier session wrote', async () => {
    const dev = async (): Promise<string> => {
      await using project = await makeProject(['rp_volumes.py'])
      const env = pythonEnv('runpod-2.0', project.dir, stack.env)
      const result = await tryCommand(`${venvPath('runpod-2.0')}/bin/rp`, ['flash', 'dev', 'rp_volumes.py', '--once'], {
        cwd: project.dir,
        env,
      })
      return result.stdout + result.stderr
    }
    expect(await dev()).toContain('"before": ""')
    const again = await dev()
    expect(again).toContain('"before": "x"')
    expect(again).toContain(shared)
  })
}
