// The inputs of the GraphQL schema, each once: the text of the schema and the types of what arrives both come from these records. They hold every
// member that any client sends (flash-api §2, §3; sdk2-api §2; management §4), strict on all others. `null` means "not given".

const TEMPLATE = {
  name: 'String',
  imageName: 'String',
  containerDiskInGb: 'Whole',
  containerRegistryAuthId: 'String',
  dockerArgs: 'String',
  env: '[EnvironmentVariableInput!]',
  ports: 'String',
  readme: 'String',
  startScript: 'String',
  advancedStart: 'Boolean',
  config: 'JSON',
  volumeInGb: 'Whole',
  volumeMountPath: 'String',
  isServerless: 'Boolean',
  isPublic: 'Boolean',
} as const
/** Of SDK 2's tasks (sdk2-api §4.6). */
const POD = {
  name: 'String',
  imageName: 'String',
  ports: 'String',
  containerDiskInGb: 'Whole',
  supportPublicIp: 'Boolean',
  env: '[EnvironmentVariableInput!]',
  dataCenterIds: '[String!]',
  volumeMounts: '[PodVolumeMountInput!]',
  dockerArgs: 'String',
  containerRegistryAuthId: 'String',
} as const
const REGISTRY = { username: 'String!', password: 'String!' } as const
const FILTER = { id: 'String', ids: '[String]' } as const

const INPUTS = {
  EndpointInput: {
    id: 'String',
    name: 'String',
    type: 'Word',
    templateId: 'String',
    template: 'EndpointTemplateInput',
    flashEnvironmentId: 'String',
    gpuIds: 'Word',
    gpuCount: 'Whole',
    instanceIds: '[String!]',
    allowedCudaVersions: 'Word',
    minCudaVersion: 'Word',
    locations: 'Word',
    networkVolumeId: 'String',
    networkVolumeIds: '[EndpointNetworkVolumeInput!]',
    volumes: '[EndpointVolumeInput!]',
    modelReferences: '[String!]',
    idleTimeout: 'Whole',
    scalerType: 'Word',
    scalerValue: 'Decimal',
    workersMin: 'Whole',
    workersMax: 'Whole',
    workersStandby: 'Whole',
    workersPFBTarget: 'Whole',
    executionTimeoutMs: 'Whole',
    flashBootType: 'Word',
    hubReleaseId: 'String',
    compliance: 'JSON',
    // Members of the reply that some clients send back; read and dropped.
    version: 'JSON',
    userId: 'JSON',
    aiKey: 'JSON',
    createdAt: 'JSON',
    computeType: 'JSON',
    activeBuildid: 'JSON',
    idePodId: 'JSON',
    hubRelease: 'JSON',
    repo: 'JSON',
  },
  EndpointTemplateInput: TEMPLATE,
  SaveTemplateInput: { id: 'String', ...TEMPLATE, startSsh: 'Boolean', startJupyter: 'Boolean', category: 'Word' },
  EndpointNetworkVolumeInput: { networkVolumeId: 'String!', dataCenterId: 'String' },
  EndpointVolumeInput: { volumeId: 'String!', volumeType: 'Word' },
  EnvironmentVariableInput: { key: 'String!', value: 'String' },
  SaveRegistryAuthInput: { name: 'String!', ...REGISTRY },
  UpdateRegistryAuthInput: { id: 'String!', ...REGISTRY },
  SecretCreateInput: { name: 'String!', value: 'String!', description: 'String' },
  deployCpuPodInput: { ...POD, instanceId: 'String', instanceIds: '[String!]' },
  PodFindAndDeployOnDemandInput: {
    ...POD,
    gpuTypeId: 'String',
    gpuTypeIdList: '[String!]',
    gpuCount: 'Whole',
    allowedCudaVersions: '[String!]',
    // Members of a pod that is no task; it is refused by a sentence instead of one of these names.
    cloudType: 'JSON',
    startSsh: 'JSON',
    volumeInGb: 'JSON',
    volumeMountPath: 'JSON',
    templateId: 'JSON',
    networkVolumeId: 'JSON',
    dataCenterId: 'JSON',
    countryCode: 'JSON',
    minCudaVersion: 'JSON',
    stopAfter: 'JSON',
    terminateAfter: 'JSON',
    compliance: 'JSON',
  },
  PodVolumeMountInput: { volumeId: 'String!', volumeType: 'Word', mountPath: 'String' },
  PodTerminateInput: { podId: 'String!' },
  UpdateEndpointTemplateInput: { endpointId: 'String!', templateId: 'String!' },
  GlobalStoreBucketCreateInput: { name: 'String!' },
  PodTemplateInput: { id: 'String', isRunpod: 'Boolean', isPublic: 'Boolean', isServerless: 'Boolean', name: 'String', search: 'String' },
  UpdateUserSettingsInput: { pubKey: 'String' },
  ListingsInput: {
    id: 'String',
    category: 'String',
    type: 'String',
    owner: 'String',
    name: 'String',
    searchQuery: 'String',
    orderBy: 'String',
    orderDirection: 'String',
    limit: 'Whole',
    offset: 'Whole',
  },
  GpuTypeFilter: FILTER,
  GpuLowestPriceInput: {
    dataCenterId: 'String',
    countryCode: 'String',
    gpuCount: 'Whole',
    minDisk: 'Whole',
    minMemoryInGb: 'Whole',
    minVcpuCount: 'Whole',
    secureCloud: 'Boolean',
    includeAiApi: 'Boolean',
    supportPublicIp: 'Boolean',
    allowedCudaVersions: '[String]',
    compliance: '[Word]',
  },
  CpuFlavorInput: { ...FILTER, isSls: 'Boolean' },
  SpecificsInput: { dataCenterId: 'String', instanceId: 'String', isSls: 'Boolean' },
  CreateFlashAppInput: { name: 'String!' },
  CreateFlashEnvironmentInput: { flashAppId: 'String!', name: 'String!' },
  FlashEnvironmentByNameInput: { flashAppId: 'String!', name: 'String!' },
  PrepareFlashArtifactUploadInput: { flashAppId: 'String!', tarballSize: 'Whole!' },
  FinalizeFlashArtifactUploadInput: { flashAppId: 'String!', objectKey: 'String!', manifest: 'JSON!' },
  DeployBuildToEnvironmentInput: { flashEnvironmentId: 'String!', flashBuildId: 'String!' },
  UpdateFlashBuildManifestInput: { flashBuildId: 'String!', manifest: 'JSON!' },
} as const

