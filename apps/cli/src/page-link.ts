// The address of the page with a one-time code behind `#`, where no server, no log and no other page sees it (ADR 89).
import { createClient, type Target } from '@runyard/client'

/** Good for ten minutes and one browser. @throws RunyardError */
export async function pageLink(target: Target, path = '/'): Promise<string> {
  const { code } = await createClient(target).session.createCode()
  return `${target.url}${path}#c=${code}`
}
