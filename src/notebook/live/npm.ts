// npm as a program.
import { execFile } from 'node:child_process';

/** Most bytes of npm's output, which lists each file of a package. */
const MOST_OUTPUT = 64 * 2 ** 20;

/** Runs npm in `folder`; its standard output. @throws when it fails: see `npmSentence`. */
export function npm(args: readonly string[], folder: string, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile('npm', args, { cwd: folder, signal, maxBuffer: MOST_OUTPUT }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(Object.assign(error, { stderr }));
    }),
  );
}

/** What a failed npm has to say: it prints its code and the path of its log around the sentence. */
export function npmSentence(error: unknown): string {
  const sentence = String((error as { stderr?: string }).stderr ?? '')
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
    .find((line) => line !== '' && !/^(code|errno|syscall|path|dest|npm warn|A complete log)\b/i.test(line));
  return sentence ?? (error as Error).message;
}
