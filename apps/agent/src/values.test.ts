// Values between callers and workers of different Pythons, and errors that must not send anybody the wrong way.
import { join } from 'node:path'
import { findOtherPythons } from '@runyard/testing/other-pythons'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFakeGateway, type FakeGateway } from './testing/fake-gateway.ts'
import { flashCall, pickled, python, startWorker, unpickled, type TestWorker } from './testing/worker.ts'

let gateway: FakeGateway
let worker: TestWorker

beforeAll(async () => {
  gateway = await startFakeGateway()
  worker = startWorker(gateway.url)
})

afterAll(async () => {
  await worker[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const run = (input: unknown) => gateway.run(input)

const base64 = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part)))).toString('base64')
/** A pickle of `module.name(*strings)`, as any Python of protocol 5 writes it. */
const pickleOf = (module: string, name: string, ...strings: string[]) => {
  const text = (value: string): (string | number[])[] => [[0x8c, value.length], value]
  const call = strings.length === 0 ? [')R.'] : ['(', ...strings.flatMap(text), 'tR.']
  return base64([0x80, 5], ...text(module), ...text(name), [0x93], ...call)
}
const SHOW = 'def f(value):\n    return str(value)\n'

const others = await findOtherPythons()
const lacking = others.length === 0 ? ' [no Python beside the usual one here, on the PATH or of pyenv]' : ''
/** Functions that begin in all the ways that a function can. */
const WRITERS = `
import sys, cloudpickle
sys.path.insert(0, ${JSON.stringify(join(import.meta.dirname, '..', 'runner'))})
from runyard_runner import pickling
def outer(x):
    def inner(): return x
    def gen(): yield x
    async def later(): return x
    return inner, gen, later, lambda: [x for _ in (lambda: x,)]
class Point:
    def move(self): return super().__repr__()
def written(value):
    return pickling.writer_of(cloudpickle.dumps(value)).replace(" ", "-")
assert pickling.writer_of(cloudpickle.dumps([b"x", "CodeType"])) == "" and pickling.writer_of(b"none") == ""
print(*map(written, [outer, *outer(1), Point(), [Point], {"f": outer}]))
`
const PYTHON_OF_WORKER = 'import sys\ndef f(path):\n    return ["%d.%d" % sys.version_info[:2], str(path)]\n'

const CRASHES = 'def f(g):\n    import os\n    os.kill(os.getpid(), 11)\n'

it.skipIf(lacking)(
  `workers of other Pythons run what a client of this one sends, and name both versions where they cannot${lacking}`,
  async () => {
    const mine = python('import sys; print(sys.version.split()[0])')
    const saved = `the endpoint was saved by a client with Python ${mine}`
    const asked = others.map(async ({ minor, path }) => {
      await using pool = await startFakeGateway()
      await using _ = startWorker(pool.url, { env: { RUNYARD_PYTHON: path, RUNYARD_CLIENT_PYTHON: mine } })
      const { body } = await pool.run(flashCall('f', PYTHON_OF_WORKER, { args: [pickled('__import__("pathlib").Path("/x")')] }))
      expect(unpickled(body.output.result)).toBe(`['${minor}', '/x']`)
      const errorOf = async (code: string, ...args: string[]) => (await pool.run(flashCall('f', code, { args }))).body.error
      const refused = await errorOf(SHOW, pickleOf('formatter', 'NullFormatter'))
      expect(refused).toContain(`made by another version of Python and cannot be decoded by this worker, which runs Python ${minor}.`)
      const errors = [
        refused,
        await errorOf('def f():\n    import formatter\n'),
        await errorOf('def f():\n    of a later version\n'),
        await errorOf(CRASHES, pickled('lambda: 1')),
      ]
      for (const error of errors) for (const words of [`Python ${minor}.`, saved]) expect(error).toContain(words)
      return minor
    })
    console.log(`live workers ran with Python ${(await Promise.all(asked)).join(', ')}`)
  },
)

it.skipIf(lacking)(`functions in a pickle tell which Python wrote them, without being decoded${lacking}`, () => {
  const written = [...others, { minor: python('import sys; print("%d.%d" % sys.version_info[:2])'), path: 'python3' }].map(
    ({ minor, path }) => {
      const found = python(WRITERS, '', path).split(' ')
      return [minor, ...new Set(found)]
    },
  )
  const named = (minor: string) => (minor === '3.11' || minor === '3.12' ? '3.11-or-3.12' : minor)
  expect(written).toEqual(written.map(([minor = '']) => [minor, named(minor)]))
})

