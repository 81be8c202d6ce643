/** The examples of the documents: compiled as users compile them, and run. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './root.js'

const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc')
const options = ['--ignoreConfig', '--strict', '--module', 'nodenext', '--target', 'es2022']
const library = ['--lib', 'es2024,esnext.disposable', '--types', 'node']

/** The TypeScript blocks of a document, by its path in the package. */
export function examplesOf(document: string): string[] {
  const text = readFileSync(join(projectRoot, document), 'utf8')
  return Array.from(text.matchAll(/```ts\n(.*?)```/gs), ([, code]) => code)
}

/** Each a program of its own, which must end well; returns what they have printed. `name` is that of a folder of build. */
export function runExamples(name: string, examples: readonly string[], environment: NodeJS.ProcessEnv = {}): string[] {
  return compiled(name, examples, (files) => files.map((file, i) => run([file], examples[i], environment)))
}

/**
 * As `runExamples`, but one after the other in one process, which starts faster and ends with the last of them, whatever is left open;
 * returns what that has printed.
 */
export function runTogether(name: string, examples: readonly string[]): string {
  const each = 'for (const file of process.argv.slice(1)) await import(file); process.exit()'
  return compiled(name, examples, (files) => run(['--input-type=module', '-e', each, '--', ...files], name, {}))
}

/** Hands on the compiled files, which are gone after that. */
function compiled<T>(name: string, examples: readonly string[], use: (files: string[]) => T): T {
  const folder = join(projectRoot, 'build', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  try {
    const files = examples.map((_, i) => join(folder, `example-${i + 1}.mts`))
    for (const [i, file] of files.entries()) writeFileSync(file, examples[i])
    const line = [tsc, ...options, ...library, ...files]
    const done = spawnSync(process.execPath, line, { encoding: 'utf8', cwd: projectRoot })
    assert.equal(done.status, 0, done.stdout)
    return use(files.map((file) => file.replace(/mts$/, 'mjs')))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(line: readonly string[], what: string, environment: NodeJS.ProcessEnv): string {
  const done = spawnSync(process.execPath, line, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...environment },
  })
  assert.equal(done.status, 0, `${what}\n${done.stderr}`)
  return done.stdout
}
