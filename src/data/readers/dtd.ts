// DTD, describable textures: `dtd/images/<class>/<image>` and three lists for each of ten folds.
import type { FileTree } from './formats/file-tree';
import { listedPath, type DatasetReader } from './reader';

/** Lists of `<class>/<image>`. */
async function readList(tree: FileTree, root: string, list: string): Promise<string[]> {
  return (await tree.lines(`${root}${list}`)).map(({ line }) => listedPath(line, list));
}

const classOf = (file: string): string => file.slice(0, file.indexOf('/'));

/** Fold 1 to 10: its training and validation lists are train, its test list is test. */
export const dtdFold = (fold: number): DatasetReader => ({
  wants: (file) =>
    new RegExp(`(^|/)labels/(train|val|test)${fold}\\.txt$`).test(file) ||
    /(^|\/)images\/[^/]+\/[^/]+\.jpg$/.test(file),
  async read(tree) {
    const lists = ['train', 'val', 'test'].map((split) => `labels/${split}${fold}.txt`);
    const root = tree.before(...lists);
    const [train, validation, test] = await Promise.all(lists.map((list) => readList(tree, root, list)));
    const classes = [...new Set([...train, ...validation, ...test].map(classOf))].sort();
    const labels = new Map(classes.map((name, label) => [name, label]));
    const found = (files: string[]) =>
      files.map((file) => ({
        from: `${root}images/${file}`,
        file: `dtd/images/${file}`,
        label: labels.get(classOf(file))!,
      }));
    return { train: found([...train, ...validation]), test: found(test), classes };
  },
});
