/** A server to be killed: started by `restart.test.ts`, which passes options as JSON and is told the port. */
import { serve } from 'latchkey/server'

const options = JSON.parse(process.argv[2] ?? '{}')
const server = await serve({ port: 0, threads: 2, memory: '4mb', ...options })
process.send?.(server.port)
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)))
// Nobody may be left behind by a test that is killed itself.
process.once('disconnect', () => process.exit(1))
