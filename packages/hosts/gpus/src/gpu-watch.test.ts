import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { createGpuWatch } from './gpu-watch.ts'

const REPORT = await readFile(new URL('../../../nvidia-smi-parser/fixtures/two-geforce-550.xml', import.meta.url), 'utf8')

it('GPUs that were seen stay on the list while nvidia-smi fails, as unhealthy, and come back', async () => {
  let output = REPORT
  const warnings: string[] = []
  const look = createGpuWatch({ run: async () => output, warn: (message) => void warnings.push(message) })
  const well = await look()
  expect(well.gpus.map(({ healthy }) => healthy)).toEqual([true, true])
  output = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
  const failed = await look()
  await look()
  expect(failed.gpus.map(({ uuid, healthy }) => [uuid, healthy])).toEqual(well.gpus.map(({ uuid }) => [uuid, false]))
  expect(failed.usesAt).toBe(well.usesAt)
  expect(failed.gpus[0]?.fault).toContain('NVIDIA-SMI has failed')
  expect(warnings).toHaveLength(1)
  output = REPORT
  expect(await look()).toEqual({ ...well, usesAt: expect.any(Number) })
})

it('an nvidia-smi that hangs is reported in time, and no second one is started', async () => {
  let calls = 0
  const hanging = Promise.withResolvers<string>()
  const run = (): Promise<string> => {
    calls += 1
    return calls === 1 ? Promise.resolve(REPORT) : hanging.promise
  }
  const look = createGpuWatch({ run, warn: () => undefined, answerWithinMs: 20 })
  await look()
  for (let again = 0; again < 3; again += 1) {
    expect((await look()).gpus.map(({ healthy, fault }) => [healthy, fault])).toEqual([
      [false, 'nvidia-smi does not answer for 0 s'],
      [false, 'nvidia-smi does not answer for 0 s'],
    ])
  }
  expect(calls).toBe(2)
  hanging.resolve(REPORT)
  await hanging.promise
  expect((await look()).gpus).toHaveLength(2)
})
