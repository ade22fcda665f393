// What clients know from Runpod and Runyard has no meaning for. Members of inputs are refused with a sentence when they are given, and let through as
// clients send what they do not use (null, "", 0, [], {}). Operations get one sentence instead of "Cannot query field" (management §4.2).
import { refusePorts } from '@runyard/core'
import { RunyardError } from '@runyard/schema'
import { splitCommas } from '../fields.ts'
import type { EndpointInput, TemplateInput } from './inputs.ts'
import { NO_PODS } from '../out-of-scope.ts'

const NO_START_SCRIPT = 'put the command into template.dockerArgs.'

const OF_ENDPOINTS: Partial<Record<keyof EndpointInput, string>> = {
  hubReleaseId: 'hubReleaseId is not supported: there is no hub here; give template.imageName.',
  workersPFBTarget: 'workersPFBTarget reserves capacity, which is not done here; set workersMin to keep workers running.',
  compliance: 'compliance chooses among data centers of Runpod; here your own hosts run the workers. Leave it out.',
}

const OF_TEMPLATES: Partial<Record<keyof TemplateInput, string>> = {
  startScript: `template.startScript is not supported; ${NO_START_SCRIPT}`,
  advancedStart: `template.advancedStart is not supported; ${NO_START_SCRIPT}`,
  config: 'template.config is not supported; leave it out.',
}

/** The members of an inline template beside them: a volume and ports. */
export const REFUSED = { endpoint: Object.keys(OF_ENDPOINTS), template: Object.keys(OF_TEMPLATES) }

/** @throws RunyardError('bad_request') */
export function refuseUnsupported(input: EndpointInput): void {
  refuse(input, OF_ENDPOINTS)
  const { template, templateId } = input
  if (template == null) return
  if (templateId != null && templateId !== '') throw new RunyardError('bad_request', 'template and templateId cannot be given together.')
  const { volumeInGb, ports } = template
  const volume = `Workers have no volume of their own; template.volumeInGb of ${volumeInGb ?? 0} was given.`
  refuse(template, { ...OF_TEMPLATES, volumeInGb: volume })
  if (input.type !== 'LB') refusePorts(splitCommas(ports ?? ''), [])
}

/** Of a template that stands by itself, which pods may use. @throws RunyardError('bad_request') */
export function refuseUnsupportedTemplate(input: TemplateInput): void {
  refuse(input, OF_TEMPLATES)
}

function refuse<T extends object>(input: T, sentences: Partial<Record<keyof T, string>>): void {
  for (const [name, sentence] of Object.entries<string | undefined>(sentences)) {
    if (sentence !== undefined && isUsed(input[name as keyof T])) throw new RunyardError('bad_request', sentence)
  }
}

function isUsed(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
}

const SENTENCES: Readonly<Record<string, string>> = {
  pod: NO_PODS,
  pods: NO_PODS,
  podRentInterruptable: NO_PODS,
  podStop: NO_PODS,
  podResume: NO_PODS,
}

/** The sentence for a request that fails validation because it names one of them, whatever else is wrong with it. */
export function unsupportedSentence(messages: readonly string[]): string | undefined {
  const fields = messages.map((message) => /^Cannot query field "(\w+)"/u.exec(message)?.[1] ?? '')
  return fields.map((field) => (Object.hasOwn(SENTENCES, field) ? SENTENCES[field] : undefined)).find((sentence) => sentence !== undefined)
}
