// Whatever one job leaves in its process: the next one begins as the first one did, has its own output, and is blamed for nothing (ADR 39).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFakeGateway, type FakeGateway } from './testing/fake-gateway.ts'
import { flashCall, startWorker, type TestWorker } from './testing/worker.ts'

let gateway: FakeGateway
let worker: TestWorker
let scratch: string

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'scratch-'))
  gateway = await startFakeGateway()
  worker = startWorker(gateway.url, { env: { RUNYARD_ENVELOPE: 'flash', COLOUR: 'red' } })
})

afterAll(async () => {
  await worker[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  rmSync(scratch, { recursive: true, force: true })
})

const run = async (input: unknown) => (await gateway.run(input)).body

const body = (...lines: string[]) => ['def f():', ...lines.map((line) => `    ${line}`)].join('\n')
const asJson = (code: string, more: Record<string, unknown> = {}) => flashCall('f', code, { serialization_format: 'json', ...more })

/** All that a later job can see of an earlier one. */
const LOOK = body(
  'import asyncio, builtins, decimal, gc, locale, logging, multiprocessing, os, random, resource, signal, socket, sys, threading, time, warnings',
  'mask = os.umask(0); os.umask(mask)',
  'async def nested():',
  '    return await asyncio.to_thread(lambda: 7)',
  'drawn = random.random()',
  'return {',
  '    "env": sorted((k, v) for k, v in os.environ.items()), "cwd": os.getcwd(), "umask": mask, "argv": sys.argv, "path": sys.path,',
  '    "signals": [str(signal.getsignal(n)) for n in (1, 2, 10, 12, 14, 15, 17)], "blocked": len(signal.pthread_sigmask(0, [])),',
  '    "timer": signal.getitimer(0), "recursion": sys.getrecursionlimit(), "files": resource.getrlimit(7), "gc": (gc.isenabled(), gc.get_threshold()),',
  '    "timeout": socket.getdefaulttimeout(), "locale": locale.setlocale(locale.LC_ALL), "filters": len(warnings.filters),',
  '    "root": [logging.root.level, len(logging.root.handlers), logging.root.manager.disable], "hook": sys.excepthook is sys.__excepthook__,',
  '    "trace": [sys.gettrace() is None, sys.getprofile() is None], "method": multiprocessing.get_start_method(True), "prec": decimal.getcontext().prec,',
  '    "print": builtins.print.__name__, "zone": time.strftime("%z"), "affinity": len(os.sched_getaffinity(0)), "nested": asyncio.run(nested()),',
  '    "seeded": drawn in (0.8444218515250481, 0.7579544029403025), "loop": type(asyncio.get_event_loop_policy()).__name__, "euid": os.geteuid(),',
  '    "stdin": sys.stdin.read(), "nice": os.nice(0), "blocking": os.get_blocking(1),',
  '}',
)
/** Speaks on all ways, and awaits. */
const SPEAK = `async ${body(
  'import asyncio, logging, os, subprocess, sys',
  'print("one")',
  'print("two", file=sys.stderr)',
  'logging.getLogger("mine").warning("three")',
  'os.write(1, b"four\\n")',
  'subprocess.run(["echo", "five"])',
  'await asyncio.sleep(0.001)',
  'await asyncio.get_running_loop().run_in_executor(None, print, "six")',
  'return 2',
)}`
const SPOKEN = 'one\ntwo\nWARNING:mine:three\nfour\nfive\nsix\n'

const LEFTOVERS: Record<string, string> = {
  'a tee without `closed` as stdout': body(
    'import sys',
    'class Tee:',
    '    def __init__(self, under): self.under = under',
    '    def write(self, text): self.under.write(text)',
    'sys.stdout = Tee(sys.stdout)',
    'sys.stderr = Tee(sys.stderr)',
  ),
  'devnull as stdout and stderr': body('import os, sys', 'sys.stdout = sys.stderr = open(os.devnull, "w")'),
  'a StringIO as stdout': body('import io, sys', 'sys.stdout = sys.__stdout__ = io.StringIO()'),
  'no stdout at all': body('import sys', 'del sys.stdout, sys.stderr, sys.stdin'),
  'None as stdout': body('import sys', 'sys.stdout = sys.stderr = sys.stdin = None'),
  'a stdout that raises': body(
    'import sys',
    'class Bad:',
    '    def write(self, text): raise OSError',
    '    flush = write',
    'sys.stdout = Bad()',
  ),
  'a stdout that ends the process': body('import sys', 'class Bad:', '    def flush(self): raise SystemExit(3)', 'sys.stdout = Bad()'),
  'closed streams': body('import sys', 'sys.stdout.close(); sys.stderr.close(); sys.stdin.close()'),
  'closed buffers': body('import sys', 'sys.stdout.buffer.close()', 'sys.stderr.detach()'),
  'reconfigured streams': body('import sys', 'sys.stdout.reconfigure(encoding="ascii", errors="strict", line_buffering=False)'),
  'closed descriptors 0 to 2': body('import os', 'os.close(0); os.close(1); os.close(2)'),
  'a file on descriptor 1': body('import os', 'os.close(1)', 'os.open("/dev/null", os.O_WRONLY)'),
  'descriptors redirected': body('import os', 'fd = os.open("/dev/null", os.O_RDWR)', 'os.dup2(fd, 1); os.dup2(fd, 2)'),
  'a log file on descriptors 1 and 2': body(
    'import os',
    'fd = os.open("/dev/null", os.O_RDWR | os.O_APPEND)',
    'os.dup2(fd, 1); os.dup2(fd, 2)',
  ),
  'a stdout that does not block': body('import os', 'os.set_blocking(1, False)'),
  'an event loop of its own': body('import asyncio', 'asyncio.set_event_loop(asyncio.new_event_loop())'),
  'no event loop': body('import asyncio', 'asyncio.set_event_loop(None)'),
  'a loop marked as running': body('import asyncio', 'asyncio._set_running_loop(asyncio.new_event_loop())'),
  'a closed event loop': `async ${body('import asyncio', 'loop = asyncio.get_running_loop()', 'loop.call_soon(loop.stop)', 'loop.close = loop.close', 'loop.call_later(0, lambda: None)')}`,
  'a closed loop of ours': body('import asyncio', 'asyncio.get_event_loop_policy().get_event_loop().close()'),
  'an executor that is shut down': `async ${body('import asyncio', 'await asyncio.get_running_loop().shutdown_default_executor()')}`,
  'a task factory, debug and a policy': `async ${body(
    'import asyncio',
    'loop = asyncio.get_running_loop(); loop.set_debug(True); loop.set_task_factory(lambda l, c, **k: asyncio.Task(c, loop=l, **k))',
    'class Policy(asyncio.DefaultEventLoopPolicy): pass',
    'asyncio.set_event_loop_policy(Policy())',
  )}`,
  'a task that runs on and prints': `async ${body(
    'import asyncio',
    'async def tick():',
    '    for _ in range(10000):',
    '        print("tick"); await asyncio.sleep(0)',
    'global kept; kept = asyncio.create_task(tick())',
    'await asyncio.sleep(0)',
  )}`,
  'a thread that prints later': body(
    'import threading, time',
    'def later():',
    '    for _ in range(400): print("from the thread"); time.sleep(0.005)',
    'threading.Thread(target=later, daemon=True).start()',
  ),
  'a timer whose thread starts threads that print': body(
    'import threading',
    'def again(n):',
    '    print("from a timer")',
    '    if n: threading.Timer(0.005, again, [n - 1]).start()',
    'again(200)',
  ),
  'a process that prints later': body(
    'import subprocess',
    'subprocess.Popen(["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo from the process; sleep 0.05; done"])',
  ),
  'a daemon that prints later': body(
    'import subprocess',
    'subprocess.run(["setsid", "-f", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo from the daemon; sleep 0.05; done"])',
  ),
  'signal handlers': body('import signal', 'for n in (1, 2, 10, 12, 14, 15): signal.signal(n, lambda *a: print("signal"))'),
  'a blocked signal and an alarm': body('import signal', 'signal.pthread_sigmask(0, [15]); signal.setitimer(0, 0.05)'),
  'environment variables': body(
    'import os',
    'os.environ["COLOUR"] = "blue"; os.environ["NEW"] = "1"; del os.environ["PATH"]; os.environ["TZ"] = "Asia/Tokyo"',
    'import time; time.tzset()',
  ),
  'another working directory': body('import os', 'os.chdir("/usr")'),
  'a working directory that is gone': body('import os, tempfile', 'd = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)'),
  'a umask': body('import os', 'os.umask(0o777)'),
  'a low limit of files': body('import resource', 'resource.setrlimit(7, (64, resource.getrlimit(7)[1]))'),
  'a hard limit': body('import resource', 'resource.setrlimit(7, (64, 64))'),
  'another user': body('import os', 'if os.geteuid() == 0: os.seteuid(65534)'),
  'a niceness': body('import os', 'os.nice(5)'),
  'one processor': body('import os', 'os.sched_setaffinity(0, [sorted(os.sched_getaffinity(0))[0]])'),
  'limits of the interpreter': body(
    'import gc, sys, socket',
    'sys.setrecursionlimit(200); gc.disable(); gc.set_threshold(1); socket.setdefaulttimeout(0.001); sys.setswitchinterval(1)',
  ),
  hooks: body(
    'import sys, threading',
    'sys.excepthook = lambda *a: None; sys.settrace(lambda *a: None); sys.setprofile(lambda *a: None); threading.settrace(lambda *a: None)',
  ),
  'a patched print': body('import builtins', 'builtins.print = lambda *a, **k: None'),
  'warnings and logging': body(
    'import logging, warnings',
    'warnings.simplefilter("error"); logging.basicConfig(level=50, force=True); logging.disable(50); logging.lastResort = None',
  ),
  'a locale and a precision': body('import decimal, locale', 'locale.setlocale(locale.LC_ALL, "C"); decimal.getcontext().prec = 3'),
  'a start method': body('import multiprocessing', 'multiprocessing.set_start_method("spawn", force=True)'),
  'a seed': body('import random', 'random.seed(0)'),
  'arguments and paths': body('import sys', 'sys.argv[:] = ["x"]; sys.path.insert(0, "/nowhere"); sys.path[:] = sys.path[:1]'),
  'closed descriptors of all kinds but the connection': body(
    'import os',
    'for fd in range(3, 200):',
    '    try:',
    '        if not os.readlink("/proc/self/fd/%d" % fd).startswith("socket"): os.close(fd)',
    '    except OSError: pass',
  ),
  'a loop whose wake-up is closed': body(
    'import asyncio, os',
    'os.close(asyncio.get_event_loop_policy().get_event_loop()._csock.fileno())',
  ),
  'what functions change that were imported by name': body(
    'from os import chdir, nice, umask',
    'from posix import sched_getaffinity, sched_setaffinity',
    'from signal import alarm',
    'chdir("/usr"); umask(0o777); nice(1); alarm(60); sched_setaffinity(0, sorted(sched_getaffinity(0))[:1])',
  ),
  'functions for atexit': body('import atexit', 'atexit.register(print, "at exit")'),
}

describe('after a job that leaves', () => {
  it.for(Object.entries(LEFTOVERS))('%s, the next is as the first', async ([, code]) => {
    const before = await run(asJson(LOOK))
    expect(before.error).toBeUndefined()
    await run(asJson(code))
    const after = await run(asJson(LOOK))
    expect(after.error).toBeUndefined()
    expect(after.output.json_result).toEqual(before.output.json_result)
    await run(asJson(code))
    expect((await run(asJson(SPEAK))).output).toEqual({ success: true, json_result: 2, stdout: SPOKEN })
  })
})

it('a log handler that was made on a replaced stderr is heard in later jobs', async () => {
  const make = body(
    'import io, logging, sys',
    'sys.stderr = io.StringIO()',
    'log = logging.getLogger("elsewhere"); log.addHandler(logging.StreamHandler(sys.stderr)); log.propagate = False',
  )
  await run(asJson(make))
  const { output } = await run(asJson(body('import logging', 'logging.getLogger("elsewhere").warning("heard")')))
  expect(output.stdout).toBe('heard\n')
})

/** Leaves a thread that does `end` once the file is there. */
const leaveThread = (flag: string, end: string): string =>
  body(
    'import os, threading, time',
    'def later():',
    `    while not os.path.exists(${JSON.stringify(flag)}): time.sleep(0.001)`,
    `    ${end}`,
    'threading.Thread(target=later, daemon=True).start()',
    'return os.getpid()',
  )

/** Gone, or a zombie that its parent has not noticed yet. */
function isDead(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === true
  } catch {
    return true
  }
}

