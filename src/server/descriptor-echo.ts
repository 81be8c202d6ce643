/** The body of a short-lived child process: sends the descriptor it is sent back, as often as it is asked to. */
process.on('message', (copies: number, handle: unknown) => {
  for (let i = 0; i < copies; i++) process.send?.('copy', handle as never)
})
