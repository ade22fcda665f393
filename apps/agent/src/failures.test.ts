// Whatever a function does to its process: the caller gets one clear error that names it, and the next job a working worker.
import { accessSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { gateway, it, scratch, start } from './testing/agent-test.ts'
import { readCgroupMemory } from './exit-message.ts'
import { descendantsOf, flashCall, pickled, processesMarked, unpickled, type TestWorker } from './testing/worker.ts'

let worker: TestWorker | undefined

const run = (input: unknown) => gateway.run(input)

async function expectWorking() {
  const { body } = await run(flashCall('ok', 'def ok():\n    return "fine"\n'))
  expect(unpickled(body.output.result)).toBe("'fine'")
}

const body = (...lines: string[]) => ['def f():', ...lines.map((line) => `    ${line}`)].join('\n')

const CASES: { title: string; code: string; error: RegExp; more?: Record<string, unknown> }[] = [
  {
    title: 'raises',
    code: body('x = 1', 'raise ValueError("bad value")'),
    error: /^bad value\nTraceback \(most recent call last\):\n {2}File "<flash:f>", line 3, in f\n {4}raise ValueError\("bad value"\)\n/,
  },
  { title: 'raises without words', code: body('raise KeyError()'), error: /^KeyError\nTraceback/ },
  { title: 'calls sys.exit', code: body('import sys', 'sys.exit(3)'), error: /^the function called sys\.exit\(3\)$/ },
  { title: 'calls os._exit', code: body('import os', 'os._exit(5)'), error: /ended with exit code 5: .* called os\._exit$/ },
  {
    title: 'segfaults',
    code: body('import ctypes', 'ctypes.string_at(0)'),
    error: /^the function’s process was killed by SIGSEGV \(segmentation fault\)$/,
  },
  { title: 'aborts', code: body('import os', 'os.abort()'), error: /killed by SIGABRT \(abort\)$/ },
  {
    title: 'kills itself',
    code: body('import os', 'os.kill(os.getpid(), 9)'),
    error: /killed by SIGKILL: by the function itself or by the host/,
  },
  {
    title: 'kills its supervisor',
    code: body('import os, time', 'os.kill(os.getppid(), 9)', 'time.sleep(60)'),
    error: /lost together with its supervisor/,
  },
  { title: 'raises MemoryError', code: body('raise MemoryError()'), error: /^the function ran out of memory\n/ },
  {
    title: 'returns what cannot be pickled',
    code: body('import threading', 'return threading.Lock()'),
    error: /^the function returned a value of type 'lock' that cannot be pickled: TypeError: cannot pickle/,
  },
  {
    title: 'returns a generator',
    code: body('yield 1'),
    error: /^the function returned a value of type 'generator' that cannot be pickled/,
  },
  {
    title: 'gets arguments that cannot be decoded',
    code: 'def f(a):\n    pass\n',
    error: /^argument 1 cannot be decoded here: .*This worker runs Python 3\.\d+/,
    more: { args: ['bm90IGEgcGlja2xl'] },
  },
  {
    title: 'gets arguments that are not base64',
    code: 'def f(a):\n    pass\n',
    error: /^argument 1 cannot be decoded here: Error: /,
    more: { args: ['abcde'] },
  },
  { title: 'is not in its source', code: 'def g():\n    pass\n', error: /^'f' is not defined in the source that came with the job$/ },
  { title: 'does not compile', code: 'def f(:\n    pass\n', error: /^the function's source does not compile: .*line 1[^]*SyntaxError/ },
  {
    title: 'raises while its source is executed',
    code: 'import nowhere_to_be_found\ndef f():\n    pass\n',
    error: /^No module named 'nowhere_to_be_found'; name its package in the function's dependencies\nTraceback/,
  },
  { title: 'raises KeyboardInterrupt', code: body('raise KeyboardInterrupt'), error: /^KeyboardInterrupt\nTraceback/ },
]

const removeCgroup = (path: string) => {
  try {
    rmdirSync(path)
    return true
  } catch {
    return false
  }
}

describe('a function that', () => {
  it('fails in any of these ways gives its caller one clear error, and the next job a working worker', async () => {
    worker = start()
    for (const { title, code, error, more } of CASES) {
      const done = await run(flashCall('f', code, more))
      expect({ title, error: done.body.error, output: done.body.output }).toMatchObject({
        title,
        error: expect.stringMatching(error),
        output: { success: false, error: done.body.error },
      })
      await expectWorking()
    }
  })

  it('prints before it crashes has its words in the result', async () => {
    worker = start()
    const done = await run(flashCall('f', body('import os', 'print("last words")', 'os._exit(1)')))
    expect(done.body.output.stdout).toBe('last words\n')
  })

  it('crashes on code in its arguments gets a hint about Python versions', async () => {
    worker = start()
    const crash = 'def f(g):\n    import os\n    os.kill(os.getpid(), 11)\n'
    const done = await run(flashCall('f', crash, { args: [pickled('lambda: 1')] }))
    expect(done.body.error).toMatch(
      /SIGSEGV \(segmentation fault\); its arguments hold functions or classes; this worker runs Python 3\.\d+\.\d+, and both sides need the same minor version$/,
    )
  })

  it('allocates over the limit of a process host gets a MemoryError that names the limit', async () => {
    worker = start({ env: { RUNYARD_SCRATCH_DIR: scratch, RUNYARD_MEMORY_BYTES: String(256 * 2 ** 20) } })
    const done = await run(flashCall('f', body('return len(bytearray(1024 ** 3))')))
    expect(done.body.error).toMatch(/^the function ran out of memory \(limit 0\.25 GiB\)\n/)
    await expectWorking()
  })

  const cgroup = `/sys/fs/cgroup/memory/runyard-test-${process.pid}`
  const mayLimit = () => {
    try {
      accessSync('/sys/fs/cgroup/memory/memory.limit_in_bytes')
      mkdirSync(cgroup)
      return removeCgroup(cgroup)
    } catch {
      return false
    }
  }

  it.skipIf(!mayLimit())('is killed for memory by the kernel fails with that reason (needs a writable memory cgroup, v1)', async () => {
    mkdirSync(cgroup)
    writeFileSync(`${cgroup}/memory.limit_in_bytes`, String(256 * 2 ** 20))
    worker = start({ prefix: ['sh', '-c', `echo $$ > ${cgroup}/cgroup.procs; exec "$@"`, 'sh'] })
    const done = await run(flashCall('f', body('return len(bytearray(b"x" * 1024 ** 3))')))
    expect(done.body.error).toBe('the function ran out of memory (limit 0.25 GiB): the kernel killed its process')
    await expectWorking()
    await worker[Symbol.asyncDispose]()
    await expect.poll(() => removeCgroup(cgroup)).toBe(true)
  })

  it('never returns is stopped by the gateway’s word, posts nothing, and the next job works', async () => {
    worker = start()
    gateway.give({ id: 'endless', input: flashCall('f', body('print("begun")', 'while True: pass')) })
    await worker.printed('begun')
    gateway.stop('endless')
    await expectWorking()
    expect(gateway.requests.filter((request) => request === 'POST job-done')).toHaveLength(1)
  })
})

describe('processes that a function leaves behind', () => {
  const daemons = (mark: string, ...end: string[]) =>
    body(
      'import os, subprocess, time',
      `subprocess.Popen(["sh", "-c", "sleep 1000 & setsid sh -c 'sleep 1001; echo ${mark}' & wait"], start_new_session=True)`,
      `subprocess.Popen(["setsid", "-f", "sh", "-c", "sleep 1002; echo ${mark}"])`,
      'time.sleep(0.2)',
      'print("started")',
      ...end,
    )

  it('die with their crashed process, whatever session they are in, and leave no zombie', async () => {
    worker = start()
    await run(flashCall('f', daemons('mark-one', 'os._exit(1)')))
    await expectWorking()
    await expect.poll(() => processesMarked('mark-one')).toEqual([])
    // The supervisor and one idle child, and no zombie.
    const below = () => descendantsOf(worker?.process.pid ?? 0).map(({ state }) => state === 'Z')
    await expect.poll(below).toEqual([false, false])
  })

  it('die also when the function killed the supervisor that would have swept them', async () => {
    worker = start()
    await run(flashCall('f', daemons('mark-three', 'os.kill(os.getppid(), 9)', 'time.sleep(1000)')))
    await expectWorking()
    await expect.poll(() => processesMarked('mark-three')).toEqual([])
  })

  it('live on between jobs of a healthy process, and are reaped when they end', async () => {
    worker = start()
    await run(
      flashCall('f', body('import subprocess', 'subprocess.Popen(["setsid", "-f", "true"])', 'subprocess.Popen(["sleep", "1003"])')),
    )
    await expectWorking()
    expect(processesMarked('sleep 1003')).toHaveLength(1)
  })

  it('die when the agent itself is killed, and its temporary files go too', async () => {
    worker = start({ env: { TMPDIR: scratch } })
    gateway.give({ id: 'held', input: flashCall('f', daemons('mark-two', 'time.sleep(1000)')) })
    await worker.printed('started')
    const below = () => descendantsOf(worker?.process.pid ?? 0)
    await expect.poll(() => below().length).toBeGreaterThan(4)
    worker.process.kill('SIGKILL')
    // Its output ends when the last process that holds it is gone.
    await worker.ended
    await expect.poll(() => processesMarked('mark-two')).toEqual([])
    await expect.poll(() => readdirSync(scratch)).toEqual([])
  })
})

describe('a worker without a usable Python', () => {
  it('fails each job with one sentence that says so', async () => {
    worker = start({ env: { PATH: '/nonexistent', RUNYARD_PYTHON: '' } })
    const done = await run(flashCall('f', body('pass'), { args: [pickled('1')] }))
    expect(done.body.error).toMatch(/^this worker’s image has no Python/)
    expect((await run(flashCall('f', body('pass')))).body.error).toMatch(/no Python/)
  })

  it('says what came of starting it', async () => {
    worker = start({ env: { RUNYARD_PYTHON: '/bin/false' } })
    const done = await run(flashCall('f', body('pass')))
    expect(done.body.error).toBe('Python could not be started in this worker: it ended with exit code 1')
  })
})

describe('the memory of this process’s cgroup', () => {
  it('is read from the kernel’s count', () => {
    const { oomKills } = readCgroupMemory()
    expect(oomKills === undefined || oomKills >= 0).toBe(true)
  })
})
