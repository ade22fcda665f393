// An unmodified Flash script against the whole stack (flash-api §5), for each version of the SDK. On Docker only what depends on the host runs again: starts,
// places, installs, networks, and how processes end. Of the older SDK, whose workers are the same, runs what its client does. The tests run concurrently,
// because a polling client mostly waits; each has its own endpoints.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { makeProject, runPython } from '../harness/python.ts'
import { testWhere } from '../harness/suite.ts'
import { startStack, type HostKind, type Stack } from '../harness/stack.ts'
import type { VenvName } from '../harness/venvs.ts'
import { waitFor } from '../harness/wait.ts'

export interface FlashSuite {
  readonly host: HostKind
  readonly venv: Extract<VenvName, `flash-${string}`>
}

/** Requests to other https hosts fail here, so everything has to work without them. */
const NO_INTERNET = { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1,localhost' }

export function flashLiveSuite({ host, venv }: FlashSuite): void {
  let stack: Stack
  vi.setConfig({ maxConcurrency: 4 })
  /** What this combination shows that no other does. */
  const of = { client: host === 'process', workers: venv !== 'flash-1.14' }

  beforeAll(async () => {
    stack = await startStack({ host, simulatedGpus: 'NVIDIA GeForce RTX 4090:24' })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const call = async (program: string, args: readonly string[], cwd?: string): Promise<Readonly<Record<string, unknown>>> => {
    const at = cwd === undefined ? {} : { cwd }
    return (await runPython({ venv, program, args, env: { ...stack.env, ...NO_INTERNET }, ...at })).found
  }
  const endpointOf = async (name: string): Promise<string> => {
    const found = (await stack.api.endpoints()).filter((endpoint) => [name, `live-${name}`].includes(endpoint.name))
    expect(found).toHaveLength(1)
    return found[0]?.id ?? ''
  }

  test.concurrent('a function runs cold, then warm on the same worker, and its endpoint scales back to zero', async () => {
    const found = (await call('flash_calls.py', ['hello'])) as { first: Greeting; second: Greeting; coldS: number; warmS: number }
    expect(found.first.greeting).toBe('hello cold')
    expect(found.second).toEqual({ ...found.first, greeting: 'hello warm' })
    console.log(`${venv} on ${host}: cold ${found.coldS.toFixed(2)} s, warm ${found.warmS.toFixed(2)} s`)
    const endpoint = await endpointOf('hello')
    await stack.api.untilZero(endpoint)
    expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 2, failed: 0, retried: 0 })
  })

  testWhere(of.client, 'a plain def works like an async def, with positional, default and keyword arguments', async () => {
    expect(await call('flash_calls.py', ['plain'])).toEqual({ value: { sum: 42 }, keyword: { sum: 41 } })
  })

  testWhere(of.client, 'an instance of a class keeps its state between calls, and another instance has its own', async () => {
    expect(await call('flash_calls.py', ['class'])).toEqual({ values: [1, 6, 6], other: 101, again: 6 })
  })

  test.concurrent('dependencies are installed for the function that names them', async () => {
    const rows = { version: '4.8.2', rows: [{ answer: 42 }] }
    expect(await call('flash_calls.py', ['wheel'])).toEqual({ first: rows, second: rows })
  })

  // Version 1.14 calls api.runpod.ai from the worker, whatever its configuration (flash-api §1.4).
  testWhere(venv !== 'flash-1.14', 'a function calls a function of another endpoint', async () => {
    expect(await call('flash_calls.py', ['stacked'])).toEqual({ value: 41 })
  })

  testWhere(of.client, 'numpy arrays work as arguments and results', async () => {
    expect(await call('flash_calls.py', ['numpy'])).toEqual({ same: true, kind: 'float32', type: 'ndarray', zeros: [0, 0, 0] })
  })

  testWhere(of.workers, 'values of several megabytes work as arguments and results', async () => {
    expect(await call('flash_calls.py', ['large'])).toEqual({ bytes: 5 * 1024 * 1024, same: true })
  })

  testWhere(of.workers, 'eight concurrent calls are spread over the endpoint’s maximum of workers', async () => {
    const found = (await call('flash_calls.py', ['spread'])) as { numbers: number[]; workers: string[] }
    expect(found.numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(found.workers).toHaveLength(3)
  })

  testWhere(of.client, 'stdout, stderr and logging of a function are shown to the caller', async () => {
    const result = await runPython({ venv, program: 'flash_calls.py', args: ['talk'], env: { ...stack.env, ...NO_INTERNET } })
    expect(result.found).toEqual({ value: 'said' })
    const shown = result.stdout + result.stderr
    for (const text of ['said on stdout', 'said on stderr', 'said by logging']) expect(shown).toContain(text)
  })

  testWhere(
    of.client,
    'the same name and settings reuse an endpoint, other settings update it, another name creates a new one',
    async () => {
      await using project = await makeProject(['flash_identity.py'])
      const identify = (...args: string[]): Promise<Readonly<Record<string, unknown>>> => call('flash_identity.py', args, project.dir)
      const first = await identify('identity', '300')
      const again = await identify('identity', '300')
      expect(again).toEqual(first)
      // What its errors about versions name: the client's own, from the User-Agent of its save.
      expect(first['told']).toBe(first['python'])
      await rm(join(project.dir, '.flash'), { recursive: true })
      expect(await identify('identity', '300')).toMatchObject({ endpoint: first['endpoint'] })
      const settings = await identify('identity', '301')
      expect(settings).toEqual(first)
      const updated = await identify('identity', '301', 'vanilla')
      expect(updated).toMatchObject({ endpoint: first['endpoint'], flavour: 'vanilla' })
      expect(updated['worker']).not.toBe(first['worker'])
      const other = await identify('another', '300')
      expect(other['endpoint']).not.toBe(first['endpoint'])
      await waitFor('the old worker to go', async () => (await stack.api.workersSeen(`${first['endpoint']}`)) <= 1)
    },
  )

  testWhere(of.client, 'changed code runs on the warm worker', async () => {
    await using project = await makeProject(['flash_identity.py'])
    const path = join(project.dir, 'flash_identity.py')
    const before = await call('flash_identity.py', ['edited', '300'], project.dir)
    await writeFile(path, (await readFile(path, 'utf8')).replace('"flavour": os', '"edited": True, "flavour": os'))
    expect(await call('flash_identity.py', ['edited', '300'], project.dir)).toEqual({ ...before, edited: true })
  })

  testWhere(
    of.client || of.workers,
    'each failure of a function is one clear error, and the next call finds a working worker',
    async () => {
      const ways = ['raise', 'fine', 'sys_exit', 'fine_after_exit', 'os_exit', 'segfault', 'unpicklable', 'missing_import', 'fine_at_last']
      const found = (await call('flash_errors.py', ways)) as Record<string, { value?: string; error?: string }>
      expect(found['raise']?.error).toContain('the cheese is gone')
      expect(found['raise']?.error).toContain('ValueError')
      expect(found['sys_exit']?.error).toMatch(/sys\.exit|SystemExit/)
      expect(found['os_exit']?.error).toMatch(/exit.*\b7\b/i)
      expect(found['segfault']?.error).toMatch(/SIGSEGV|segmentation fault/i)
      expect(found['unpicklable']?.error).toMatch(/pickle/i)
      expect(found['missing_import']?.error).toContain('no_such_module_anywhere')
      expect(found).toMatchObject({ fine: { value: 'fine' }, fine_after_exit: { value: 'fine' }, fine_at_last: { value: 'fine' } })
    },
  )

  testWhere(of.workers, 'a dependency that does not exist is named in the error', async () => {
    const found = (await call('flash_errors.py', ['missing_wheel'])) as Record<string, { error?: string }>
    expect(found['missing_wheel']?.error).toContain('runyard-no-such-package')
  })

  testWhere(of.workers, 'a function that never returns ends at its execution timeout, and the next call works', async () => {
    const found = (await call('flash_errors.py', ['timeout', 'after_timeout'])) as Record<string, { value?: string; error?: string }>
    expect(found['timeout']?.error).toMatch(/execution ?timeout|timed out/i)
    expect(found['after_timeout']).toEqual({ value: 'fine' })
  })

  testWhere(
    host === 'docker' && of.workers,
    'a function that runs out of memory gets an error that says so, and the next call works',
    async () => {
      const found = (await call('flash_errors.py', ['oom', 'after_oom'])) as Record<string, { value?: string; error?: string }>
      expect(found['oom']?.error).toMatch(/memory/i)
      expect(found['after_oom']).toEqual({ value: 'fine' })
    },
  )
}

interface Greeting {
  readonly greeting: string
  readonly pid: number
  readonly worker: string
}
