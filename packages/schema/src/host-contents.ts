// What a host keeps for its workers beside images: the data of volumes, builds of deployed apps (ADR 65), and models of a hub (ADR 86).

export interface VolumeData {
  readonly volumeId: string
  /** On the host, as its configuration says; undefined: the driver's own place. Made when it is first used. */
  readonly directory?: string | undefined
}

export interface VolumeMount extends VolumeData {
  /** In the worker. */
  readonly path: string
  readonly readOnly: boolean
}

export interface LaunchedBuild {
  readonly id: string
  /** E.g. `3.12`; null: any. */
  readonly pythonVersion: string | null
  /** It was placed as a packed archive. */
  readonly isPacked?: boolean
}

/** A model in the layout of Hugging Face's cache. */
export interface LaunchedModel {
  /** Of its copy on the host. */
  readonly id: string
  /** `owner/name`. */
  readonly repo: string
  readonly commit: string
}

/** A model that a host keeps for its workers. */
export interface ModelPlacement {
  readonly id: string
  /** Of its files together. */
  readonly sizeBytes: number
  /** Called only if the host does not have it whole. */
  readonly open: () => Promise<ModelContent>
}

/** Paths are relative and have no `..`. */
export interface ModelContent {
  readonly files: readonly ModelFile[]
  /** Symbolic links; targets are relative to the link. */
  readonly links: readonly { readonly path: string; readonly target: string }[]
  readonly texts: readonly { readonly path: string; readonly text: string }[]
}

export interface ModelFile {
  readonly path: string
  readonly sizeBytes: number
  /** Ends early with an error rather than with wrong bytes: a file of full size is right. */
  readonly open: () => AsyncIterable<Uint8Array>
}

export interface HeldModel {
  readonly id: string
  /** At most what it takes when it is whole. */
  readonly bytes: number
  /** Epoch ms. */
  readonly placedAt: number
}

/** An archive of a deployed app (`readArchive` of kit reads it) that a host unpacks for its workers. */
export interface BuildPlacement {
  readonly id: string
  /** Of the archive. */
  readonly sizeBytes: number
  /** Workers get the archive itself, at `/root/.runpod/artifact.tar.gz`, because their image unpacks it. Only for hosts that start images. */
  readonly isPacked?: boolean
  readonly open: () => Promise<AsyncIterable<Uint8Array>>
  /** One line for the worker that waits for it. */
  readonly onProgress: (line: string) => void
}
