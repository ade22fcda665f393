// The page's way to the API: the documented routes, with the session's cookie.
import { createClient, type Client } from '@runyard/client'
import { noteDate } from '../app/clock.ts'

/** The path that the gateway serves the page below, with a slash at its end; `/` unless a proxy adds one. */
export const BASE_PATH = document.querySelector<HTMLMetaElement>('meta[name="runyard-base"]')?.content ?? '/'

/** Where routes of the API begin, without a slash at the end. */
export const API_URL = new URL(BASE_PATH, location.href).href.replace(/\/$/u, '')

export const client: Client = createClient({ url: API_URL }, { onAnswer: noteDate })
