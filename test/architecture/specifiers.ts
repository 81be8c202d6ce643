/** Every module that a source file names: import, export … from, dynamic import, type queries, and worker URLs. */
import ts from 'typescript'

export interface Specifier {
  text: string
  /** 1-based. */
  line: number
  /** `import type`, `export type`: gone after compilation. */
  typeOnly: boolean
}

export function specifiersOf(file: string, source: string): Specifier[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true)
  const found: Specifier[] = []
  const visit = (node: ts.Node): void => {
    const named = namedBy(node)
    if (named !== undefined && ts.isStringLiteralLike(named.module)) {
      const line = parsed.getLineAndCharacterOfPosition(named.module.getStart()).line + 1
      found.push({ text: named.module.text, line, typeOnly: named.typeOnly })
    }
    ts.forEachChild(node, visit)
  }
  visit(parsed)
  return found
}

function namedBy(node: ts.Node): { module: ts.Node; typeOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node)) return { module: node.moduleSpecifier, typeOnly: isTypeOnlyImport(node) }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
    return { module: node.moduleSpecifier, typeOnly: node.isTypeOnly }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return { module: node.argument.literal, typeOnly: true }
  if (isDynamicImport(node) || isModuleUrl(node)) return { module: node.arguments![0], typeOnly: false }
  return undefined
}

function isTypeOnlyImport(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const names = clause.namedBindings
  if (clause.name !== undefined || names === undefined || !ts.isNamedImports(names)) return false
  return names.elements.length > 0 && names.elements.every((each) => each.isTypeOnly)
}

function isDynamicImport(node: ts.Node): node is ts.CallExpression {
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && node.arguments.length > 0
}

/** `new URL('./worker.js', import.meta.url)` loads a module just as an import does. */
function isModuleUrl(node: ts.Node): node is ts.NewExpression {
  return (
    ts.isNewExpression(node) &&
    node.expression.getText() === 'URL' &&
    node.arguments?.length === 2 &&
    node.arguments[1].getText() === 'import.meta.url'
  )
}
