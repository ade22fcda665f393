// The values of an endpoint's secrets, read when a worker starts, or for its token of a hub. They go into its environment and nowhere else.
import { fillSecrets, secretNamesIn } from '@runyard/core'
import type { EndpointSpec } from '@runyard/schema'
import type { Store } from './types.ts'

/** The endpoint's own variables. @throws RunyardError(fault 'secret') that names the secret that does not exist. */
export async function filledEnvironment(
  { resources: { secrets } }: Pick<Store, 'resources'>,
  { ownerId, spec }: { readonly ownerId: string; readonly spec: Pick<EndpointSpec, 'env'> },
): Promise<EndpointSpec['env']> {
  const names = secretNamesIn(spec.env)
  if (names.length === 0) return spec.env
  const known = (await secrets.list(ownerId)).filter(({ name }) => names.includes(name))
  const found = await Promise.all(known.map(({ id }) => secrets.find(ownerId, id)))
  return fillSecrets(spec.env, new Map(found.flatMap((secret) => (secret === undefined ? [] : [[secret.name, secret.value] as const]))))
}
