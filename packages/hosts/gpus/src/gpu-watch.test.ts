import { readFile } from 'node:fs/promises'
import { afterEach, expect, it, vi } from 'vitest'
import type { Follow, FollowCommand } from './follow-command.ts'
import { createGpuWatch, type GpuWatch, type GpuWatchOptions } from './gpu-watch.ts'

const fixture = (name: string) => readFile(new URL(`../../../nvidia-smi-parser/fixtures/${name}`, import.meta.url), 'utf8')
const REPORT = await fixture('two-geforce-550.xml')
const MIG = await fixture('mig-a100-535.xml')
const WAIT = { interval: 5 }

/** A stand-in for commands that run until they are ended. */
class Stand {
  readonly runs: (Follow & { readonly file: string; readonly end: (code: number | undefined) => void })[] = []
  /** Survives SIGKILL. */
  hangs = false

  readonly follow: FollowCommand = (file, _args, how) => {
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    this.runs.push({ ...how, file, end: resolve })
    how.signal.addEventListener('abort', () => {
      if (!this.hangs) resolve(137)
    })
    return promise
  }

  of(file: string) {
    return this.runs.filter((run) => run.file === file)
  }

  say(text: string): void {
    this.of('nvidia-smi').at(-1)?.onOutput(text)
  }

  end(code: number | undefined): void {
    this.of('nvidia-smi').at(-1)?.end(code)
  }
}

const opened: GpuWatch[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((watch) => watch[Symbol.asyncDispose]()))
})

function open(options: Partial<GpuWatchOptions> = {}) {
  const stand = new Stand()
  const warnings: string[] = []
  const watch = createGpuWatch({
    follow: stand.follow,
    run: async () => '',
    warn: (message) => void warnings.push(message),
    pausesMs: { first: 1, last: 5, absent: 1 },
    ...options,
  })
  opened.push(watch)
  const started = (count: number) => vi.waitFor(() => expect(stand.of('nvidia-smi')).toHaveLength(count), WAIT)
  return { stand, warnings, watch, started }
}

const health = async (watch: GpuWatch) => (await watch.look()).gpus.map(({ healthy }) => healthy)

it('one nvidia-smi reports for all looks, and each report is announced', async () => {
  const { stand, watch, started } = open()
  const announced = vi.fn()
  watch.onReport(announced)
  const first = watch.look()
  await started(1)
  stand.say(REPORT)
  expect((await first).gpus).toHaveLength(2)
  stand.say(REPORT.slice(0, 500))
  expect(await health(watch)).toEqual([true, true])
  stand.say(REPORT.slice(500) + REPORT)
  expect(announced).toHaveBeenCalledTimes(3)
  expect(stand.of('nvidia-smi')).toHaveLength(1)
})

it('GPUs stay on the list as unhealthy while nvidia-smi fails, and come back', async () => {
  const { stand, watch, warnings, started } = open()
  const first = watch.look()
  await started(1)
  stand.say(REPORT)
  const well = await first
  for (const at of [1, 2]) {
    stand.say("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
    stand.end(9)
    await started(at + 1)
  }
  const failed = await watch.look()
  expect(failed.gpus.map(({ uuid, healthy }) => [uuid, healthy])).toEqual(well.gpus.map(({ uuid }) => [uuid, false]))
  expect(failed.gpus[0]).toMatchObject({ fault: expect.stringContaining('NVIDIA-SMI has failed') })
  expect(failed.gpus[0]?.faultKind).toBeUndefined()
  expect(failed.usesAt).toBe(well.usesAt)
  expect(warnings).toHaveLength(1)
  stand.say(REPORT)
  expect(await health(watch)).toEqual([true, true])
})

it('an nvidia-smi that was killed between two reports is started again, and the last report counts', async () => {
  const { stand, watch, started } = open()
  const first = watch.look()
  await started(1)
  stand.say(REPORT)
  await first
  stand.end(137)
  await started(2)
  expect(await health(watch)).toEqual([true, true])
})

it('one that hangs is unknown in time, and no second one is started while it does not end', async () => {
  const { stand, watch, warnings, started } = open({ answerWithinMs: 60 })
  stand.hangs = true
  const first = watch.look()
  await started(1)
  stand.say(REPORT)
  await first
  await vi.waitFor(async () => expect(await health(watch)).toEqual([false, false]), WAIT)
  expect((await watch.look(Date.now())).gpus[0]?.fault).toBe('nvidia-smi does not answer for 0 s')
  expect(warnings).toEqual(['nvidia-smi does not answer for 0 s'])
  expect(stand.of('nvidia-smi')).toHaveLength(1)
  stand.end(137)
  await started(2)
  stand.say(REPORT)
  expect(await health(watch)).toEqual([true, true])
})

it('a report that was begun after a time is one of a new nvidia-smi, started once for that time', async () => {
  const { stand, watch, started } = open()
  const first = watch.look()
  await started(1)
  stand.say(REPORT)
  const { usesAt = 0 } = await first
  const after = Date.now() + 1
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(after), WAIT)
  const next = watch.look(after)
  await started(2)
  stand.say(REPORT)
  expect((await next).usesAt).toBeGreaterThan(Math.max(usesAt, after))
  await watch.look(after)
  expect(stand.of('nvidia-smi')).toHaveLength(2)
})

