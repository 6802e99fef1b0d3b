// A recorded graph, looked at from the values: who makes one, and who takes it.
import type { GraphNode } from './saved-model';

/** The inputs of a node that are values, not order alone. */
export const dataInputs = ({ inputs }: GraphNode): string[] => inputs.filter((input) => !input.startsWith('^'));

/** The name of the node that an input comes from, or waits for. */
export const producerOf = (input: string): string => input.replace(/^\^/, '').split(':')[0];

/** Who makes and takes the values of `nodes`. */
export class Uses {
  private readonly takers = new Map<string, GraphNode[]>();
  private readonly byName: ReadonlyMap<string, GraphNode>;

  constructor(nodes: readonly GraphNode[]) {
    this.byName = new Map(nodes.map((node) => [node.name, node]));
    for (const node of nodes) {
      for (const input of node.inputs) {
        const found = this.takers.get(input);
        if (found === undefined) this.takers.set(input, [node]);
        else found.push(node);
      }
    }
  }

  /** The nodes that take the first output of a node, each once for each time it does. */
  of({ name }: GraphNode): readonly GraphNode[] {
    return this.takers.get(name) ?? [];
  }

  /** The node whose output `input` is; undefined of an input that is order alone. */
  source(input: string): GraphNode | undefined {
    return this.byName.get(input.split(':')[0]);
  }
}
