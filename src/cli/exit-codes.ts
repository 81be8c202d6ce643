/**
 * How the commands end. `lock` passes on what its command ended with, so its own codes are those of sysexits.h, which other
 * programs seldom use.
 */
export const exitCodes = {
  failed: 1,
  /** Wrong usage, as in most tools. */
  usage: 2,
  /** The server cannot be asked, or it is not known what it has done. */
  unavailable: 69,
  /** The guard could not be started, or has died. */
  noGuard: 70,
  /** The fault laboratory itself has failed: what was to be shown is not. */
  laboratory: 70,
  /** The lock was lost while the command ran, which was stopped. */
  lost: 73,
  /** Another holds the lock. */
  busy: 75,
  /** As shells have it: the command could not be executed, or there is none. */
  notExecutable: 126,
  notFound: 127,
  /** As shells have it: and the number of the signal that ended the command. */
  signal: 128,
} as const