it('a machine without nvidia-smi has no GPUs and no time of a report; one that had some has lost it', async () => {
  const { stand, watch, started } = open()
  const first = watch.look()
  await started(1)
  stand.end(undefined)
  expect(await first).toMatchObject({ gpus: [], uses: {} })
  expect((await watch.look()).usesAt).toBeUndefined()
  await started(2)
  stand.say(REPORT)
  expect(await health(watch)).toEqual([true, true])
  stand.end(undefined)
  await started(3)
  expect((await watch.look()).gpus[0]).toMatchObject({ healthy: false, fault: 'nvidia-smi is gone' })
})

it('slices are cards of their own once they have names, and a changed layout is named again', async () => {
  const names = ['MIG 3g.20gb', 'MIG 2g.10gb', 'MIG 1g.5gb']
  const uuid = /<uuid>(GPU-[^<]+)/.exec(MIG)?.[1] ?? ''
  let asked = 0
  const run = async () => {
    asked += 1
    return [
      `GPU 0: NVIDIA A100 (UUID: ${uuid})`,
      ...names.map((name, at) => `  ${name}     Device  ${at}: (UUID: MIG-${asked}-${at})`),
    ].join('\n')
  }
  const { stand, watch, started } = open({ run })
  const first = watch.look()
  await started(1)
  stand.say(MIG)
  const { gpus, uses } = await first
  expect(gpus.length).toBeGreaterThan(0)
  expect(gpus.map(({ uuid: own, parent, name }) => [own.slice(0, 6), parent, name.includes(' MIG ')])).toEqual(
    gpus.map(() => ['MIG-1-', uuid, true]),
  )
  expect(Object.keys(uses)).toEqual(gpus.map((gpu) => gpu.uuid))
  stand.say(MIG)
  expect(asked).toBe(1)
  stand.say(MIG.replaceAll(/<compute_instance_id>\d+</g, '<compute_instance_id>7<'))
  await vi.waitFor(async () => expect((await watch.look()).gpus[0]?.uuid).toBe('MIG-2-0'), WAIT)
})

it('a grave line of the kernel marks its GPU for a while; errors of programs and our own kills do not', async () => {
  const { stand, watch, warnings, started } = open()
  const first = watch.look()
  await started(1)
  stand.say(REPORT)
  const { gpus } = await first
  const pci = /<gpu id="0000([^"]+)\.0"/.exec(REPORT)?.[1] ?? ''
  const say = (text: string) => stand.of('journalctl')[0]?.onOutput(text)
  say(`NVRM: Xid (PCI:${pci}): 45, pid=7, name=python3, Ch 00000008\nNVRM: Xid (PCI:${pci}): 13, pid=7, name=python3, Graphics Exception\n`)
  const xids = async () => Object.values((await watch.look()).uses).map(({ lastXid }) => lastXid)
  expect((await watch.look()).gpus[0]?.event).toBeUndefined()
  expect(await xids()).toEqual([13, undefined])
  say(`NVRM: Xid (PCI:${pci}): 79, pid=7, name=pyt`)
  say('hon3, GPU has fallen off the bus.\n')
  expect((await watch.look()).gpus.map(({ uuid, event }) => [uuid, event?.kind])).toEqual([
    [gpus[0]?.uuid, 'reboot'],
    [gpus[1]?.uuid, undefined],
  ])
  expect(await xids()).toEqual([79, undefined])
  expect(warnings.map((words) => /Xid (\d+)/.exec(words)?.[1])).toEqual(['13', '79'])
})

it('the links between three GPUs are read once, and a failure to read them is none', async () => {
  const [first = '', second = ''] = REPORT.match(/<gpu id=[\s\S]*?<\/gpu>/g) ?? []
  const uuids = ['GPU-a', 'GPU-b', 'GPU-c']
  const third = second.replace(/<uuid>[^<]+/, '<uuid>GPU-c')
  const three = REPORT.replace(first, first.replace(/<uuid>[^<]+/, '<uuid>GPU-a'))
    .replace(second, second.replace(/<uuid>[^<]+/, '<uuid>GPU-b') + third)
    .replace('<attached_gpus>2', '<attached_gpus>3')
  const asked: (readonly string[])[] = []
  const run = async (_file: string, args: readonly string[]) => {
    asked.push(args)
    return '\tGPU0\tGPU1\tGPU2\tCPU Affinity\nGPU0\t X \tNV4\tSYS\t0-7\nGPU1\tNV4\t X \tSYS\t0-7\nGPU2\tSYS\tSYS\t X \t0-7\n'
  }
  const { stand, watch, started } = open({ run })
  const look = watch.look()
  await started(1)
  stand.say(three)
  expect((await look).gpus.map(({ uuid }) => uuid)).toEqual(uuids)
  await vi.waitFor(async () => expect((await watch.look()).links).toHaveLength(3), WAIT)
  const { links = [] } = await watch.look()
  expect(links.toSorted((a, b) => b.score - a.score)[0]).toMatchObject({ from: 'GPU-a', to: 'GPU-b' })
  stand.say(three)
  expect(asked).toEqual([['topo', '-m']])
})
