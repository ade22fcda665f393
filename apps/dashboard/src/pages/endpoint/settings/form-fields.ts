// The settings of an endpoint in Runpod's words: how each is read from an endpoint, and what a change of it is in a request and on the command line.
import type { EndpointBody, EndpointView } from '@runyard/schema/api'
import { quoteShell } from '../../../ui/quote-shell.ts'
import { coverSecrets, readEnv, toEnvOptions, writeEnv } from './env-lines.ts'

export type Values = Readonly<Record<string, string>>
type Patch = Partial<EndpointBody>

export interface FormField {
  readonly name: string
  readonly label: string
  readonly group: 'Scaling' | 'GPUs' | 'Container'
  readonly help?: string
  readonly kind?: 'lines'
  /** Absent: any text. */
  readonly options?: readonly { readonly value: string; readonly label: string }[]
  /** A change of it replaces workers; else it applies in place. */
  readonly isContainer: boolean
  /** False: this endpoint has nothing of the kind. */
  readonly isFor?: (endpoint: EndpointView) => boolean
  /** The text as it is shown until somebody asks for the values. */
  readonly cover?: (text: string) => string
  readonly read: (endpoint: EndpointView) => string
  /** Of a text that is not valid: one sentence. */
  readonly faultOf?: (text: string) => string | undefined
  readonly toPatch: (values: Values, endpoint: EndpointView) => Patch
  /** Options of `runyard endpoints update`; undefined: there is none for it. */
  readonly toOptions: (values: Values, endpoint: EndpointView) => string | undefined
}

const textOf = (values: Values, name: string): string => (values[name] ?? '').trim()
const numberOf = (values: Values, name: string): number => Number(textOf(values, name))
const listOf = (values: Values, name: string): string[] =>
  textOf(values, name)
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

interface Bounds {
  readonly least: number
  readonly most?: number
  readonly isWhole?: boolean
}

