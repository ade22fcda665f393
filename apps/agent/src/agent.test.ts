// Drives the real agent process and real Python against a small real gateway: calls that succeed, and what they may contain.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect } from 'vitest'
import { gateway, it, scratch, start } from './testing/agent-test.ts'
import { flashCall, pickled, python, unpickled, type TestWorker } from './testing/worker.ts'

let worker: TestWorker

beforeEach(() => {
  worker = start({ env: { RUNYARD_SCRATCH_DIR: scratch } })
})

const run = (input: unknown) => gateway.run(input)

async function value(input: unknown): Promise<string> {
  const { body } = await run(input)
  expect(body.error).toBeUndefined()
  return unpickled(body.output.result)
}

describe('a Flash function call', () => {
  it('returns its value, what it printed, and when it was entered and left', async () => {
    const code = 'def add(a, b=0):\n    print("adding")\n    return a + b\n'
    const done = await run(flashCall('add', code, { args: [pickled('40')], kwargs: { b: pickled('2') } }))
    expect(done.body.output.success).toBe(true)
    expect(unpickled(done.body.output.result)).toBe('42')
    expect(done.body.output.stdout).toBe('adding\n')
    expect(done.body.error).toBeUndefined()
    expect(done.isStream).toBe('false')
    expect(done.timings?.enteredAt).toBeLessThanOrEqual(done.timings?.returnedAt ?? 0)
    expect(done.headers.authorization).toBe('worker-token')
    expect(done.headers['user-agent']).toMatch(/^Runyard-Agent\/\d/)
  })

  it('awaits async functions, all on one event loop for the life of the process', async () => {
    const code = 'async def loop_id():\n    import asyncio\n    await asyncio.sleep(0)\n    return id(asyncio.get_running_loop())\n'
    expect(await value(flashCall('loop_id', code))).toBe(await value(flashCall('loop_id', code)))
  })

  it('captures print, stderr, logging, C and subprocess output in order, and writes it through', async () => {
    const code = [
      'def speak():',
      '    import ctypes, logging, os, subprocess, sys',
      '    print("one: print")',
      '    print("two: stderr", file=sys.stderr)',
      '    logging.getLogger("mine").info("three: logging")',
      '    libc = ctypes.CDLL(None); libc.puts(b"four: C"); libc.fflush(None)',
      '    subprocess.run(["echo", "five: subprocess"])',
      '    print("six: no newline", end="")',
    ].join('\n')
    const { body } = await run(flashCall('speak', code))
    const expected = 'one: print\ntwo: stderr\nINFO:mine:three: logging\nfour: C\nfive: subprocess\nsix: no newline'
    expect(body.output.stdout).toBe(expected)
    await worker.printed(expected)
    const silent = await run(flashCall('quiet', 'def quiet():\n    pass\n'))
    expect(silent.body.output.stdout).toBe('')
  })

  it('writes output through while the function still runs', async () => {
    const code =
      'def wait(path):\n    import os, time\n    print("waiting")\n    while not os.path.exists(path): time.sleep(0.01)\n    return "seen"\n'
    const flag = join(scratch, 'go')
    const pending = value(flashCall('wait', code, { args: [pickled(`'${flag}'`)] }))
    await worker.printed('waiting')
    writeFileSync(flag, '')
    expect(await pending).toBe("'seen'")
  })

  it('keeps the output of later jobs when one has closed or redirected its own', async () => {
    const code =
      'def shut():\n    import os, sys\n    sys.stdout.close()\n    os.close(2)\n    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)\n    return 1\n'
    expect(await value(flashCall('shut', code))).toBe('1')
    const { body } = await run(flashCall('speak', 'def speak():\n    print("heard")\n'))
    expect(body.output).toMatchObject({ success: true, stdout: 'heard\n' })
  })

  it('may use processes of its own', async () => {
    const code = [
      'def square(n=None):',
      '    if n is not None:',
      '        return n * n',
      '    import multiprocessing, concurrent.futures as futures',
      '    with futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:',
      '        forked = list(pool.map(square, [1, 2, 3]))',
      '    with futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:',
      '        return forked, list(pool.map(abs, [-4, -5]))',
    ].join('\n')
    expect(await value(flashCall('square', code))).toBe('([1, 4, 9], [4, 5])')
  })

  it('bounds the captured output, keeping its end', async () => {
    const code = 'def flood():\n    for n in range(40000): print("x" * 99)\n    print("the end")\n'
    const { body } = await run(flashCall('flood', code))
    expect(body.output.stdout.length).toBeLessThan(1_300_000)
    expect(body.output.stdout).toMatch(/^\[earlier output is in the worker’s log\]/)
    expect(body.output.stdout).toMatch(/the end\n$/)
  })

  it('carries arguments and results of 20 MB', async () => {
    const code = 'def double(data):\n    return data + data\n'
    const { body } = await run(flashCall('double', code, { args: [pickled('b"ab" * 5_000_000')] }))
    const check =
      'import base64, cloudpickle, sys; v = cloudpickle.loads(base64.b64decode(sys.stdin.read())); print(v == b"ab" * 10_000_000)'
    expect(python(check, body.output.result)).toBe('True')
  })

  it('carries functions and local classes as values', async () => {
    const code = 'def apply(f):\n    class Point:\n        x = f(20)\n    return Point()\n'
    const { body } = await run(flashCall('apply', code, { args: [pickled('lambda n: n + 1')] }))
    const check = 'import base64, cloudpickle, sys; print(cloudpickle.loads(base64.b64decode(sys.stdin.read())).x)'
    expect(python(check, body.output.result)).toBe('21')
  })

  it('imports the modules that travel along, in their latest version', async () => {
    const code = 'def use():\n    from parts.inner import answer\n    return answer()\n'
    const modules = (n: number) => ({ 'parts/__init__.py': '', 'parts/inner.py': `def answer():\n    return ${n}\n` })
    expect(await value(flashCall('use', code, { modules: modules(1) }))).toBe('1')
    expect(await value(flashCall('use', code, { modules: modules(2) }))).toBe('2')
    expect(await value(flashCall('use', code, { modules: modules(1) }))).toBe('1')
  })

  it('refuses modules that lead out of their directory', async () => {
    const { body } = await run(flashCall('use', 'def use():\n    pass\n', { modules: { '../evil.py': '' } }))
    expect(body.error).toContain('leads outside its directory')
  })

  it('hides the worker’s own token and routes from user code', async () => {
    const code = 'def look():\n    import os\n    return [k for k in os.environ if "WEBHOOK" in k or k == "RUNPOD_AI_API_KEY"]\n'
    expect(await value(flashCall('look', code))).toBe('[]')
  })
})