describe('a process that dies', () => {
  it('between two jobs, by what one has left, is not the next one’s fault', async () => {
    for (const end of ['os._exit(3)', 'os.kill(os.getpid(), 11)']) {
      const flag = join(scratch, `go-${end.length}`)
      const { output } = await run(asJson(leaveThread(flag, end)))
      writeFileSync(flag, '')
      await expect.poll(() => isDead(output.json_result), { interval: 1 }).toBe(true)
      for (let n = 0; n < 5; n += 1) expect((await run(asJson(body('return 1')))).output).toMatchObject({ success: true, json_result: 1 })
    }
  })

  it('in a job, by a thread that an earlier one left, names both', async () => {
    const flag = join(scratch, 'go-in-a-job')
    await run(asJson(leaveThread(flag, 'os._exit(3)')))
    const wakesIt = body('import time', `open(${JSON.stringify(flag)}, "w").close()`, 'time.sleep(60)')
    expect((await run(asJson(wakesIt))).error).toMatch(/: the function, a library, or a thread that an earlier job left, called os\._exit$/)
  })

  it('because the function has closed the connection of its process, says so', async () => {
    expect((await run(asJson(body('import os', 'os.closerange(3, 4096)', 'return 1')))).error).toMatch(
      /its connection to the agent was gone: .* closed descriptors/,
    )
    expect((await run(asJson(body('return 1')))).output).toMatchObject({ success: true, json_result: 1 })
  })
})

