// Runpod's hub, its public endpoints and its model store. Runyard has none of them: clients ask, get an empty list and go on (production §3.9).

export const HUB_QUERIES = {
  listings: () => [],
  listing: () => null,
  allAiApiPublicConfigs: () => [],
  myModels: () => [],
}

export const HUB_DEFINITIONS = /* GraphQL */ `
  "Of a hub, which Runyard does not have."
  type Listing {
    id: String!
    repoId: String
    title: String
    description: String
    repoName: String
    repoOwner: String
    createdAt: String
    updatedAt: String
    views: Whole
    stars: Whole
    deploys: Whole
    language: String
    category: String
    tags: [String!]
    type: Word
    listedRelease: ListedRelease
  }

  type ListedRelease {
    id: String
    name: String
    tagName: String
    createdAt: String
    config: JSON
    build: ListedBuild
  }

  type ListedBuild {
    id: String
    imageName: String
  }

  "A public endpoint, which Runyard does not have."
  type AiApiPublicConfig {
    id: String
    aiApiId: String
    modelName: String
    displayName: String
    description: String
    metadata: JSON
    isLive: Boolean
    createdAt: String
    updatedAt: String
  }

  "Of a model store, which Runyard does not have."
  type Model {
    id: String
    owner: String
    provider: String
    name: String
    status: String
    createdAt: String
    updatedAt: String
    users: [ModelUser!]
    versions: [ModelVersion!]
  }

  type ModelUser {
    userId: String
    credentialType: String
    credentialReference: String
    status: String
    updatedAt: String
  }

  type ModelVersion {
    uuid: String
    hash: String
    status: String
    metadata: JSON
    createdAt: String
    updatedAt: String
  }
`
