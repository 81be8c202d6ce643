/**
 * Node 20 forgets a worker that is terminated before V8 has stopped compiling for it on a thread of its own, and then aborts the
 * whole process (`NodePlatform::ForIsolate`, `(data.first) != nullptr`). Tests that terminate hundreds of busy workers meet that now and then.
 */
import { setFlagsFromString } from 'node:v8'

/** Workers started from now on compile on the thread on which they run. */
export function compileOnOwnThread(): void {
  setFlagsFromString('--no-concurrent-recompilation')
}
