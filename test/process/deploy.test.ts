// The unmodified tools deploy, list, deploy again and undeploy, and the deployed functions and routes are called (production §2.1, §2.2, §3.4).
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { killClientAt, killGatewayAfterEachChange, killGatewayInUpload } from '../harness/broken-deploys.ts'
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

  describe('of Flash', () => {
    const words = ['deploy', '--app', 'shop', '--python-version', '3.11']
    let own: Project
    let names: Record<string, string>
    let first: Environment | undefined
    let greet: string
    beforeAll(async () => {
      own = await only('deployed_flash.py')
      await tool('flash-1.21', own.dir, words)
      first = await environmentOf('shop')
      const idOf = (name: string): string => first?.endpoints.find((endpoint) => endpoint.name === name)?.id ?? ''
      greet = idOf('greet')
      names = { FLASH_APP: 'shop', FLASH_ENV: 'production', DESK: idOf('desk') }
    })
    afterAll(() => own?.[Symbol.asyncDispose]())

    /** Without TLS, so that all of its calls can go through a proxy. */
    const client = () => {
      const env = pythonEnv('flash-1.21', own.dir, { ...shell(own.dir), RUNPOD_ENDPOINT_BASE_URL: `${stack.url}/v2` })
      return { command: `${venvPath('flash-1.21')}/bin/flash`, args: words, cwd: own.dir, env }
    }
    const change = async (word: string, other: string): Promise<void> => {
      const path = join(own.dir, 'deployed_flash.py')
      await writeFile(path, (await readFile(path, 'utf8')).replace(`"${word}"`, `"${other}"`))
    }

    test('functions, routes and calls between them', async () => {
      expect(first?.name).toBe('production')
      // The build has only Flash's own source; what that imports is on the host (ADR 76).
      const nested = [{ word: { word: 'hello' } }, { greeting: 'hello guest' }]
      const found = { text: 'hello you', endpoint: greet, met: [4, 4, 4], word: { word: 'hello' }, doubled: { number: 42 }, nested }
      expect(await call('flash-1.21', own.dir, 'deployed_flash.py', names)).toEqual(found)
      expect(await tool('flash-1.21', own.dir, ['app', 'list'])).toContain('shop')
      expect(await tool('flash-1.21', own.dir, ['env', 'list', '--app', 'shop'])).toContain('production')
    })

    test('a killed client and a gateway that is killed after each step leave the old version serving, and the deploy succeeds', async () => {
      await killClientAt(stack, client(), 'PUT')
      await killGatewayInUpload(stack, (await apps())[0]?.id ?? '')
      expect(await environmentOf('shop')).toEqual(first)
      await change('hello', 'goodbye')
      const changes = await killGatewayAfterEachChange(stack, client(), async () => {
        expect((await environmentOf('shop'))?.activeBuildId).toBe(first?.activeBuildId)
        expect(await stack.api.runsync(greet, { name: 'you' })).toMatchObject({ output: { text: 'hello you' } })
      })
      const steps = ['prepareFlashArtifactUpload', 'PUT', 'finalizeFlashArtifactUpload', 'deployBuildToEnvironment']
      expect(changes.slice(0, 4)).toEqual(steps)
      expect(changes).toEqual(expect.arrayContaining(['saveEndpoint', 'updateFlashBuildManifest']))
      expect((await environmentOf('shop'))?.endpoints.toSorted(byName)).toEqual(first?.endpoints.toSorted(byName))
      expect(await call('flash-1.21', own.dir, 'deployed_flash.py', names)).toMatchObject({ text: 'goodbye you' })
    })

    test('a client that is killed after the activation, the same deploy again, and flash undeploy', async () => {
      const second = await environmentOf('shop')
      // Longer than the deploys; the worker with the old code answers it before it ends.
      const slow = fetch(`${stack.url}/lb/${names['DESK']}/word?after=20`, { headers: { authorization: `Bearer ${stack.key}` } })
      await change('goodbye', 'welcome')
      await killClientAt(stack, client(), 'deployBuildToEnvironment')
      expect((await environmentOf('shop'))?.activeBuildId).not.toBe(second?.activeBuildId)
      await tool('flash-1.21', own.dir, words)
      expect(await (await slow).json()).toEqual({ word: 'goodbye' })
      const found = { text: 'welcome you', word: { word: 'welcome' } }
      expect(await call('flash-1.21', own.dir, 'deployed_flash.py', names)).toMatchObject(found)
      await tool('flash-1.21', own.dir, ['undeploy', '--all', '--force'], 'y\n')
      expect(await stack.api.endpoints()).toEqual([])
    })
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
      slices: [0, 1].map((slice) => ({ slice, word: 'fresh' })),
      cash: [11, 13, 13],
    })
    expect(await tool('runpod-2.0', dir, ['flash', 'env', 'list', '--app', 'bakery'])).toContain('default')
    await tool('runpod-2.0', dir, ['flash', 'undeploy', '--app', 'bakery', '--yes'])
    expect(await environmentOf('bakery')).toBeUndefined()
  })
})
