// Test programs run as forks of a process that has modules loaded, but are otherwise what `python program.py` would be.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startProgram, type StartedProgram } from '../harness/python-forks.ts'
import { pythonEnv } from '../harness/python.ts'
import { suiteThatNeeds } from '../harness/suite.ts'

const SELF = `
import json, os, sys
print(json.dumps({
    "sdk": [name for name in sys.modules if name.split(".")[0] == "runpod"],
    "name": __name__, "file": __file__, "argv": sys.argv, "path": sys.path[0], "cwd": os.getcwd(),
    "mine": os.environ.get("MINE"), "leads": os.getpid() == os.getsid(0),
}))
print("to stderr", file=sys.stderr)
os.environ["MINE"] = "changed"
sys.modules["runpod"] = None
`

await suiteThatNeeds(['venv:runpod-1.12'], 'a forked program', () => {
  let cwd: string
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'runyard-forks-'))
  })
  afterEach(() => rm(cwd, { recursive: true }))

  async function start(source: string, mine = 'first'): Promise<StartedProgram> {
    await writeFile(join(cwd, 'program.py'), source)
    const env = { ...pythonEnv('runpod-1.12', cwd, {}), MINE: mine }
    return startProgram({ name: 'program', venv: 'runpod-1.12', argv: ['program.py', 'word'], cwd, env })
  }

  test('has its own arguments, directory, environment and session, and nothing of the SDK or of an earlier program', async () => {
    for (const mine of ['first', 'second']) {
      const program = await start(SELF, mine)
      expect(await program.exited).toBe(0)
      expect(JSON.parse(program.stdout())).toEqual({
        sdk: [],
        name: '__main__',
        file: join(cwd, 'program.py'),
        argv: ['program.py', 'word'],
        path: cwd,
        cwd,
        mine,
        leads: true,
      })
      expect(program.stderr()).toBe('to stderr\n')
    }
  })

  test('ends with its exit code, with 1 after an exception, and without one after a signal', async () => {
    const raised = await start('raise ValueError("no cheese")')
    expect([await raised.exited, raised.output()]).toEqual([1, expect.stringContaining('ValueError: no cheese')])
    expect(await (await start('import sys; sys.exit(7)')).exited).toBe(7)
    const sleeping = await start('import time; time.sleep(600)')
    sleeping.signal('SIGTERM')
    expect([await sleeping.exited, sleeping.isRunning()]).toEqual([null, false])
  })

  test('runs its functions at exit, and takes the processes of its session with it when it is stopped', async () => {
    const done = await start('import atexit; atexit.register(print, "at exit")')
    expect([await done.exited, done.stdout()]).toEqual([0, 'at exit\n'])
    const parent = await start('import subprocess, time; print(subprocess.Popen(["sleep", "600"]).pid); time.sleep(600)')
    await expect.poll(() => parent.stdout()).toMatch(/^\d+\n$/)
    const child = Number(parent.stdout())
    await parent.stop(0)
    const isAlive = () => {
      try {
        return process.kill(child, 0)
      } catch {
        return false
      }
    }
    await expect.poll(isAlive).toBe(false)
  })
})
