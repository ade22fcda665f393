// A template in GraphQL's words → the container part of a change. An inline template describes the whole container; `saveTemplate`
// names only what it changes: ports and registry are not sent by Flash and stay (flash-api §3.1, sdk2-api §3.1).
import { RunyardError } from '@runyard/schema'
import { defined } from '../defined.ts'
import type { ContainerChange, EndpointChange } from '../model-change.ts'
import { splitCommas } from './inputs.ts'
import type { TemplateInput } from './inputs.ts'

/** What `saveTemplate` changes on the endpoint that the template is bound to. */
export function templateChange(template: TemplateInput): EndpointChange {
  refuseStartScript(template)
  return defined({
    templateName: template.name ?? undefined,
    container: givenContainer(template),
    echo: template.readme == null ? undefined : { readme: template.readme },
  })
}

/** The whole container of an inline template: members that are not given are back at their default; the image stays. */
export function inlineContainer(template: TemplateInput): ContainerChange {
  refuseStartScript(template)
  return { args: '', env: {}, diskGb: null, ports: [], registryId: null, ...givenContainer(template) }
}

function givenContainer(template: TemplateInput): ContainerChange {
  return defined({
    image: template.imageName == null || template.imageName === '' ? undefined : template.imageName,
    args: template.dockerArgs ?? undefined,
    env: template.env == null ? undefined : toEnvironment(template.env),
    // Clients that do not care send 0.
    diskGb: template.containerDiskInGb == null ? undefined : template.containerDiskInGb || null,
    ports: template.ports == null ? undefined : [...splitCommas(template.ports)],
    registryId: template.containerRegistryAuthId == null ? undefined : template.containerRegistryAuthId || null,
  })
}

/** A key that is given twice has its last value (sdk2-api §3.1). */
function toEnvironment(env: NonNullable<TemplateInput['env']>): Record<string, string> {
  return Object.fromEntries(env.map(({ key, value }) => [key, value ?? '']))
}

function refuseStartScript({ startScript }: TemplateInput): void {
  if (startScript == null || startScript === '') return
  throw new RunyardError('bad_request', 'template.startScript is not supported; put the command into template.dockerArgs.')
}
