// The members of the GraphQL inputs that we read, as they arrive after the schema has checked them. `null` means "not given".
export type Maybe<T> = T | null | undefined

export interface TemplateInput {
  readonly id?: Maybe<string>
  readonly name?: Maybe<string>
  readonly imageName?: Maybe<string>
  readonly containerDiskInGb?: Maybe<number>
  readonly containerRegistryAuthId?: Maybe<string>
  readonly dockerArgs?: Maybe<string>
  readonly env?: Maybe<readonly { readonly key: string; readonly value?: Maybe<string> }[]>
  readonly ports?: Maybe<string>
  readonly readme?: Maybe<string>
  readonly startScript?: Maybe<string>
  readonly advancedStart?: Maybe<boolean>
  readonly config?: unknown
  readonly isServerless?: Maybe<boolean>
  readonly isPublic?: Maybe<boolean>
  readonly category?: Maybe<string>
  readonly volumeInGb?: Maybe<number>
  readonly volumeMountPath?: Maybe<string>
  readonly startSsh?: Maybe<boolean>
  readonly startJupyter?: Maybe<boolean>
}

export interface RegistryInput {
  readonly name: string
  readonly username: string
  readonly password: string
}

export interface RegistryUpdateInput extends Omit<RegistryInput, 'name'> {
  readonly id: string
}

/** Nothing given: all that there are. */
export interface IdFilter {
  readonly id?: Maybe<string>
  readonly ids?: Maybe<readonly Maybe<string>[]>
}

/** Templates of Runpod there are none. */
export interface TemplateFilter {
  readonly isRunpod?: Maybe<boolean>
}

export interface TemplateSwap {
  readonly endpointId: string
  readonly templateId: string
}

export interface EndpointInput {
  readonly id?: Maybe<string>
  readonly name?: Maybe<string>
  readonly type?: Maybe<string>
  readonly templateId?: Maybe<string>
  readonly template?: Maybe<TemplateInput>
  readonly flashEnvironmentId?: Maybe<string>
  readonly gpuIds?: Maybe<string>
  readonly gpuCount?: Maybe<number>
  readonly instanceIds?: Maybe<readonly string[]>
  readonly allowedCudaVersions?: Maybe<string>
  readonly minCudaVersion?: Maybe<string>
  readonly locations?: Maybe<string>
  readonly networkVolumeId?: Maybe<string>
  readonly networkVolumeIds?: Maybe<readonly { readonly networkVolumeId: string }[]>
  readonly volumes?: Maybe<readonly unknown[]>
  readonly modelReferences?: Maybe<readonly string[]>
  readonly hubReleaseId?: Maybe<string>
  readonly idleTimeout?: Maybe<number>
  readonly scalerType?: Maybe<string>
  readonly scalerValue?: Maybe<number>
  readonly workersMin?: Maybe<number>
  readonly workersMax?: Maybe<number>
  readonly workersPFBTarget?: Maybe<number>
  readonly executionTimeoutMs?: Maybe<number>
  readonly flashBootType?: Maybe<string>
  readonly compliance?: unknown
}
