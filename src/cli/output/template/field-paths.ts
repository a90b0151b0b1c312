import type { Node, Operand, Pipeline, Template } from "./syntax.ts";

/** The fields of its value that a template takes, where that can be seen without the value. */
export function fieldPaths({ nodes }: Pick<Template, "nodes">): readonly (readonly string[])[] {
  return ofNodes(nodes, true);
}

/** @param isRoot whether the dot is the value itself, and not an element of it */
function ofNodes(nodes: readonly Node[], isRoot: boolean): readonly (readonly string[])[] {
  return nodes.flatMap((node) => {
    if (node.kind === "text") return [];
    const own = ofPipeline(node.pipeline, isRoot);
    if (node.kind === "action" || node.kind === "set") return own;
    const body = ofNodes(node.body, isRoot && node.kind === "if");
    return [...own, ...body, ...ofNodes(node.otherwise, isRoot)];
  });
}

function ofPipeline(pipeline: Pipeline, isRoot: boolean): readonly (readonly string[])[] {
  return pipeline.flatMap(({ operands }) => operands.flatMap((it) => ofOperand(it, isRoot)));
}

function ofOperand(operand: Operand, isRoot: boolean): readonly (readonly string[])[] {
  if (operand.kind === "field") return isRoot ? [operand.path] : [];
  if (operand.kind === "variable") return operand.name === "$" ? [operand.path] : [];
  return operand.kind === "inner" ? ofPipeline(operand.pipeline, isRoot) : [];
}
