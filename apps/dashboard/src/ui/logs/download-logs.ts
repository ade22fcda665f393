import type { LogSearch } from '@runyard/client'
import type { MergedLine } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { stripAnsi } from './ansi.ts'

const PAGE = 2000
const MOST_PAGES = 25

/** Saves all lines that match as a text file, not only those that are shown. */
export async function downloadLogs(search: LogSearch, name: string): Promise<void> {
  const pages: (readonly MergedLine[])[] = []
  let cursor = search.cursor
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { lines, nextCursor } = await client.history.logs({ ...search, cursor, limit: PAGE })
    pages.unshift(lines)
    if (nextCursor === null) break
    cursor = nextCursor
  }
  const text = pages
    .flat()
    .map(({ at, workerId, source, line }) => `${new Date(at).toISOString()} ${workerId} ${source} ${stripAnsi(line)}\n`)
    .join('')
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
