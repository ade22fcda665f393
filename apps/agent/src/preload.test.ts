// Modules that the operator names are imported before the first fork (RUNYARD_PRELOAD).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startFakeGateway } from './testing/fake-gateway.ts'
import type { FakeGateway } from './testing/fake-gateway.ts'
import { flashCall, startWorker } from './testing/worker.ts'
import type { TestWorker } from './testing/worker.ts'

let gateway: FakeGateway
let worker: TestWorker
let modules: string

beforeEach(async () => {
  gateway = await startFakeGateway()
  modules = mkdtempSync(join(tmpdir(), 'modules-'))
  mkdirSync(join(modules, 'heavy'))
  writeFileSync(join(modules, 'heavy', '__init__.py'), 'import os\nIMPORTED_BY = os.getpid()\n')
})

afterEach(async () => {
  await worker[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  rmSync(modules, { recursive: true, force: true })
})

async function run(id: string, code: string): Promise<unknown> {
  gateway.give({ id, input: flashCall('f', code, { serialization_format: 'json' }) })
  return (await gateway.settled(id)).body.output
}

const start = (preload: string) =>
  startWorker(gateway.url, { env: { RUNYARD_PRELOAD: preload, RUNYARD_ENVELOPE: 'flash', PYTHONPATH: modules } })
const WHO = 'def f():\n    import os, heavy\n    return [heavy.IMPORTED_BY == os.getppid(), heavy.IMPORTED_BY == os.getpid()]\n'

it('a preloaded module is imported by the parent of every job’s process, a fresh one after a crash included', async () => {
  worker = start('heavy, json')
  expect(await run('one', WHO)).toMatchObject({ json_result: [true, false] })
  await run('crash', 'def f():\n    import os\n    os._exit(3)\n')
  expect(await run('two', WHO)).toMatchObject({ json_result: [true, false] })
})

it('a module that cannot be imported is named in the log, and fails no job', async () => {
  worker = start('heavy.nothing,heavy')
  expect(await run('one', WHO)).toMatchObject({ json_result: [true, false] })
  await worker.printed("runyard: the module heavy.nothing cannot be preloaded: ModuleNotFoundError: No module named 'heavy.nothing'")
})

it('without names nothing is preloaded', async () => {
  worker = start('')
  expect(await run('one', WHO)).toMatchObject({ json_result: [false, true] })
})
