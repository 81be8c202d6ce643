/** Ports for servers that cannot be told to take any. */
export { freePorts } from '#dist/torture/processes/free-ports.js'
