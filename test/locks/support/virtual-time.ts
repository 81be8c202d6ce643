/** Hours in milliseconds, and the same every time: as the fault laboratory has it. */
export { VirtualTime } from '#dist/torture/simulation/virtual-time.js'
