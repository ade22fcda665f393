// The GraphQL schema: the operations that live scripts call, under the type names that clients declare their variables with
// (flash-api §2, §3; sdk2-api §2; management §4).
import { APP_DEFINITIONS } from './apps.ts'
import { HUB_DEFINITIONS } from './hub.ts'
import { INPUT_DEFINITIONS } from './inputs.ts'

export const TYPE_DEFINITIONS = /* GraphQL */ `
  "A whole number; digits in a string are read as one."
  scalar Whole
  "A number; digits in a string are read as one."
  scalar Decimal
  "Text that old clients send as a bare enum word and new ones quoted."
  scalar Word
  scalar JSON

  type Query {
    myself: User
    podTemplate(id: String): PodTemplate
    podTemplates(input: PodTemplateInput): [PodTemplate!]
    gpuTypes(input: GpuTypeFilter): [GpuType]
    cpuFlavors(input: CpuFlavorInput): [CpuFlavor]
    serverlessGpuPools: [GpuPool!]!
    listings(input: ListingsInput): [Listing!]!
    listing(id: String, input: ListingsInput): Listing
    allAiApiPublicConfigs: [AiApiPublicConfig!]!
    myModels: [Model!]!
    flashAuthRequestStatus(flashAuthRequestId: String!): FlashAuthRequest
    dataCenters: [DataCenter!]!
  }

  type Mutation {
    deployCpuPod(input: deployCpuPodInput!): Pod
    podFindAndDeployOnDemand(input: PodFindAndDeployOnDemandInput!): Pod
    podTerminate(input: PodTerminateInput!): JSON
    saveEndpoint(input: EndpointInput!): Endpoint
    deleteEndpoint(id: String!): JSON
    updateEndpointTemplate(input: UpdateEndpointTemplateInput!): Endpoint
    saveTemplate(input: SaveTemplateInput): PodTemplate
    deleteTemplate(templateName: String!): JSON
    saveRegistryAuth(input: SaveRegistryAuthInput!): ContainerRegistryAuth
    updateRegistryAuth(input: UpdateRegistryAuthInput!): ContainerRegistryAuth
    deleteRegistryAuth(registryAuthId: String!): Boolean
    globalStoreBucketCreate(input: GlobalStoreBucketCreateInput!): GlobalStoreBucket
    secretCreate(input: SecretCreateInput!): Secret
    secretDelete(id: ID!): Boolean
    createFlashAuthRequest: FlashAuthRequest
    updateUserSettings(input: UpdateUserSettingsInput): User
  }

  "A login that waits for an approval on the page /flash/login."
  type FlashAuthRequest {
    id: String!
    status: Word!
    expiresAt: String!
    apiKey: String
  }

  type User {
    id: String!
    pubKey: String
    email: String!
    clientBalance: Decimal!
    currentSpendPerHr: Decimal!
    spendLimit: Decimal!
    notifyPodsStale: Boolean!
    notifyPodsGeneral: Boolean!
    notifyLowBalance: Boolean!
    myModels: [Model!]!
    networkVolumes: [NetworkVolume!]!
    globalStoreBuckets: [GlobalStoreBucket!]!
    containerRegistryCreds: [ContainerRegistryAuth!]!
    secrets: [Secret!]!
    endpoints: [Endpoint!]!
    endpoint(id: String!): Endpoint
  }

  type Endpoint {
    id: String!
    name: String!
    type: Word
    version: Whole
    templateId: String
    template: PodTemplate
    userId: String
    aiKey: String
    createdAt: String
    computeType: Word
    flashEnvironmentId: String
    gpuIds: Word
    gpuCount: Whole
    instanceIds: [String!]
    allowedCudaVersions: Word
    minCudaVersion: Word
    locations: Word
    networkVolumeId: String
    networkVolumeIds: [EndpointNetworkVolume!]
    networkVolume: NetworkVolume
    idleTimeout: Whole
    scalerType: Word
    scalerValue: Decimal
    workersMin: Whole
    workersMax: Whole
    workersStandby: Whole
    workersPFBTarget: Whole
    executionTimeoutMs: Whole
    flashBootType: Word
    modelReferences: [String!]
    activeBuildid: String
    idePodId: String
    env: [EnvironmentVariable!]!
  }

  type EndpointNetworkVolume {
    networkVolumeId: String!
    dataCenterId: String
  }

  type NetworkVolume {
    id: String!
    name: String
    size: Whole
    dataCenterId: String
  }

  "A task of SDK 2."
  type Pod {
    id: String!
    name: String
    imageName: String
    desiredStatus: Word
    machineId: String
    costPerHr: Float
    containerDiskInGb: Int
    volumeInGb: Int
    volumeMountPath: String
    gpuCount: Int
    memoryInGb: Float
    vcpuCount: Float
    ports: String
    lastStatusChange: String
    env: [String!]
    machine: PodMachine
  }

  type PodMachine {
    gpuDisplayName: String
    location: String
  }

  type GlobalStoreBucket {
    id: String!
    name: String!
  }

  "A label of hosts."
  type DataCenter {
    id: String!
    name: String!
    location: String!
    gpuAvailability: [GpuAvailability!]!
  }

  type GpuAvailability {
    gpuTypeId: String!
    displayName: String!
    stockStatus: Word
  }

  type EnvironmentVariable {
    key: String!
    value: String!
  }

  type PodTemplate {
    id: String!
    name: String!
    imageName: String
    dockerArgs: String
    containerDiskInGb: Whole
    containerRegistryAuthId: String
    volumeInGb: Whole
    volumeMountPath: String
    ports: String
    portsConfig: [PortConfig!]!
    env: [EnvironmentVariable!]!
    readme: String
    isServerless: Boolean
    isPublic: Boolean
    isRunpod: Boolean
    category: Word
    startSsh: Boolean
    startJupyter: Boolean
  }

  type ContainerRegistryAuth {
    id: String!
    name: String!
  }

  "Its value is in no answer."
  type Secret {
    id: String!
    name: String!
    description: String!
    createdAt: String!
  }

  "Prices are null: the cards are yours."
  type GpuType {
    id: String!
    displayName: String
    manufacturer: String
    memoryInGb: Whole
    cudaCores: Whole
    maxGpuCount: Whole
    secureCloud: Boolean
    communityCloud: Boolean
    securePrice: Decimal
    communityPrice: Decimal
    oneMonthPrice: Decimal
    threeMonthPrice: Decimal
    oneWeekPrice: Decimal
    communitySpotPrice: Decimal
    secureSpotPrice: Decimal
    lowestPrice(input: GpuLowestPriceInput): LowestPrice
  }

  type LowestPrice {
    stockStatus: Word
    minimumBidPrice: Decimal
    uninterruptablePrice: Decimal
    gpuTypeCudaVersions: [GpuTypeCudaVersion!]
  }

  type GpuTypeCudaVersion {
    cudaVersion: String
    availability: Word
  }

  type GpuPool {
    id: String!
    gpuTypeIds: [String!]!
  }

  type PortConfig {
    port: String!
    name: String!
  }

  type CpuFlavor {
    id: String!
    specifics(input: SpecificsInput): CpuSpecifics
  }

  type CpuSpecifics {
    stockStatus: Word
  }

  ${APP_DEFINITIONS}
  ${HUB_DEFINITIONS}
  ${INPUT_DEFINITIONS}
`
