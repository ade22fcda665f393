import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { readGpuInventory } from './read-gpus.ts'

const fixture = (name: string) => readFile(new URL(`../../../nvidia-smi-parser/fixtures/${name}`, import.meta.url), 'utf8')

it('a machine without nvidia-smi has no cards, and nothing is wrong with it', async () => {
  expect(await readGpuInventory(async () => undefined)).toEqual({
    gpus: [],
    uses: {},
    cudaVersion: null,
    warnings: [],
  })
})

it('a card with a fault stays listed, as unhealthy, and one that has no name is a warning', async () => {
  const { gpus, cudaVersion, warnings } = await readGpuInventory(() => fixture('faulty-h100-570.xml'))
  expect(cudaVersion).toBe('12.8')
  expect(gpus.map(({ healthy, fault }) => [healthy, fault === undefined])).toEqual([
    [true, true],
    [false, false],
    [false, false],
  ])
  expect(warnings).toHaveLength(2)
})

it('what uses a card is its compute processes and their memory, without the desktop', async () => {
  const smi = (
    process: string,
    used: number,
  ) => `<nvidia_smi_log><attached_gpus>1</attached_gpus><gpu id="00000000:01:00.0"><uuid>GPU-1</uuid>
    <product_name>NVIDIA L4</product_name><fb_memory_usage><total>23034 MiB</total><used>${used} MiB</used></fb_memory_usage>
    <processes>${process}</processes></gpu></nvidia_smi_log>`
  const of = (pid: number, type: string, name: string, used: string) =>
    `<process_info><pid>${pid}</pid><type>${type}</type><process_name>${name}</process_name><used_memory>${used}</used_memory></process_info>`
  const list =
    of(1, 'G', '/usr/lib/Xorg', '65 MiB') + of(2, 'C', 'python3', '500 MiB') + of(3, 'C', '/usr/bin/nvidia-cuda-mps-server', '30 MiB')
  const { uses } = await readGpuInventory(async () => smi(list, 600))
  expect(uses).toMatchObject({ 'GPU-1': { usedBytes: 535 * 2 ** 20, isMemoryProof: true, processes: [{ pid: 2, name: 'python3' }] } })
})

it('a card says what it does now, as far as the driver says it', async () => {
  const smi = `<nvidia_smi_log><attached_gpus>1</attached_gpus><gpu id="00000000:01:00.0"><uuid>GPU-1</uuid><product_name>NVIDIA L4</product_name>
    <utilization><gpu_util>37 %</gpu_util></utilization><temperature><gpu_temp>61 C</gpu_temp></temperature>
    <gpu_power_readings><power_draw>40.50 W</power_draw><current_power_limit>N/A</current_power_limit></gpu_power_readings></gpu></nvidia_smi_log>`
  const { uses } = await readGpuInventory(async () => smi)
  expect(uses['GPU-1']?.load).toEqual({ utilization: 0.37, temperatureC: 61, powerW: 40.5, powerLimitW: null, eccErrors: null })
})