function mustBe({ least, most = Infinity, isWhole = true }: Bounds): (text: string) => string | undefined {
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`
  return (text) => {
    const value = Number(text)
    const isValid = text.trim() !== '' && value >= least && value <= most && (!isWhole || Number.isInteger(value))
    return isValid ? undefined : `must be a ${isWhole ? 'whole ' : ''}number ${range}`
  }
}
const mustNotBeEmpty = (text: string): string | undefined => (text.trim() === '' ? 'must not be empty' : undefined)
const quoted = (option: string, text: string): string => `${option} ${quoteShell(text)}`

const workersOption = (values: Values): string => `--workers ${textOf(values, 'workersMin')}..${textOf(values, 'workersMax')}`
const isByDelay = (values: Values): boolean => textOf(values, 'scalingType') === 'QUEUE_DELAY'
const scalingPatch = (values: Values): Patch => {
  const value = numberOf(values, 'scalingValue')
  return { scaling: isByDelay(values) ? { type: 'QUEUE_DELAY', queueDelay: value } : { type: 'REQUEST_COUNT', requestCount: value } }
}
const scalingOption = (values: Values): string =>
  `${isByDelay(values) ? '--queue-delay' : '--jobs-per-worker'} ${textOf(values, 'scalingValue')}`
const isOnGpu = ({ gpu }: EndpointView): boolean => gpu !== null

const SCALING: readonly FormField[] = [
  {
    name: 'name',
    label: 'Endpoint name',
    group: 'Scaling',
    isContainer: false,
    read: ({ name }) => name,
    faultOf: mustNotBeEmpty,
    toPatch: (values) => ({ name: textOf(values, 'name') }),
    toOptions: (values) => quoted('--name', textOf(values, 'name')),
  },
  {
    name: 'workersMin',
    label: 'Active workers',
    group: 'Scaling',
    help: 'They stay warm, with or without jobs.',
    isContainer: false,
    read: ({ workers }) => `${workers.min}`,
    faultOf: mustBe({ least: 0 }),
    toPatch: (values) => ({ workers: { min: numberOf(values, 'workersMin') } }),
    toOptions: workersOption,
  },
  {
    name: 'workersMax',
    label: 'Max workers',
    group: 'Scaling',
    help: '0 pauses the endpoint.',
    isContainer: false,
    read: ({ workers }) => `${workers.max}`,
    faultOf: mustBe({ least: 0 }),
    toPatch: (values) => ({ workers: { max: numberOf(values, 'workersMax') } }),
    toOptions: workersOption,
  },
  {
    name: 'idleTimeout',
    label: 'Idle timeout, seconds',
    group: 'Scaling',
    isContainer: false,
    isFor: ({ workers }) => workers.idleTimeout !== undefined,
    read: ({ workers }) => `${workers.idleTimeout ?? ''}`,
    faultOf: mustBe({ least: 1, most: 3600 }),
    toPatch: (values) => ({ workers: { idleTimeout: numberOf(values, 'idleTimeout') } }),
    toOptions: (values) => `--idle-timeout ${textOf(values, 'idleTimeout')}`,
  },
  {
    name: 'timeout',
    label: 'Execution timeout, seconds',
    group: 'Scaling',
    help: '0: no limit.',
    isContainer: false,
    read: ({ timeout }) => `${timeout / 1000}`,
    faultOf: mustBe({ least: 0, isWhole: false }),
    toPatch: (values) => ({ timeout: Math.round(numberOf(values, 'timeout') * 1000) }),
    toOptions: (values) => `--timeout ${textOf(values, 'timeout')}`,
  },
  {
    name: 'scalingType',
    label: 'Auto scaling type',
    group: 'Scaling',
    options: [
      { value: 'QUEUE_DELAY', label: 'Queue delay' },
      { value: 'REQUEST_COUNT', label: 'Request count' },
    ],
    isContainer: false,
    read: ({ scaling }) => scaling.type,
    toPatch: scalingPatch,
    toOptions: scalingOption,
  },
  {
    name: 'scalingValue',
    label: 'Seconds of delay, or requests per worker',
    group: 'Scaling',
    isContainer: false,
    read: ({ scaling }) => `${scaling.type === 'QUEUE_DELAY' ? scaling.queueDelay : scaling.requestCount}`,
    faultOf: mustBe({ least: 0.5, isWhole: false }),
    toPatch: scalingPatch,
    toOptions: scalingOption,
  },
  {
    name: 'priority',
    label: 'Priority',
    group: 'Scaling',
    help: 'Weight where endpoints share GPUs; usually 1.',
    isContainer: false,
    read: ({ priority }) => `${priority ?? 1}`,
    faultOf: mustBe({ least: 1, most: 100 }),
    toPatch: (values) => ({ priority: numberOf(values, 'priority') }),
    toOptions: (values) => `--priority ${textOf(values, 'priority')}`,
  },
]

/** The command line takes pools and excluded types as one list. */
const gpuOption = (values: Values): string =>
  quoted('--gpu', [...listOf(values, 'gpuPools'), ...listOf(values, 'gpuExcluded').map((type) => `-${type}`)].join(','))

const GPUS: readonly FormField[] = [
  {
    name: 'gpuPools',
    label: 'GPU pools, best first',
    group: 'GPUs',
    help: 'Such as ADA_24, AMPERE_24.',
    isContainer: true,
    isFor: isOnGpu,
    read: ({ gpu }) => (gpu?.pools ?? []).join(', '),
    faultOf: mustNotBeEmpty,
    toPatch: (values) => ({ gpu: { pools: listOf(values, 'gpuPools') } }),
    toOptions: gpuOption,
  },
  {
    name: 'gpuExcluded',
    label: 'Excluded GPU types',
    group: 'GPUs',
    isContainer: true,
    isFor: isOnGpu,
    read: ({ gpu }) => (gpu?.excludedTypes ?? []).join(', '),
    toPatch: (values) => ({ gpu: { excludedTypes: listOf(values, 'gpuExcluded') } }),
    toOptions: gpuOption,
  },
  {
    name: 'gpuCount',
    label: 'GPUs per worker',
    group: 'GPUs',
    isContainer: true,
    isFor: isOnGpu,
    read: ({ gpu }) => `${gpu?.count ?? 1}`,
    faultOf: mustBe({ least: 1 }),
    toPatch: (values) => ({ gpu: { count: numberOf(values, 'gpuCount') } }),
    toOptions: (values) => `--gpu-count ${textOf(values, 'gpuCount')}`,
  },
]

const CONTAINER: readonly FormField[] = [
  {
    name: 'image',
    label: 'Container image',
    group: 'Container',
    isContainer: true,
    read: ({ image }) => image,
    faultOf: mustNotBeEmpty,
    toPatch: (values) => ({ image: textOf(values, 'image') }),
    toOptions: (values) => quoted('--image', textOf(values, 'image')),
  },
  {
    name: 'args',
    label: 'Container start command',
    group: 'Container',
    help: 'Empty: that of the image.',
    isContainer: true,
    read: ({ args }) => args,
    toPatch: (values) => ({ args: textOf(values, 'args') }),
    toOptions: (values) => quoted('--command', textOf(values, 'args')),
  },
  {
    name: 'disk',
    label: 'Container disk, GB',
    group: 'Container',
    isContainer: true,
    isFor: ({ disk }) => disk !== undefined,
    read: ({ disk }) => `${disk ?? ''}`,
    faultOf: mustBe({ least: 1 }),
    toPatch: (values) => ({ disk: numberOf(values, 'disk') }),
    toOptions: (values) => `--disk ${textOf(values, 'disk')}`,
  },
  {
    name: 'flashboot',
    label: 'FlashBoot',
    group: 'Container',
    options: [
      { value: 'OFF', label: 'off' },
      { value: 'FLASHBOOT', label: 'FlashBoot' },
      { value: 'PRIORITY_FLASHBOOT', label: 'Priority FlashBoot' },
    ],
    isContainer: true,
    read: ({ flashboot }) => flashboot,
    toPatch: (values) => ({ flashboot: textOf(values, 'flashboot') as EndpointView['flashboot'] }),
    toOptions: () => undefined,
  },
  {
    name: 'env',
    label: 'Environment variables',
    group: 'Container',
    kind: 'lines',
    help: 'One NAME=VALUE a line. A secret stands as {{ RUNPOD_SECRET_name }}.',
    isContainer: true,
    cover: coverSecrets,
    read: ({ env }) => writeEnv(env),
    faultOf: (text) => readEnv(text).fault,
    toPatch: ({ env = '' }) => ({ env: readEnv(env).env }),
    toOptions: ({ env = '' }, endpoint) => toEnvOptions(endpoint.env, readEnv(env).env),
  },
]

export const FIELDS: readonly FormField[] = [...SCALING, ...GPUS, ...CONTAINER]
