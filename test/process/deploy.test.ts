// The unmodified tools deploy, list, deploy again and undeploy, and the deployed functions and routes are called (production §2.1, §2.2, §3.4).
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { killClientInUpload, killGatewayInUpload } from '../harness/broken-uploads.ts'
import { runCommand } from '../harness/child.ts'
import { makeProject, pythonEnv, runPython } from '../harness/python.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { venvPath, type VenvName } from '../harness/venvs.ts'

type Project = { readonly dir: string } & AsyncDisposable
type App = { readonly id: string; readonly name: string; readonly flashEnvironments: readonly Environment[] }
type Environment = { readonly name: string; readonly activeBuildId: string; readonly endpoints: readonly { id: string; name: string }[] }

const byName = (one: { name: string }, other: { name: string }): number => one.name.localeCompare(other.name)
const APPS = 'query { myself { flashApps { id name flashEnvironments { id name activeBuildId endpoints { id name } } } } }'

await suiteThatNeeds(['redis', 'venv:flash-1.21', 'venv:runpod-2.0'], 'deploys on the process host', () => {
  let stack: Stack
  let tlsPort: number

  beforeAll(async () => {
    tlsPort = await findFreePort()
    stack = await startStack({ host: 'process', settings: { RUNYARD_TLS_PORT: `${tlsPort}` } })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  /** As `runyard env --deployed` prints it for a stack with TLS. */
  const shell = (dir: string): Record<string, string> => {
    const { FLASH_IS_LIVE_PROVISIONING: _, ...env } = stack.env
    return { ...env, RUNPOD_ENDPOINT_BASE_URL: `https://api.localhost:${tlsPort}/v2`, SSL_CERT_FILE: join(dir, 'bundle.pem') }
  }
  const only = async (program: string): Promise<Project> => {
    const project = await makeProject([program])
    await cp(join(stack.dataDir, 'tls', 'bundle.pem'), join(project.dir, 'bundle.pem'))
    return project
  }
  const tool = (venv: VenvName, dir: string, args: readonly string[], input = '') =>
    runCommand(`${venvPath(venv)}/bin/${venv === 'flash-1.21' ? 'flash' : 'rp'}`, args, {
      cwd: dir,
      env: pythonEnv(venv, dir, shell(dir)),
      input,
      timeoutMs: 200_000,
    })
  const call = async (venv: VenvName, dir: string, program: string, more: Record<string, string> = {}) => {
    return (await runPython({ venv, program, cwd: dir, env: { ...shell(dir), ...more } })).found
  }
  const apps = async (): Promise<readonly App[]> => {
    const response = await fetch(`${stack.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: APPS }),
    })
    const { data } = (await response.json()) as { data: { myself: { flashApps: readonly App[] } } }
    return data.myself.flashApps
  }
  const environmentOf = async (name: string): Promise<Environment | undefined> =>
    (await apps()).find((app) => app.name === name)?.flashEnvironments[0]

  test('flash deploy, broken deploys, a call, new code, and flash undeploy', async () => {
    await using own = await only('deployed_flash.py')
    const { dir } = own
    await tool('flash-1.21', dir, ['deploy', '--app', 'shop', '--python-version', '3.11'])
    const first = await environmentOf('shop')
    expect(first?.name).toBe('production')
    const [greet, desk] = ['greet', 'desk'].map((name) => first?.endpoints.find((endpoint) => endpoint.name === name)?.id ?? '')
    const names = { FLASH_APP: 'shop', FLASH_ENV: 'production', DESK: desk ?? '' }
    // The build has only Flash's own source; what that imports is on the host (ADR 76).
    const nested = [{ word: { word: 'hello' } }, { greeting: 'hello guest' }]
    const found = { text: 'hello you', endpoint: greet, met: [4, 4, 4], word: { word: 'hello' }, doubled: { number: 42 }, nested }
    expect(await call('flash-1.21', dir, 'deployed_flash.py', names)).toEqual(found)
    expect(await tool('flash-1.21', dir, ['app', 'list'])).toContain('shop')
    expect(await tool('flash-1.21', dir, ['env', 'list', '--app', 'shop'])).toContain('production')

    const again = ['deploy', '--app', 'shop', '--python-version', '3.11']
    const command = `${venvPath('flash-1.21')}/bin/flash`
    await killClientInUpload(stack, { command, args: again, cwd: dir, env: pythonEnv('flash-1.21', dir, shell(dir)) })
    await killGatewayInUpload(stack, (await apps())[0]?.id ?? '')
    expect(await environmentOf('shop')).toEqual(first)
    expect(await call('flash-1.21', dir, 'deployed_flash.py', names)).toMatchObject({ text: 'hello you' })

    const path = join(dir, 'deployed_flash.py')
    // Longer than the deploy; the worker with the old code answers it before it ends.
    const slow = fetch(`${stack.url}/lb/${desk}/word?after=20`, { headers: { authorization: `Bearer ${stack.key}` } })
    await writeFile(path, (await readFile(path, 'utf8')).replace('"hello"', '"goodbye"'))
    await tool('flash-1.21', dir, ['deploy', '--app', 'shop', '--python-version', '3.11'])
    const second = await environmentOf('shop')
    expect(second?.endpoints.toSorted(byName)).toEqual(first?.endpoints.toSorted(byName))
    expect(second?.activeBuildId).not.toBe(first?.activeBuildId)
    expect(await (await slow).json()).toEqual({ word: 'hello' })
    expect(await call('flash-1.21', dir, 'deployed_flash.py', names)).toMatchObject({ text: 'goodbye you', word: { word: 'goodbye' } })

    await tool('flash-1.21', dir, ['undeploy', '--all', '--force'], 'y\n')
    expect(await stack.api.endpoints()).toEqual([])
  })

  test('rp flash deploy, a call, and rp flash undeploy', async () => {
    await using own = await only('deployed_rp.py')
    const { dir } = own
    await tool('runpod-2.0', dir, ['flash', 'deploy'])
    const environment = await environmentOf('bakery')
    expect(environment?.name).toBe('default')
    expect(await call('runpod-2.0', dir, 'deployed_rp.py')).toEqual({
      loaves: 6,
      endpoint: environment?.endpoints.find(({ name }) => name === 'bake')?.id,
      counted: { loaves: 4 },
      in_oven: [4, 4, 4],
      sold: { baked: 10, counted: { loaves: 10 } },
    })
    expect(await tool('runpod-2.0', dir, ['flash', 'env', 'list', '--app', 'bakery'])).toContain('default')
    await tool('runpod-2.0', dir, ['flash', 'undeploy', '--app', 'bakery', '--yes'])
    expect(await environmentOf('bakery')).toBeUndefined()
  })
})
