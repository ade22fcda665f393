// SDK 2.0's dev envelope end to end: module source and JSON in, a list with one FunctionResponse or stream items out (sdk2-api §4.4, §5.2).
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect } from 'vitest'
import { gateway, it, scratch, start } from './testing/agent-test.ts'
import { flashCall, unpickled, type TestWorker } from './testing/worker.ts'

let worker: TestWorker

beforeEach(() => {
  worker = start({ env: { RUNYARD_ENVELOPE: 'json', RUNYARD_SCRATCH_DIR: scratch } })
})

async function run(name: string, source: string, more: Record<string, unknown> = {}) {
  const input = {
    function_name: name,
    function_code: source,
    args: [],
    kwargs: {},
    serialization_format: 'json',
    execution_type: 'function',
  }
  return gateway.run({ ...input, ...more })
}

describe('a function in a module', () => {
  it('is called with JSON and answers with one item, streamed as a list', async () => {
    const source =
      'import json\nCALLS = []\ndef greet(name, n=1):\n    print("hi")\n    CALLS.append(name)\n    return {"hello": [name] * n, "calls": len(CALLS)}\n'
    const done = await run('greet', source, { args: ['Ada'], kwargs: { n: 2 } })
    expect(done.body).toEqual({ output: [{ success: true, json_result: { hello: ['Ada', 'Ada'], calls: 1 }, stdout: 'hi\n' }] })
    expect(done.isStream).toBe('true')
    // The module is executed once; its globals live as long as the process, as in a deployed worker.
    expect((await run('greet', source, { args: ['Bob'] })).body.output[0].json_result.calls).toBe(2)
  })

  it('finds its volumes where the worker has them', async () => {
    // A stand-in for the part of the SDK that reads paths: the SDK itself would be downloaded.
    mkdirSync(join(scratch, 'runpod', 'apps'), { recursive: true })
    writeFileSync(join(scratch, 'runpod', '__init__.py'), '')
    writeFileSync(join(scratch, 'runpod', 'apps', '__init__.py'), '')
    writeFileSync(
      join(scratch, 'runpod', 'apps', 'volume.py'),
      'def _configure_mounts(bindings):\n    global paths\n    paths = bindings\n',
    )
    await worker[Symbol.asyncDispose]()
    const bindings = [{ kind: 'network', reference: 'models', id: 'v1', path: '/data/v1' }]
    const env = { RUNYARD_ENVELOPE: 'json', RUNYARD_SCRATCH_DIR: scratch, PYTHONPATH: scratch, RUNPOD_MOUNTS: JSON.stringify(bindings) }
    worker = start({ env })
    const source = 'from runpod.apps import volume\nPATHS = volume.paths\ndef f():\n    return PATHS\n'
    expect((await run('f', source)).body.output[0].json_result).toEqual(bindings)
  })

  it('does not run what is meant for the main program', async () => {
    const source = 'def f():\n    return __name__\nif __name__ == "__main__":\n    raise SystemExit("never")\n'
    expect((await run('f', source)).body.output[0].json_result).toMatch(/^runyard_source_/)
  })

  it('may be async', async () => {
    expect((await run('f', 'import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return None\n')).body.output).toEqual([
      { success: true, json_result: null, stdout: '' },
    ])
  })

  it.for([
    ['raises', 'def f():\n    raise ValueError("no")\n', /^no\nTraceback[^]*raise ValueError/],
    ['returns NaN', 'def f():\n    return float("nan")\n', /^the function returned what JSON cannot carry \(float\): .*JSON compliant/],
    ['returns an object', 'def f():\n    return object()\n', /^the function returned what JSON cannot carry \(object\)/],
    ['calls sys.exit', 'import sys\ndef f():\n    sys.exit("bye")\n', /^the function called sys\.exit\('bye'\)$/],
    ['crashes', 'import os\ndef f():\n    os.kill(os.getpid(), 11)\n', /SIGSEGV \(segmentation fault\)$/],
    ['is missing', 'def g():\n    pass\n', /^'f' is not defined/],
    ['has a source that raises', 'raise RuntimeError("at import")\n', /^at import\nTraceback/],
  ] as const)('that %s answers with one failed item and no top-level error', async ([, source, error]) => {
    const done = await run('f', source)
    expect(done.body.output).toHaveLength(1)
    expect(done.body.output[0]).toMatchObject({ success: false, error: expect.stringMatching(error) })
    expect(done.body.error).toBeUndefined()
    expect((await run('ok', 'def ok():\n    return 1\n')).body.output[0].json_result).toBe(1)
  })
})

describe('a generator', () => {
  it.for([
    ['', 'def f(n):\n    for i in range(n): yield {"i": i}\n'],
    ['async ', 'async def f(n):\n    for i in range(n): yield {"i": i}\n'],
  ] as const)('%sstreams each chunk and ends with the list of all', async ([, source]) => {
    const done = await run('f', source, { args: [3] })
    const items = [0, 1, 2].map((i) => ({ success: true, __stream__: true, json_result: { i } }))
    expect(gateway.chunks).toEqual(items.map((output) => ({ output })))
    expect(done.body).toEqual({ output: items })
  })

  it('keeps the order of its chunks when the gateway refuses some at first, and names each the same when it comes again', async () => {
    gateway.refuse.set('job-stream', [503, 429])
    await run('f', 'def f():\n    yield 1\n    yield 2\n')
    expect(gateway.chunks).toMatchObject([{ output: { json_result: 1 } }, { output: { json_result: 2 } }])
    const [first, second] = [...new Set(gateway.posts)]
    expect(gateway.posts).toEqual([first, first, first, second])
  })
})

describe('a source written for the real SDK', () => {
  it('gets runpod 2.0 installed, with what its nested calls need (needs a package registry)', { timeout: 120_000 }, async () => {
    const source = [
      'import runpod',
      'app = runpod.App("demo")',
      '@app.queue(name="double", cpu="cpu3c-1-2")',
      'def double(n):',
      '    return n * 2',
    ].join('\n')
    const done = await run('double', source, { args: [21] })
    expect(done.body.output[0]).toMatchObject({ success: true, json_result: 42 })
    const nested = `${source}\nimport runpod.apps.targets\nrunpod.Endpoint\n`
    expect((await run('double', nested, { args: [1] })).body.output[0]).toMatchObject({ success: true, json_result: 2 })
  })
})

describe('the envelope', () => {
  it('is found in the job where the worker’s environment does not say', async () => {
    await worker[Symbol.asyncDispose]()
    worker = start()
    expect((await run('f', 'def f():\n    return 1\n')).body.output[0].json_result).toBe(1)
    gateway.give({ id: 'flash', input: flashCall('f', 'def f():\n    return 2\n') })
    expect(unpickled((await gateway.settled('flash')).body.output.result)).toBe('2')
  })
})
