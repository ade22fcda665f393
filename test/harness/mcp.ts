// Runpod's MCP server as its own process, with the variables that `runyard env` prints for it.
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { cleanEnv, type Stack } from './stack.ts'

export interface Mcp extends AsyncDisposable {
  /** The text of the tool's reply, also after a failure. */
  readonly call: (tool: string, args: Record<string, unknown>) => Promise<Record<string, unknown>>
}

export async function startMcp({ url, env }: Stack): Promise<Mcp> {
  const graphql = { RUNPOD_AUTHED_GRAPHQL_URL: `${url}/graphql`, RUNPOD_PUBLIC_GRAPHQL_URL: `${url}/graphql` }
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [fileURLToPath(import.meta.resolve('@runpod/mcp-server'))],
      stderr: 'ignore',
      env: { ...cleanEnv(), ...env, ...graphql, RUNPOD_SERVERLESS_API_URL: `${url}/v2` },
    }),
  )
  const call: Mcp['call'] = async (name, args) => {
    const { content } = await client.callTool({ name, arguments: args }, undefined, { timeout: 180_000 })
    const [{ text }] = content as [{ text: string }]
    return JSON.parse(text) as Record<string, unknown>
  }
  return { call, [Symbol.asyncDispose]: () => client.close() }
}
