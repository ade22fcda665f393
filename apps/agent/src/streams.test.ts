// A stream of SDK 2.0 that ends badly: its reader learns of it by the stream alone, since the job itself is COMPLETED (sdk2-api §4.4, ADR 39).
import { describe, expect } from 'vitest'
import { gateway, it, scratch, start } from './testing/agent-test.ts'
import { flashCall } from './testing/worker.ts'

/** What the stream brought for this job, and the job's end. */
async function run(source: string) {
  const before = gateway.chunks.length
  const input = { function_name: 'f', function_code: source, args: [], kwargs: {}, serialization_format: 'json' }
  const { body } = await gateway.run(input)
  const items = gateway.chunks.slice(before).map((chunk) => (chunk as { output: Record<string, unknown> }).output)
  return { items, body }
}

const ENDS: { title: string; source: string; values: number; error: RegExp }[] = [
  {
    title: 'raises in the middle',
    source: 'def f():\n    yield 0\n    yield 1\n    raise ValueError("gone")\n',
    values: 2,
    error: /^gone\nTraceback/,
  },
  {
    title: 'raises before its first value',
    source: 'def f():\n    raise ValueError("gone")\n    yield 0\n',
    values: 0,
    error: /^gone\nTraceback/,
  },
  {
    title: 'is async and raises',
    source: 'async def f():\n    yield 0\n    raise ValueError("gone")\n',
    values: 1,
    error: /^gone\nTraceback/,
  },
  {
    title: 'yields what JSON cannot carry',
    source: 'def f():\n    yield 0\n    yield object()\n',
    values: 1,
    error: /^the function returned what JSON cannot carry \(object\)/,
  },
  {
    title: 'calls sys.exit',
    source: 'import sys\ndef f():\n    yield 0\n    sys.exit(3)\n',
    values: 1,
    error: /^the function called sys\.exit\(3\)$/,
  },
  {
    title: 'stops itself by GeneratorExit',
    source: 'def f():\n    yield 0\n    raise GeneratorExit\n',
    values: 1,
    error: /^GeneratorExit\n/,
  },
  {
    title: 'raises StopIteration',
    source: 'def f():\n    yield 0\n    next(iter(()))\n',
    values: 1,
    error: /^generator raised StopIteration\n/,
  },
  {
    title: 'raises while it is closed after a bad value',
    source: 'def f():\n    try:\n        yield object()\n    finally:\n        raise ValueError("at the close")\n',
    values: 0,
    error: /^at the close\n/,
  },
  {
    title: 'loses its process',
    source: 'import os\ndef f():\n    yield 0\n    os.kill(os.getpid(), 11)\n',
    values: 1,
    error: /killed by SIGSEGV \(segmentation fault\)$/,
  },
  { title: 'is a plain function that raises', source: 'def f():\n    raise ValueError("gone")\n', values: 0, error: /^gone\nTraceback/ },
  { title: 'has a source that does not compile', source: 'def f(:\n', values: 0, error: /source does not compile/ },
]

describe('a stream', () => {
  it('of a function that fails in any of these ways ends with an item that says so, as the result does', async () => {
    start({ env: { RUNYARD_ENVELOPE: 'json', RUNYARD_SCRATCH_DIR: scratch } })
    for (const { title, source, values, error } of ENDS) {
      const { items, body } = await run(source)
      const failure = { success: false, error: expect.stringMatching(error) }
      const before = Array.from({ length: values }, (_, n) => ({ success: true, __stream__: true, json_result: n }))
      expect({ title, items }).toEqual({ title, items: [...before, failure] })
      expect({ title, body }).toEqual({ title, body: { output: [{ ...failure, stdout: expect.any(String) }] } })
    }
  })

  it('with a value that the gateway refuses for its size ends there, and so does the function', async () => {
    start({ env: { RUNYARD_ENVELOPE: 'json', RUNYARD_SCRATCH_DIR: scratch } })
    gateway.refuse.set('job-stream', [413])
    const { items, body } = await run('def f():\n    yield "x" * 3_000_000\n    yield 1\n')
    const error = 'the function yielded a value of 2.9 MiB on the wire, which is more than the gateway accepts'
    expect(items).toEqual([{ success: false, error }])
    expect(body.output).toMatchObject([{ success: false, error }])
  })

  it('of a worker without Python ends with that', async () => {
    start({ env: { RUNYARD_ENVELOPE: 'json', RUNYARD_PYTHON: '/bin/false' } })
    const { items } = await run('def f():\n    yield 1\n')
    expect(items).toEqual([{ success: false, error: 'Python could not be started in this worker: it ended with exit code 1' }])
  })

  it('runs the finally blocks of a generator in its own job', async () => {
    start({ env: { RUNYARD_ENVELOPE: 'json', RUNYARD_SCRATCH_DIR: scratch } })
    const close = (kind: string) => `${kind} f():\n    try:\n        yield object()\n    finally:\n        print("closed")\n`
    expect((await run(close('def'))).body.output[0].stdout).toBe('closed\n')
    expect((await run(close('async def'))).body.output[0].stdout).toBe('closed\n')
  })
})

describe('a generator that Flash calls', () => {
  it('is an error that says what to return instead', async () => {
    start()
    for (const code of ['def f():\n    yield 1\n', 'async def f():\n    yield 1\n']) {
      const { body } = await gateway.run(flashCall('f', code))
      expect(body.error).toMatch(
        /^the function returned a value of type '(async_)?generator' that cannot be pickled: .*; return a list of its values$/,
      )
    }
  })
})
