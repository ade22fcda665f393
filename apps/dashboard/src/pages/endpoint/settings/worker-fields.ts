// What a worker of an endpoint is made of and runs on, in Runpod's words.
import type { EndpointView } from '@runyard/schema/api'
import { coverSecrets, readEnv, toEnvOptions, writeEnv } from './env-lines.ts'
import { listOf, mustBe, mustNotBeEmpty, numberOf, quoted, textOf, type FormField, type Values } from './form-field.ts'

const isOnGpu = ({ gpu }: EndpointView): boolean => gpu !== null

/** The command line takes pools and excluded types as one list. */
const gpuOption = (values: Values): string =>
  quoted('--gpu', [...listOf(values, 'gpuPools'), ...listOf(values, 'gpuExcluded').map((type) => `-${type}`)].join(','))

const GPUS: readonly FormField[] = [
  {
    name: 'gpuPools',
    label: 'GPU pools or types, best first',
    group: 'GPUs',
    help: 'Such as ADA_24, AMPERE_24 or NVIDIA L4.',
    blames: /GPU (?:Pool|type)/iu,
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
    blames: /^A GPU worker has/u,
    isContainer: true,
    isFor: isOnGpu,
    read: ({ gpu }) => `${gpu?.count ?? 1}`,
    faultOf: mustBe({ least: 1 }),
    toPatch: (values) => ({ gpu: { count: numberOf(values, 'gpuCount') } }),
    toOptions: (values) => `--gpu-count ${textOf(values, 'gpuCount')}`,
  },
]

const CPU_SIZE = /^(?<id>cpu\d[a-z])-(?<vcpus>\d+)(?:-(?<memory>\d+))?$/u

const CPU: readonly FormField[] = [
  {
    name: 'cpuSize',
    label: 'CPU sizes',
    group: 'CPU',
    help: 'FLAVOR-VCPUS-GB, such as cpu3g-2-8.',
    blames: /CPU|flavor/u,
    isContainer: true,
    isFor: ({ gpu }) => gpu === null,
    read: ({ cpu = [] }) => cpu.map(({ id, vcpuCount, memory }) => `${id}-${vcpuCount}-${memory}`).join(', '),
    faultOf: (text) =>
      text.split(',').every((size) => CPU_SIZE.test(size.trim())) ? undefined : 'must be FLAVOR-VCPUS-GB, such as cpu3g-2-8',
    toPatch: (values) => ({
      cpu: listOf(values, 'cpuSize').map((size) => {
        const { id = '', vcpus, memory } = CPU_SIZE.exec(size)?.groups ?? {}
        return { id, vcpuCount: Number(vcpus), ...(memory !== undefined && { memory: Number(memory) }) }
      }),
    }),
    // The command line takes one size.
    toOptions: (values) => (textOf(values, 'cpuSize').includes(',') ? undefined : quoted('--cpu', textOf(values, 'cpuSize'))),
  },
]

const CONTAINER: readonly FormField[] = [
  {
    name: 'image',
    label: 'Container image',
    group: 'Container',
    blames: /container image/u,
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
    name: 'ports',
    label: 'Ports of the server',
    group: 'Container',
    help: 'Such as 8000/http. The server listens at the variable PORT, 80 if there is none; GET /ping with 200 says that it is ready.',
    blames: /\bports?\b/iu,
    isContainer: true,
    isFor: ({ type }) => type === 'LOAD_BALANCER',
    read: ({ ports }) => ports.join(', '),
    toPatch: (values) => ({ ports: listOf(values, 'ports') }),
    toOptions: () => undefined,
  },
  {
    name: 'disk',
    label: 'Container disk, GB',
    group: 'Container',
    blames: /container disk/u,
    isContainer: true,
    isFor: ({ disk }) => disk !== undefined,
    read: ({ disk }) => `${disk ?? ''}`,
    faultOf: mustBe({ least: 1 }),
    toPatch: (values) => ({ disk: numberOf(values, 'disk') }),
    toOptions: (values) => `--disk ${textOf(values, 'disk')}`,
  },
  {
    name: 'registry',
    label: 'Registry credentials',
    group: 'Container',
    options: 'registries',
    blames: /[Rr]egistry/u,
    isContainer: true,
    read: ({ registry }) => registry ?? '',
    toPatch: (values) => ({ registry: textOf(values, 'registry') === '' ? null : textOf(values, 'registry') }),
    toOptions: (values) => quoted('--registry', textOf(values, 'registry') === '' ? 'none' : textOf(values, 'registry')),
  },
  {
    name: 'volumes',
    label: 'Network volume',
    group: 'Container',
    options: 'volumes',
    blames: /[Vv]olume/u,
    isContainer: true,
    read: ({ networkVolumes }) => networkVolumes.join(', '),
    toPatch: (values) => ({ networkVolumes: listOf(values, 'volumes') }),
    toOptions: () => undefined,
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
    blames: /environment variable/u,
    help: 'One NAME=VALUE a line. A secret stands as {{ RUNPOD_SECRET_name }}.',
    isContainer: true,
    cover: coverSecrets,
    read: ({ env }) => writeEnv(env),
    faultOf: (text) => readEnv(text).fault,
    toPatch: ({ env = '' }) => ({ env: readEnv(env).env }),
    toOptions: ({ env = '' }, endpoint) => toEnvOptions(endpoint.env, readEnv(env).env),
  },
]

export const WORKER_FIELDS: readonly FormField[] = [...GPUS, ...CPU, ...CONTAINER]
