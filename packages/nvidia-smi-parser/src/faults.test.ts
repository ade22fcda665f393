// What counts as a fault, field by field: a card with nothing wrong, and one change to it.
import { describe, expect, it } from 'vitest'
import { parseNvidiaSmi } from './parse.ts'
import { isFit } from './report.ts'

const CARD = {
  product_name: 'NVIDIA H100 80GB HBM3',
  uuid: 'GPU-1',
  performance_state: 'P0',
  'clocks/sm_clock': '210 MHz',
  'temperature/gpu_temp': '30 C',
  'fb_memory_usage/total': '81559 MiB',
  'fb_memory_usage/used': '0 MiB',
}

/** A report of one card with these fields, `a/b` nested. */
function parse(fields: Readonly<Record<string, string>>, around = '<attached_gpus>1</attached_gpus>') {
  const tree: Record<string, unknown> = {}
  for (const [path, value] of Object.entries({ ...CARD, ...fields })) {
    const names = path.split('/')
    let node = tree
    for (const name of names.slice(0, -1)) node = (node[name] ??= {}) as Record<string, unknown>
    node[names.at(-1) ?? ''] = value
  }
  const result = parseNvidiaSmi(`<nvidia_smi_log>${around}<gpu>${toXml(tree)}</gpu></nvidia_smi_log>`)
  if (result.kind === 'failure') throw new Error(result.message)
  return result
}

const toXml = (tree: Readonly<Record<string, unknown>>): string =>
  Object.entries(tree)
    .map(([name, value]) => `<${name}>${typeof value === 'string' ? value : toXml(value as Record<string, unknown>)}</${name}>`)
    .join('')

const faultsOf = (fields: Readonly<Record<string, string>>) => parse(fields).gpus[0]?.faults.map(({ kind }) => kind)

describe('faults of a card', () => {
  it.each([
    [{ gpu_recovery_action: 'Reset' }, ['reset']],
    [{ gpu_recovery_action: 'Reboot' }, ['reboot']],
    [{ gpu_recovery_action: 'Drain P2P' }, ['drain']],
    [{ gpu_recovery_action: 'Drain and Reset' }, ['drain']],
    [{ gpu_recovery_action: 'Recover IMEX Domain' }, ['reset']],
    [{ 'gpu_reset_status/reset_required': 'Yes' }, ['reset']],
    [{ 'gpu_reset_status/drain_and_reset_recommended': 'Yes' }, ['drain']],
    [{ 'ecc_errors/channel_repair_pending': 'Yes' }, ['reset']],
    [{ 'ecc_errors/channel_repair_pending': 'GPU requires reset' }, ['reset']],
    [{ 'remapped_banks/bank_remapper_pending': 'Yes' }, ['drain']],
    [{ 'ecc_errors/volatile/dram_uncorrectable': '2' }, ['reset']],
    [{ 'fabric/state': 'In Progress' }, ['fabric']],
    [{ 'fabric/state': 'Completed', 'fabric/health/summary': 'Unhealthy' }, ['fabric']],
    [{ 'clocks_event_reasons/clocks_event_reason_hw_thermal_slowdown': 'Active' }, ['slow']],
    [{ 'clocks_throttle_reasons/clocks_throttle_reason_hw_slowdown': 'Active' }, ['slow']],
    [{ performance_state: 'GPU requires reset' }, ['reset']],
    [{ 'temperature/gpu_temp': 'GPU is lost' }, ['lost']],
    [{ 'clocks/sm_clock': 'System is not in ready state', 'temperature/gpu_temp': 'Unknown Error' }, ['reset']],
  ])('%j is %j', (fields, kinds) => {
    expect(faultsOf(fields)).toEqual(kinds)
  })

  it.each([
    { gpu_recovery_action: 'None' },
    { gpu_recovery_action: 'N/A' },
    { 'gpu_reset_status/reset_required': 'Requested functionality has been deprecated' },
    { 'ecc_errors/unrepairable_memory': 'Yes' },
    { 'fabric/state': 'N/A' },
    { addressing_mode: 'Unknown Error' },
    { 'temperature/gpu_temp': 'Unknown Error' },
    { fan_speed: 'ERR!' },
    { 'clocks_event_reasons/clocks_event_reason_hw_slowdown': 'Not Active' },
  ])('%j is none', (fields) => {
    expect(faultsOf(fields)).toEqual([])
  })

  it('the general slowdown is not reported beside its cause', () => {
    const prefix = 'clocks_event_reasons/clocks_event_reason_'
    const [gpu] = parse({ [`${prefix}hw_slowdown`]: 'Active', [`${prefix}hw_thermal_slowdown`]: 'Active' }).gpus
    expect(gpu?.faults.map(({ message }) => message)).toEqual(['the card is too hot and runs slower'])
  })

  it('a card that is slow, or lacks its fabric, can still work alone', () => {
    expect(parse({ 'fabric/state': 'In Progress' }).gpus.every(isFit)).toBe(true)
    expect(parse({ gpu_recovery_action: 'Drain and Reset' }).gpus.every(isFit)).toBe(false)
  })
})

describe('faults of the machine', () => {
  it('are cards that do not answer, and an error in place of cards', () => {
    const messages = (around: string) => parse({}, around).faults.map(({ message }) => message)
    expect(messages('<attached_gpus>3</attached_gpus>')).toEqual(['2 of 3 attached GPUs do not answer'])
    expect(messages('<attached_gpus>1</attached_gpus><error_string>GPU is lost</error_string>')).toEqual([
      'nvidia-smi reports an error: GPU is lost',
    ])
    expect(messages('')).toEqual([])
  })

  it('two cards with one uuid are named', () => {
    const gpu = '<gpu><uuid>GPU-1</uuid></gpu>'
    const result = parseNvidiaSmi(`<nvidia_smi_log>${gpu}${gpu}<gpu><uuid>GPU-2</uuid></gpu></nvidia_smi_log>`)
    expect(result.kind === 'report' && result.duplicateUuids).toEqual(['GPU-1'])
  })

  it.each([
    ['<driver_version>580.1</driver_version><cuda_version>Not Found</cuda_version>', '580.1', null],
    ['<kmd_version>615.23</kmd_version><cuda_umd_version>13.4</cuda_umd_version>', '615.23', '13.4'],
    ['<driver_version>[Insufficient Permissions]</driver_version><cuda_version>N/A</cuda_version>', null, null],
  ])('versions are read by their old and new names: %s', (around, driverVersion, cudaVersion) => {
    expect(parse({}, around)).toMatchObject({ driverVersion, cudaVersion })
  })
})
