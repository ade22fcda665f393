// Families of blobs as the rest of the program sees them (ADR 50).
import type { Artifact, BlobReader, ByteRange, WriteLimits } from '@runyard/schema'

/** Of one family. */
export interface BlobSweeps {
  /** Deletes the blobs of owners (jobs, artifacts) that are gone. How many. */
  sweepBlobs(now: number): Promise<number>
  /**
   * Lists owners whose announcement Redis lost, so that a sweep a day later deletes the blobs of those that are gone, and removes what
   * unfinished writes left. How many owners were listed.
   */
  adoptBlobs(now: number): Promise<number>
}

export interface ArtifactStore extends BlobSweeps {
  /** Gone in a day where nothing holds it by then. @throws as `BlobStore.write` */
  write(source: AsyncIterable<Uint8Array>, limits: WriteLimits): Promise<Artifact>
  get(id: string): Promise<Artifact | undefined>
  /** Undefined: there is no such artifact. @throws as `BlobStore.read` */
  read(id: string, range?: ByteRange): Promise<BlobReader | undefined>
  /** From now on the artifact stays until this holder releases it. False: there is no such artifact. */
  hold(hold: ArtifactHold): Promise<boolean>
  /** Fine where it is not held. */
  release(hold: ArtifactHold): Promise<void>
}

export interface ArtifactHold {
  readonly id: string
  /** Any name; one name holds once. */
  readonly holder: string
}