export const INPUT_DEFINITIONS = Object.entries(INPUTS)
  .map(
    ([name, members]) =>
      `input ${name} {\n${Object.entries(members)
        .map(([member, type]) => `  ${member}: ${type}\n`)
        .join('')}}\n`,
  )
  .join('')

interface Scalars {
  readonly String: string
  readonly Word: string
  readonly Whole: number
  readonly Decimal: number
  readonly Boolean: boolean
  readonly JSON: unknown
}

type ValueOf<T> = T extends `[${infer Item}!]`
  ? readonly ValueOf<Item>[]
  : T extends `[${infer Item}]`
    ? readonly (ValueOf<Item> | null)[]
    : T extends keyof Scalars
      ? Scalars[T]
      : T extends keyof typeof INPUTS
        ? Input<T>
        : never

type Members<F> = {
  readonly [K in keyof F as F[K] extends `${string}!` ? K : never]: F[K] extends `${infer T}!` ? ValueOf<T> : never
} & { readonly [K in keyof F as F[K] extends `${string}!` ? never : K]?: ValueOf<F[K]> | null | undefined }

/** One of them as it arrives, after the schema has checked it. */
export type Input<N extends keyof typeof INPUTS> = Members<(typeof INPUTS)[N]>
export type EndpointInput = Input<'EndpointInput'>
export type TemplateInput = Input<'SaveTemplateInput'>
export type IdFilter = Members<typeof FILTER>
