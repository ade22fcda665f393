// What a field of an endpoint's form is: how it is read from an endpoint, and what it is in a request and on the command line.
import type { EndpointBody, EndpointView } from '@runyard/schema/api'
import { quoteShell } from '../../../ui/quote-shell.ts'

export type Values = Readonly<Record<string, string>>
export type Patch = Partial<EndpointBody>

export interface Choice {
  readonly value: string
  readonly label: string
}

/** What is made elsewhere on this page, to choose from. */
export type ChoiceList = 'registries' | 'volumes' | 'templates'

export interface FormField {
  readonly name: string
  readonly label: string
  readonly group: 'Endpoint' | 'Scaling' | 'GPUs' | 'CPU' | 'Container'
  readonly help?: string
  readonly kind?: 'lines'
  /** Absent: any text. */
  readonly options?: readonly Choice[] | ChoiceList
  /** A change of it replaces workers; else it applies in place. */
  readonly isContainer: boolean
  /** False: this endpoint has nothing of the kind. */
  readonly isFor?: (endpoint: EndpointView) => boolean
  /** The text as it is shown until somebody asks for the values. */
  readonly cover?: (text: string) => string
  readonly read: (endpoint: EndpointView) => string
  /** Of a text that is not valid: one sentence. */
  readonly faultOf?: (text: string) => string | undefined
  /** Which sentences of the API are about it, besides those that begin with its member of the body. */
  readonly blames?: RegExp
  readonly toPatch: (values: Values, endpoint: EndpointView) => Patch
  /** Options of `runyard endpoints create` and `update`; undefined: there is none for it. */
  readonly toOptions: (values: Values, endpoint: EndpointView) => string | undefined
}

export const textOf = (values: Values, name: string): string => (values[name] ?? '').trim()
export const numberOf = (values: Values, name: string): number => Number(textOf(values, name))
export const listOf = (values: Values, name: string): string[] =>
  textOf(values, name)
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

interface Bounds {
  readonly least: number
  readonly most?: number
  readonly isWhole?: boolean
}

export function mustBe({ least, most = Infinity, isWhole = true }: Bounds): (text: string) => string | undefined {
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`
  return (text) => {
    const value = Number(text)
    const isValid = text.trim() !== '' && value >= least && value <= most && (!isWhole || Number.isInteger(value))
    return isValid ? undefined : `must be a ${isWhole ? 'whole ' : ''}number ${range}`
  }
}
export const mustNotBeEmpty = (text: string): string | undefined => (text.trim() === '' ? 'must not be empty' : undefined)
export const quoted = (option: string, text: string): string => `${option} ${quoteShell(text)}`
