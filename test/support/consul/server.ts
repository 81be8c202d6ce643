/** The HTTP API of a model of Consul, in a thread of its own. `workerData`: the least time to live of a session, in milliseconds. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { ConsulModel, Failed } from './model.js'

const model = new ConsulModel(workerData)

function answer(method: string, path: string, body: string): [status: number, reply: unknown] {
  const [, id] = /^\/v1\/session\/destroy\/([\w-]+)$/.exec(path) ?? []
  if (method === 'PUT' && path === '/v1/session/create') return [200, { ID: model.begin(JSON.parse(body)) }]
  if (method === 'PUT' && id !== undefined) {
    model.end(id)
    return [200, true]
  }
  if (method === 'PUT' && /^\/v1\/txn(\?consistent)?$/.test(path)) return transact(body)
  if (method === 'GET' && path === '/v1/agent/self') return [200, { Config: { Version: '1.0.0-model' } }]
  if (method === 'GET' && path === '/v1/session/list') return [200, Array(model.sessions).fill({})]
  return [404, 'no such path']
}

function transact(body: string): [status: number, reply: unknown] {
  const operations = (JSON.parse(body) as { KV: never }[]).map(({ KV }) => KV)
  try {
    return [200, { Results: model.transact(operations).map((KV) => ({ KV })), Errors: null }]
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    return [409, { Results: null, Errors: [{ OpIndex: 0, What: error.message }] }]
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part
  return text
}

const server = createServer(async (request, response) => {
  const body = await read(request)
  let [status, reply]: [number, unknown] = [500, '']
  try {
    ;[status, reply] = answer(request.method!, request.url!, body)
  } catch (error) {
    reply = (error as Error).message
  }
  response.writeHead(status).end(typeof reply === 'string' ? reply : JSON.stringify(reply))
})
server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as AddressInfo).port))
