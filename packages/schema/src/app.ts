// Deployed apps (ADR 63): an app has environments, and builds of its code. An endpoint belongs to an environment by `flashEnvironmentId`; its workers run
// the environment's active build. A build's manifest is kept beside its record, since only few readers need it.
import { z } from 'zod'

export const App = z.object({
  id: z.string(),
  /** Unique per owner. */
  name: z.string(),
  ownerId: z.string(),
  createdAt: z.number(),
})
export type App = z.infer<typeof App>

export const Environment = z.object({
  id: z.string(),
  /** Unique per app. */
  name: z.string(),
  ownerId: z.string(),
  appId: z.string(),
  /** What workers of its endpoints run that start from now on; null: nothing was deployed yet. */
  activeBuildId: z.string().nullable(),
  createdAt: z.number(),
  /** When the active build was deployed; absent: never. */
  deployedAt: z.number().optional(),
})
export type Environment = z.infer<typeof Environment>

/** What made an artifact: `runpod-flash` 1.x, or the SDK 2.0 (production §4.1). */
export const BUILD_KINDS = ['flash', 'sdk2'] as const

export const Build = z.object({
  id: z.string(),
  ownerId: z.string(),
  appId: z.string(),
  artifactId: z.string(),
  /** The client's name for the artifact. */
  objectKey: z.string(),
  kind: z.enum(BUILD_KINDS),
  /** Of its compiled packages, e.g. `3.12`; null: the manifest does not say. */
  pythonVersion: z.string().nullable(),
  sizeBytes: z.int().min(0),
  sha256: z.string(),
  createdAt: z.number(),
})
export type Build = z.infer<typeof Build>

/** An artifact that is to be uploaded, and what the look into it found once it was. */
export const Upload = z.object({
  id: z.string(),
  /** The other half of the URL. */
  secret: z.string(),
  ownerId: z.string(),
  appId: z.string(),
  objectKey: z.string(),
  size: z.int().min(1),
  expiresAt: z.number(),
  /** Absent: nothing was uploaded yet. A repeated upload replaces it. */
  stored: z
    .object({
      artifactId: z.string(),
      sha256: z.string(),
      finding: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('archive'), of: z.enum(BUILD_KINDS) }),
        /** One sentence. */
        z.object({ kind: z.literal('problem'), problem: z.string() }),
      ]),
    })
    .optional(),
})
export type Upload = z.infer<typeof Upload>
export type StoredUpload = NonNullable<Upload['stored']>

/** As the client wrote it. */
export type Manifest = Readonly<Record<string, unknown>>
