// What the hub says about the models that endpoints and builds ask for, before either exists (ADR 86): so an unknown or closed model is refused by one
// sentence, and all workers get the same commit. Failure direction: a hub that does not answer changes no model of an endpoint.
import { hubTokenIn, hubVariables, modelReferenceText, modelsIn, parseModelReference, parseModelReferences } from '@runyard/core'
import { createHub } from '@runyard/kit'
import { quoted, RunyardError, type CachedModel, type Manifest, type ModelsConfig } from '@runyard/schema'
import { filledEnvironment, type Store } from '@runyard/store'

type Environment = Readonly<Record<string, string>>

interface Wanted {
  readonly references: readonly string[]
  /** Of the endpoint: its HF_TOKEN opens gated and private models. */
  readonly env: Environment
  /** What the endpoint has so far. */
  readonly kept: readonly CachedModel[]
}

export type ModelCache = ReturnType<typeof createModelCache>

const OFF = 'cached models are switched off here (models.enabled); load the model in the function, best into a network volume.'

export function createModelCache({ resources }: Pick<Store, 'resources'>, { enabled, hubUrl }: ModelsConfig) {
  const hub = createHub(hubUrl)
  const tokenOf = async (ownerId: string, env: Environment): Promise<string | undefined> =>
    hubTokenIn(await filledEnvironment({ resources }, { ownerId, spec: { env: hubVariables(env) } }))

  return {
    /** @throws RunyardError with one sentence. */
    async resolve(ownerId: string, { references, env, kept }: Wanted): Promise<CachedModel[]> {
      const [first] = references
      if (first === undefined) return []
      if (!enabled) throw new RunyardError('bad_request', `The endpoint asks for the model ${quoted(first)}: ${OFF}`)
      const token = await tokenOf(ownerId, env)
      return Promise.all(
        parseModelReferences(references).map(async (reference) => {
          const before = kept.find(({ repo, ref }) => repo === reference.repo && ref === reference.ref)
          return hub.resolve(reference, { token }).catch((error: unknown) => {
            if (before !== undefined && error instanceof RunyardError && error.code === 'bad_gateway') return before
            throw error
          })
        }),
      )
    },
    /** @throws RunyardError that names the resource whose model cannot be had. */
    async check(ownerId: string, manifest: Manifest): Promise<void> {
      for (const { resource, reference, env } of modelsIn(manifest)) {
        const whose = `The resource ${quoted(resource)} asks for the model ${quoted(reference)}`
        if (!enabled) throw new RunyardError('bad_request', `${whose}: ${OFF}`)
        try {
          await hub.resolve(parseModelReference(reference), { token: await tokenOf(ownerId, env) })
        } catch (error) {
          if (!(error instanceof RunyardError)) throw error
          throw new RunyardError(error.code, `${whose}. ${error.message}`, { cause: error })
        }
      }
    },
  }
}

export function modelReferencesOf(models: readonly CachedModel[] = []): readonly string[] {
  return models.map(modelReferenceText)
}
