// Load-balanced endpoints: whatever the server inside the worker serves (management §11).
import { METHODS, tagged, type Operation, type Operations } from './operation.ts'

function balanced(method: (typeof METHODS)[number], suffix: string): Omit<Operation, 'tag'> {
  return {
    id: `balanced${method.charAt(0)}${method.slice(1).toLowerCase()}${suffix}`,
    summary: `${method} of the server inside a worker`,
    description:
      'The path, the headers but for Authorization, and the body go to a worker as they are; status, headers and body of its answer come back. Also by Host: `{endpointId}.<base name>/{path}`.',
    other: { 200: '*/*' },
  }
}

/** sdk2-api §4.6 */
function ofTask(id: string): Omit<Operation, 'tag'> {
  return {
    id,
    summary: 'Calls of the SDK to the worker of a task',
    description: 'With the token of the task as the bearer; 404 while no worker is ready.',
    open: true,
    other: { 200: '*/*' },
  }
}

export const LOAD_BALANCING_OPERATIONS: Operations = tagged(
  'load-balancing',
  Object.fromEntries([
    ...METHODS.flatMap((method) => [
      [`${method} /lb/:endpointId`, balanced(method, 'Root')] as const,
      [`${method} /lb/:endpointId/*`, balanced(method, '')] as const,
    ]),
    ['GET /t/:pod/*', ofTask('readTask')] as const,
    ['POST /t/:pod/*', ofTask('callTask')] as const,
  ]),
)
