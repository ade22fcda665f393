// How an endpoint scales, in Runpod's words.
import type { EndpointView } from '@runyard/schema/api'
import { mustBe, mustNotBeEmpty, numberOf, quoted, textOf, type FormField, type Patch, type Values } from './form-field.ts'

const isQueue = ({ type }: EndpointView): boolean => type === 'QUEUE'
const workersOption = (values: Values): string => `--workers ${textOf(values, 'workersMin')}..${textOf(values, 'workersMax')}`
const isByDelay = (values: Values): boolean => textOf(values, 'scalingType') === 'QUEUE_DELAY'
const scalingPatch = (values: Values): Patch => {
  const value = numberOf(values, 'scalingValue')
  return { scaling: isByDelay(values) ? { type: 'QUEUE_DELAY', queueDelay: value } : { type: 'REQUEST_COUNT', requestCount: value } }
}
const scalingOption = (values: Values): string =>
  `${isByDelay(values) ? '--queue-delay' : '--jobs-per-worker'} ${textOf(values, 'scalingValue')}`

export const SCALING_FIELDS: readonly FormField[] = [
  {
    name: 'name',
    label: 'Endpoint name',
    group: 'Endpoint',
    blames: /already|\bname of an endpoint|^A name has/iu,
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
    blames: /minimum of \d+ workers|limits\.workersPer/u,
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
    blames: /idleTimeout/u,
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
    help: '0: no limit, else at least 5.',
    blames: /execution timeout/u,
    isContainer: false,
    // It ends jobs; a load balancer has requests (`loadBalancing.requestS`).
    isFor: isQueue,
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
    isFor: isQueue,
    read: ({ scaling }) => scaling.type,
    toPatch: scalingPatch,
    toOptions: scalingOption,
  },
  {
    name: 'scalingValue',
    label: 'Seconds of delay, or requests per worker',
    group: 'Scaling',
    blames: /scaler value/u,
    isContainer: false,
    isFor: isQueue,
    read: ({ scaling }) => `${scaling.type === 'QUEUE_DELAY' ? scaling.queueDelay : scaling.requestCount}`,
    faultOf: mustBe({ least: 0.5, isWhole: false }),
    toPatch: scalingPatch,
    toOptions: scalingOption,
  },
  {
    name: 'scalingValue',
    label: 'Requests in flight per worker',
    group: 'Scaling',
    blames: /scaler value/u,
    help: 'One worker for so many, waiting ones included.',
    isContainer: false,
    isFor: (endpoint) => !isQueue(endpoint),
    read: ({ scaling }) => `${scaling.type === 'REQUEST_COUNT' ? scaling.requestCount : ''}`,
    faultOf: mustBe({ least: 1 }),
    toPatch: scalingPatch,
    toOptions: scalingOption,
  },
  {
    name: 'requestsPerSecond',
    label: 'Requests per second per worker',
    group: 'Scaling',
    blames: /requestsPerSecond/u,
    help: 'Counts where it asks for more workers; 0: not at all.',
    isContainer: false,
    isFor: (endpoint) => !isQueue(endpoint),
    read: ({ requestsPerSecond }) => `${requestsPerSecond ?? 0}`,
    faultOf: mustBe({ least: 0, isWhole: false }),
    toPatch: (values) => ({ requestsPerSecond: numberOf(values, 'requestsPerSecond') }),
    toOptions: (values) => `--requests-per-second ${textOf(values, 'requestsPerSecond')}`,
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
