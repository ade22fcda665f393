/** Whether a text is the whole id of a job, as SDKs print it. */
export function isJobId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:-\w{1,8})?$/u.test(text)
}
