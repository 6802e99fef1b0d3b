// The TypeScript program of one notebook: the cell, what earlier cells declared, and every file that they import.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { insideKit } from './kit-files';
import { cellOptions } from './options';

/** A program that holds the current cell. */
export interface CellProgram {
  program: ts.Program;
  checker: ts.TypeChecker;
  cell: ts.SourceFile;
  /** The declarations of earlier cells. */
  earlier: ts.SourceFile;
}

/** Texts that are no files: by path, with a number that grows with each change. */
type Texts = Map<string, { text: string; version: number }>;

/** A language service for cells; unchanged files are neither read nor checked again. */
export class NotebookProgram {
  readonly options: ts.CompilerOptions;
  /** Path of the cell that is compiled. */
  readonly cellFile: string;
  readonly service: ts.LanguageService;
  private readonly earlierFile: string;
  private readonly texts: Texts = new Map();
  private readonly host: ts.LanguageServiceHost;
  private versions = 0;
  /** Files whose imports were not found: they are looked for again in the next program. */
  private unresolved: ReadonlySet<string> = new Set();
  /** What was read, by path; as long as a file keeps its version it is not read again. */
  private readonly snapshots = new Map<string, { version: string; snapshot: ts.IScriptSnapshot }>();
  /** The versions of files in the program that is made now. */
  private readonly current = new Map<string, string>();

  constructor(private readonly folder: string) {
    this.options = cellOptions(folder);
    this.cellFile = path.join(folder, '__cell__.ts');
    this.earlierFile = path.join(folder, '__earlier__.d.ts');
    this.host = this.makeHost();
    this.service = ts.createLanguageService(this.host, ts.createDocumentRegistry(true, folder));
  }

  /** The program for a cell after cells with these declarations. */
  with(declarations: string, cell: string): CellProgram {
    this.current.clear();
    this.setText(this.earlierFile, `${declarations}\nexport {};\n`);
    this.setText(this.cellFile, cell);
    const program = this.service.getProgram()!;
    const checker = program.getTypeChecker();
    const earlier = program.getSourceFile(this.earlierFile)!;
    const file = program.getSourceFile(this.cellFile)!;
    // Names are looked up from the inside out: after the cell's own come those of earlier cells.
    (file as { parent: ts.Node }).parent = earlier;
    return { program, checker, cell: file, earlier };
  }

  /** Notes the files in which the program does not find what they import. */
  noteUnresolved(files: Iterable<string>): void {
    this.unresolved = new Set(files);
  }

  /** Makes `source` the file `name`.ts beside the notebook, without writing it; its path. */
  setModule(name: string, source: string): string {
    const file = path.join(this.folder, `${name}.ts`);
    this.setText(file, source);
    return file;
  }

  /** The text of a file of the notebook's own; `undefined` when there is none. */
  textOf(file: string): string | undefined {
    const text = this.texts.get(file)?.text;
    if (text !== undefined) return text;
    try {
      return fs.readFileSync(file, 'utf8');
    } catch {
      return undefined;
    }
  }

  /** The file of the notebook's own that `specifier` names in `from`; `null` for packages and for what is missing. */
  resolveLocal(specifier: string, from: string): string | null {
    const { resolvedModule: found } = ts.resolveModuleName(specifier, from, this.options, this.host);
    if (found === undefined || found.isExternalLibraryImport || /\.d\.[cm]?ts$/.test(found.resolvedFileName))
      return null;
    return found.resolvedFileName.includes('/node_modules/') ? null : found.resolvedFileName;
  }

  private setText(file: string, text: string): void {
    if (this.texts.get(file)?.text !== text) this.texts.set(file, { text, version: ++this.versions });
  }

  private makeHost(): ts.LanguageServiceHost {
    const { folder, texts } = this;
    const real = (file: string): string => insideKit(folder, file) ?? file;
    return {
      getCompilationSettings: () => this.options,
      getCurrentDirectory: () => folder,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      getScriptFileNames: () => [this.earlierFile, this.cellFile, ...this.modules()],
      getScriptVersion: (file) => this.versionOf(file),
      getScriptSnapshot: (file) => this.snapshotOf(file),
      fileExists: (file) => texts.has(file) || ts.sys.fileExists(real(file)),
      readFile: (file) => texts.get(file)?.text ?? ts.sys.readFile(real(file)),
      directoryExists: (name) => name === path.join(folder, 'node_modules') || ts.sys.directoryExists(real(name)),
      getDirectories: (name) => ts.sys.getDirectories(real(name)),
      readDirectory: (name, ...rest) => ts.sys.readDirectory(real(name), ...rest),
      realpath: (file) => (texts.has(file) ? file : ts.sys.realpath!(real(file))),
      useCaseSensitiveFileNames: () => true,
      hasInvalidatedResolutions: (file: string) => this.unresolved.has(file),
    } as ts.LanguageServiceHost;
  }

  private versionOf(file: string): string {
    const own = this.texts.get(file);
    if (own !== undefined) return String(own.version);
    let version = this.current.get(file);
    if (version === undefined) this.current.set(file, (version = versionOf(insideKit(this.folder, file) ?? file)));
    return version;
  }

  private snapshotOf(file: string): ts.IScriptSnapshot | undefined {
    const version = this.versionOf(file);
    const known = this.snapshots.get(file);
    if (known?.version === version) return known.snapshot;
    const text = this.texts.get(file)?.text ?? ts.sys.readFile(insideKit(this.folder, file) ?? file);
    if (text === undefined) return undefined;
    const snapshot = ts.ScriptSnapshot.fromString(text);
    this.snapshots.set(file, { version, snapshot });
    return snapshot;
  }

  private modules(): string[] {
    return [...this.texts.keys()].filter((file) => file !== this.cellFile && file !== this.earlierFile);
  }
}

const LIBRARY = path.dirname(ts.getDefaultLibFilePath({}));

/** A text that changes when the file does. */
function versionOf(file: string): string {
  if (path.dirname(file) === LIBRARY) return '0';
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? 'missing' : `${stat.mtimeMs} ${stat.size}`;
}