describe('a warm process', () => {
  it('keeps modules, globals of a source and instances, with what they set as they were loaded', async () => {
    const source = 'import os\nos.environ["MODEL"] = "large"\nos.chdir("/usr")\ndef f():\n    return os.environ["MODEL"], os.getcwd()\n'
    const json = { function_name: 'f', function_code: source, args: [], kwargs: {}, serialization_format: 'json' }
    const envelope = { env: { RUNYARD_ENVELOPE: 'json' } }
    await using gate = await startFakeGateway()
    await using own = startWorker(gate.url, envelope)
    for (const id of ['a', 'b', 'c']) {
      gate.give({ id, input: id === 'b' ? { ...json, function_code: 'import os\ndef f():\n    return os.environ.get("MODEL")\n' } : json })
      const expected = id === 'b' ? null : ['large', '/usr']
      expect((await gate.settled(id)).body.output[0].json_result).toEqual(expected)
    }
    expect(own.output()).not.toContain('this process is replaced')
  })

  it('keeps what the constructor of an instance has set for its methods alone', async () => {
    const code =
      'class M:\n    def __init__(self):\n        import os; os.environ["MODEL"] = "large"\n    def read(self):\n        import os; return os.environ.get("MODEL")\n'
    const call = { ...asJson(''), execution_type: 'class', class_name: 'M', class_code: code, method_name: 'read', instance_id: 'M_1' }
    expect((await run(call)).output.json_result).toBe('large')
    expect((await run(asJson(body('import os', 'return os.environ.get("MODEL")')))).output.json_result).toBeNull()
    expect((await run(call)).output.json_result).toBe('large')
  })

  it('keeps a process that a job has started for later ones, and loses none of its output', async () => {
    const server = body('import subprocess', 'subprocess.Popen(["sleep", "1004"])')
    await run(asJson(server))
    const seen = await run(asJson(body('import subprocess', 'return subprocess.run(["pgrep", "-fx", "sleep 1004"], stdout=-1).returncode')))
    expect(seen.output.json_result).toBe(0)
    await run(asJson(body('import subprocess', 'subprocess.run(["pkill", "-fx", "sleep 1004"])')))
  })

  it('pickles the functions that are followed, as any other', async () => {
    const names = '("os.chdir", "posix.umask", "signal.alarm", "resource.setrlimit", "locale.setlocale", "signal.signal")'
    const roundTrip = `return [n for n in ${names} for f in [pydoc.locate(n)] if pickle.loads(pickle.dumps(f)) is not f]`
    expect((await run(asJson(body('import pickle, pydoc', roundTrip)))).output.json_result).toEqual([])
  })

  it('prints what a job says to the end, also of a line that does not end', async () => {
    expect((await run(asJson(body('print("a", end="")')))).output.stdout).toBe('a')
    expect((await run(asJson(body('print("b", end="")')))).output.stdout).toBe('b')
  })
})

it('an old loop, once collected, closes no descriptor of the next one', async () => {
  const close = body(
    'import asyncio, os',
    'loop = asyncio.get_event_loop_policy().get_event_loop()',
    'for fd in (loop._selector.fileno(), loop._ssock.fileno(), loop._csock.fileno()): os.close(fd)',
  )
  await run(asJson(close))
  await run(asJson(close))
  expect((await run(asJson(body('import gc', 'gc.collect()')))).output).toEqual({ success: true, json_result: null, stdout: '' })
  expect((await run(asJson(SPEAK))).output).toEqual({ success: true, json_result: 2, stdout: SPOKEN })
})