describe('a Flash class', () => {
  const code = [
    'class Counter:',
    '    def __init__(self, start=0):',
    '        self.n = start',
    '    def add(self, by):',
    '        self.n += by',
    '        return self.n',
    '    async def fail(self):',
    '        raise ValueError("not today")',
  ].join('\n')
  const call = (instanceId: string, method: string, args: string[] = []) => ({
    ...flashCall('', ''),
    execution_type: 'class',
    class_name: 'Counter',
    class_code: code,
    method_name: method,
    args: args.map((arg) => pickled(arg)),
    constructor_kwargs: { start: pickled('10') },
    instance_id: instanceId,
    create_new_instance: false,
  })

  it('keeps one instance per instance_id, also after one of its methods has raised', async () => {
    expect(await value(call('Counter_a', 'add', ['1']))).toBe('11')
    expect((await run(call('Counter_a', 'fail'))).body.error).toMatch(/^not today\nTraceback/)
    expect(await value(call('Counter_a', 'add', ['1']))).toBe('12')
    expect(await value(call('Counter_b', 'add', ['5']))).toBe('15')
  })

  it('names a method that is not there', async () => {
    expect((await run(call('Counter_a', 'sub'))).body.error).toBe("Counter has no method 'sub'")
  })
})

describe('dependencies', () => {
  /** A wheel is a zip file; this one needs no registry. */
  function buildWheel(name: string): string {
    const wheel = join(scratch, `${name}-1.0-py3-none-any.whl`)
    python(
      [
        'import sys, zipfile',
        `with zipfile.ZipFile(${JSON.stringify(wheel)}, "w") as z:`,
        `    z.writestr("${name}/__init__.py", "VALUE = 7\\n")`,
        `    z.writestr("${name}-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: ${name}\\nVersion: 1.0\\n")`,
        `    z.writestr("${name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")`,
        `    z.writestr("${name}-1.0.dist-info/RECORD", "")`,
      ].join('\n'),
    )
    return wheel
  }

  it('are installed at request time, once, and are there for a fresh process too, outside the owner’s Python', async () => {
    const wheel = buildWheel('tinydep')
    const code = 'def use():\n    import tinydep\n    return tinydep.VALUE, tinydep.__file__\n'
    const first = await run(flashCall('use', code, { dependencies: [wheel] }))
    expect(unpickled(first.body.output.result)).toContain(`(7, '${scratch}/venv/`)
    expect(first.body.output.stdout).toContain('installing ')
    const again = await run(flashCall('use', code, { dependencies: [wheel] }))
    expect(again.body.output.stdout).toBe('')
    await run(flashCall('die', 'def die():\n    import os\n    os._exit(1)\n'))
    const fresh = await run(flashCall('use', code, { dependencies: [wheel] }))
    expect(fresh.body.output).toMatchObject({ success: true, stdout: '' })
    expect(() => execFileSync('python3', ['-c', 'import tinydep'], { stdio: 'ignore' })).toThrow('Command failed')
  })

  it('that cannot be installed give one clear error with the installer’s last lines', async () => {
    const { body } = await run(flashCall('f', 'def f():\n    pass\n', { dependencies: ['/nowhere/missing-1.0-py3-none-any.whl'] }))
    expect(body.error).toMatch(/^installing the dependencies \/nowhere\/missing.* failed \(exit code \d+\):\n/)
    expect(body.error).toContain('missing-1.0')
  })

  it(
    'of a stacked call’s stub, aiohttp and cloudpickle, are there when it calls (needs a package registry)',
    { timeout: 120_000 },
    async () => {
      const stub =
        'async def inner(x):\n    import cloudpickle as _cp\n    import aiohttp as _aiohttp\n    return _cp.loads(_cp.dumps(x)), _aiohttp.__name__\n'
      const outer = 'async def outer():\n    return await inner(1)\n'
      expect(await value(flashCall('outer', `${stub}\n${outer}`))).toBe("(1, 'aiohttp')")
    },
  )

  it.skipIf(process.getuid?.() !== 0)('of the system are installed with apt-get, once (needs root)', async () => {
    const tools = join(scratch, 'tools')
    mkdirSync(tools)
    writeFileSync(
      join(tools, 'apt-get'),
      `#!/bin/sh\necho "$@" >> ${scratch}/apt.log\n[ "$4" != nonsense ] || { echo "E: Unable to locate package nonsense"; exit 100; }\n`,
      { mode: 0o755 },
    )
    await worker[Symbol.asyncDispose]()
    worker = start({ env: { PATH: `${tools}:${process.env.PATH}` } })
    const call = (name: string) => flashCall('f', 'def f():\n    pass\n', { system_dependencies: [name] })
    expect((await run(call('figlet'))).body.output.success).toBe(true)
    expect((await run(call('figlet'))).body.output.success).toBe(true)
    expect(readFileSync(join(scratch, 'apt.log'), 'utf8')).toBe('update\ninstall -y --no-install-recommends figlet\n')
    const failed = 'installing the system_dependencies nonsense failed (exit code 100):\nE: Unable to locate package nonsense'
    expect((await run(call('nonsense'))).body.error).toBe(failed)
  })

  it('of the system are refused with a sentence where they cannot be installed', async () => {
    const { body } = await run(flashCall('f', 'def f():\n    pass\n', { system_dependencies: ['ffmpeg'] }))
    expect(body.error).toBe('system_dependencies (ffmpeg) are not installed on a process host: it is somebody’s machine'.replace('’', "'"))
  })
})