describe('an argument', () => {
  it.for([
    ['a path that Python 3.13 has pickled', pickleOf('pathlib._local', 'PosixPath', '/', 'tmp', 'x'), "'/tmp/x'"],
    ['a path that any other version has pickled', pickleOf('pathlib', 'PosixPath', '/', 'tmp', 'x'), "'/tmp/x'"],
    ['an abstract path of Python 3.13', pickleOf('pathlib._local', 'PureWindowsPath', 'C:\\', 'x'), "'C:\\\\x'"],
  ] as const)('that is %s arrives', async ([, argument, value]) => {
    const { body } = await run(flashCall('f', SHOW, { args: [argument] }))
    expect(unpickled(body.output.result)).toBe(value)
  })

  it.for([
    [
      'a module of another Python’s standard library',
      pickleOf('formatter', 'NullFormatter'),
      /^argument 1 was made by another version of Python and cannot be decoded by this worker, which runs Python 3\.\d+\.\d+ \(.*formatter.*\); use the same version on both sides$/,
    ],
    [
      'a name of another Python’s standard library',
      pickleOf('collections', 'NoSuchThing'),
      /^argument 1 was made by another version of Python .*NoSuchThing/,
    ],
    [
      'a module of another version of an installed package',
      pickleOf('cloudpickle.no_such_part', 'Thing'),
      /^argument 1 was made with another version of cloudpickle than the \d+\.\d+\.\d+ of this worker .*; name the caller's version of it in dependencies$/,
    ],
    [
      'a name of another version of an installed package',
      pickleOf('cloudpickle', 'no_such_thing'),
      /^argument 1 was made with another version of cloudpickle than/,
    ],
    [
      'a package that is not installed',
      pickleOf('nowhere_to_be_found', 'Thing'),
      /^argument 1 cannot be decoded here: No module named 'nowhere_to_be_found'; name its package in dependencies, or import it/,
    ],
    ['an object that ends the process as it is read', pickleOf('sys', 'exit'), /^argument 1 cannot be decoded here: SystemExit/],
  ] as const)('that needs %s fails with what to do', async ([, argument, error]) => {
    const { body } = await run(flashCall('f', SHOW, { args: [argument] }))
    expect(body.error).toMatch(error)
  })

  it('that is an instance of the caller’s own class arrives, and comes back as that class', async () => {
    const caller = [
      'import base64, cloudpickle, subprocess, sys',
      'class Point:',
      '    def __init__(self, x): self.x = x',
      '    def moved(self, by): return Point(self.x + by)',
    ].join('\n')
    const argument = python(`${caller}\nprint(base64.b64encode(cloudpickle.dumps(Point(1))).decode())`)
    const { body } = await run(flashCall('f', 'def f(point):\n    return point.moved(2)\n', { args: [argument] }))
    const check = 'import base64, cloudpickle, sys; v = cloudpickle.loads(base64.b64decode(sys.stdin.read())); print(type(v).__name__, v.x)'
    expect(python(check, body.output.result)).toBe('Point 3')
  })
})

describe('a result', () => {
  it('that holds classes says which Python reads it, before its caller does', async () => {
    const code = 'class Point:\n    def x(self):\n        return 1\ndef f():\n    return Point()\n'
    const { body } = await run(flashCall('f', code))
    expect(body.output.stdout).toMatch(/^\[the result holds functions or classes: reading it needs Python 3\.\d+\]\n$/)
    expect((await run(flashCall('f', 'def f():\n    return {"x": [1.5]}\n'))).body.output.stdout).toBe('')
  })

  it('whose class calls plain pickle works beside other calls in the same process', async () => {
    const code =
      'class Store:\n    def save(self):\n        import pickle\n        return type(pickle.loads(pickle.dumps(self))).__name__\n'
    const call = {
      ...flashCall('', ''),
      execution_type: 'class',
      class_name: 'Store',
      class_code: code,
      method_name: 'save',
      instance_id: 'Store_1',
    }
    expect(unpickled((await run(call)).body.output.result)).toBe("'Store'")
    await run(flashCall('f', 'def f():\n    pass\n'))
    expect(unpickled((await run(call)).body.output.result)).toBe("'Store'")
  })
})

describe('a missing import', () => {
  it.for([
    ['torch', /^No module named 'torch'; Runpod's own GPU image has torch, .*dependencies.*defaultImages/],
    ['torchvision.models', /^No module named 'torchvision'; Runpod's own GPU image has torchvision/],
    ['nowhere_to_be_found', /^No module named 'nowhere_to_be_found'; name its package in the function's dependencies\nTraceback/],
    ['json.nothing', /^No module named 'json\.nothing'\nTraceback/],
    ['formatter', /^No module named 'formatter'; this worker runs Python 3\.\d+\.\d+, whose standard library has no formatter\n/],
  ] as const)('of %s says what to do about it', async ([module, error]) => {
    const { body } = await run(flashCall('f', `def f():\n    import ${module}\n`))
    expect(body.error).toMatch(error)
  })

  it('of a system library says so', async () => {
    const code = 'def f():\n    raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")\n'
    expect((await run(flashCall('f', code))).body.error).toMatch(/; name the Debian package that has libGL\.so\.1 in system_dependencies/)
  })
})

describe('a traceback', () => {
  it.for([
    ['a plain function', 'def f():\n    raise ValueError("no")\n'],
    ['an async function', 'async def f():\n    raise ValueError("no")\n'],
    ['an async function that awaits', 'import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    raise ValueError("no")\n'],
    ['a source as it is executed', 'raise ValueError("no")\ndef f():\n    pass\n'],
  ] as const)('of %s begins with the user’s own frame', async ([, code]) => {
    expect((await run(flashCall('f', code))).body.error).toMatch(/^no\nTraceback \(most recent call last\):\n {2}File "<flash:f>", line \d/)
  })

  it('has U+FFFD for half of a surrogate pair, in what Flash reads, too', async () => {
    const { body } = await run(flashCall('f', 'def f():\n    raise ValueError("boom \\ud800 \\ud83d\\ude00")\n'))
    expect(body.error).toMatch(/^boom \ufffd 😀\nTraceback[^]*boom \ufffd 😀\n$/u)
    expect(body.output).toMatchObject({ error: body.error })
  })

  it('of an error that cannot say what it is has its type', async () => {
    const code = 'class Bad(Exception):\n    def __str__(self):\n        raise RuntimeError\ndef f():\n    raise Bad\n'
    expect((await run(flashCall('f', code))).body.error).toMatch(/^Bad\nTraceback/)
  })
})
