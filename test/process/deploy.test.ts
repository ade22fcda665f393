// The unmodified tools deploy, list, deploy again and undeploy, and the deployed functions and routes are called (production §2.1, §2.2, §3.4).
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { killClientAt, killGatewayAfterEachChange, killGatewayInUpload } from '../harness/broken-deploys.ts'
import { createDeployTools, type Environment, type Project } from '../harness/deploy-tools.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'

const byName = (one: { name: string }, other: { name: string }): number => one.name.localeCompare(other.name)

await suiteThatNeeds(['redis', 'venv:flash-1.21', 'venv:runpod-2.0'], 'deploys on the process host', () => {
  let stack: Stack
  let tools: ReturnType<typeof createDeployTools>

  beforeAll(async () => {
    const tlsPort = await findFreePort()
    stack = await startStack({ host: 'process', settings: { RUNYARD_TLS_PORT: `${tlsPort}` } })
    tools = createDeployTools(stack, (dir) => ({
      RUNPOD_ENDPOINT_BASE_URL: `https://api.localhost:${tlsPort}/v2`,
      SSL_CERT_FILE: join(dir, 'bundle.pem'),
    }))
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const only = async (program: string): Promise<Project> => {
    const project = await tools.project(program)
    await cp(join(stack.dataDir, 'tls', 'bundle.pem'), join(project.dir, 'bundle.pem'))
    return project
  }

  describe('of Flash', () => {
    const words = ['deploy', '--app', 'shop', '--python-version', '3.11']
    let own: Project
    let names: Record<string, string>
    let first: Environment | undefined
    let greet: string
    beforeAll(async () => {
      own = await only('deployed_flash.py')
      await tools.tool('flash-1.21', own.dir, words)
      first = await tools.environmentOf('shop')
      const idOf = (name: string): string => first?.endpoints.find((endpoint) => endpoint.name === name)?.id ?? ''
      greet = idOf('greet')
      names = { FLASH_APP: 'shop', FLASH_ENV: 'production', DESK: idOf('desk') }
    })
    afterAll(() => own?.[Symbol.asyncDispose]())

    /** Without TLS, so that all of its calls can go through a proxy. */
    const client = () => tools.command('flash-1.21', own.dir, words, { RUNPOD_ENDPOINT_BASE_URL: `${stack.url}/v2` })

    test('functions, routes and calls between them', async () => {
      expect(first?.name).toBe('production')
      // The build has only Flash's own source; what that imports is on the host (ADR 76).
      const nested = [{ word: { word: 'hello' } }, { greeting: 'hello guest' }]
      const found = { text: 'hello you', endpoint: greet, met: [4, 4, 4], word: { word: 'hello' }, doubled: { number: 42 }, nested }
      expect(await tools.call('flash-1.21', own.dir, 'deployed_flash.py', names)).toEqual(found)
      expect(await tools.tool('flash-1.21', own.dir, ['app', 'list'])).toContain('shop')
      expect(await tools.tool('flash-1.21', own.dir, ['env', 'list', '--app', 'shop'])).toContain('production')
    })

    test('a killed client and a gateway that is killed after each step leave the old version serving, and the deploy succeeds', async () => {
      await killClientAt(stack, client(), 'PUT')
      await killGatewayInUpload(stack, (await tools.apps())[0]?.id ?? '')
      expect(await tools.environmentOf('shop')).toEqual(first)
      await tools.rewrite(own.dir, 'deployed_flash.py', ['hello', 'goodbye'])
      const changes = await killGatewayAfterEachChange(stack, client(), async () => {
        expect((await tools.environmentOf('shop'))?.activeBuildId).toBe(first?.activeBuildId)
        expect(await stack.api.runsync(greet, { name: 'you' })).toMatchObject({ output: { text: 'hello you' } })
      })
      const steps = ['prepareFlashArtifactUpload', 'PUT', 'finalizeFlashArtifactUpload', 'deployBuildToEnvironment']
      expect(changes.slice(0, 4)).toEqual(steps)
      expect(changes).toEqual(expect.arrayContaining(['saveEndpoint', 'updateFlashBuildManifest']))
      expect((await tools.environmentOf('shop'))?.endpoints.toSorted(byName)).toEqual(first?.endpoints.toSorted(byName))
      expect(await tools.call('flash-1.21', own.dir, 'deployed_flash.py', names)).toMatchObject({ text: 'goodbye you' })
    })

    test('a client that is killed after the activation, the same deploy again, and flash undeploy', async () => {
      const second = await tools.environmentOf('shop')
      // Longer than the deploys; the worker with the old code answers it before it ends.
      const slow = fetch(`${stack.url}/lb/${names['DESK']}/word?after=20`, { headers: { authorization: `Bearer ${stack.key}` } })
      await tools.rewrite(own.dir, 'deployed_flash.py', ['goodbye', 'welcome'])
      await killClientAt(stack, client(), 'deployBuildToEnvironment')
      expect((await tools.environmentOf('shop'))?.activeBuildId).not.toBe(second?.activeBuildId)
      await tools.tool('flash-1.21', own.dir, words)
      expect(await (await slow).json()).toEqual({ word: 'goodbye' })
      const found = { text: 'welcome you', word: { word: 'welcome' } }
      expect(await tools.call('flash-1.21', own.dir, 'deployed_flash.py', names)).toMatchObject(found)
      await tools.tool('flash-1.21', own.dir, ['undeploy', '--all', '--force'])
      expect(await stack.api.endpoints()).toEqual([])
    })
  })

  describe('of the SDK 2.0', () => {
    let own: Project
    let environment: Environment | undefined
    const idOf = (name: string): string => environment?.endpoints.find((endpoint) => endpoint.name === name)?.id ?? ''
    beforeAll(async () => {
      own = await only('deployed_rp.py')
      await tools.tool('runpod-2.0', own.dir, ['flash', 'deploy'])
      environment = await tools.environmentOf('bakery')
    })
    afterAll(() => own?.[Symbol.asyncDispose]())

    test('queues, a generator, a class with routes, a FastAPI app, and calls between them', async () => {
      expect(environment?.name).toBe('default')
      expect(await tools.call('runpod-2.0', own.dir, 'deployed_rp.py')).toEqual({
        loaves: 6,
        endpoint: idOf('bake'),
        counted: { loaves: 4 },
        in_oven: [4, 4, 4],
        sold: { baked: 10, counted: { loaves: 10 } },
        slices: [0, 1].map((slice) => ({ slice, word: 'fresh' })),
        cash: [11, 13, 13],
      })
      expect(await tools.tool('runpod-2.0', own.dir, ['flash', 'env', 'list', '--app', 'bakery'])).toContain('default')
    })

    test('a client that is killed at a step leaves the old version serving, and rp flash undeploy removes it', async () => {
      await tools.rewrite(own.dir, 'deployed_rp.py', ['fresh', 'stale'])
      // None of these builds runs, so that they need no packages.
      const client = tools.command('runpod-2.0', own.dir, ['flash', 'deploy'], { PIP_NO_DEPS: '1', PIP_DRY_RUN: '1' })
      for (const step of ['prepareFlashArtifactUpload', 'PUT', 'finalizeFlashArtifactUpload', 'deployBuildToEnvironment']) {
        await killClientAt(stack, client, step)
        const isActive = (await tools.environmentOf('bakery'))?.activeBuildId === environment?.activeBuildId
        const { output } = await stack.api.runsync(idOf('slices'), { of: 1 })
        expect({ step, isActive, output }).toEqual({
          step,
          isActive: step !== 'deployBuildToEnvironment',
          output: [{ slice: 0, word: 'fresh' }],
        })
      }
      await tools.tool('runpod-2.0', own.dir, ['flash', 'undeploy', '--app', 'bakery', '--yes'])
      expect(await tools.environmentOf('bakery')).toBeUndefined()
    })
  })
})
