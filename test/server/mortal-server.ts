/** A server to be killed: started by `restart.test.ts`, which passes options as JSON and is told the port. */
import { serve } from 'latchkey/server'

const options = JSON.parse(process.argv[2] ?? '{}')
/** What every start after a crash tells is no news here. */
const log = (line: string) => void (line.includes('locks that were given before') || console.error(line))
const server = await serve({ port: 0, threads: 2, memory: '4mb', log, ...options })
process.send?.(server.port)
/** A number: the worker to be killed. */
process.on('message', (worker: number) => void server.killWorker(worker))
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)))
// Nobody may be left behind by a test that is killed itself.
process.once('disconnect', () => process.exit(1))
