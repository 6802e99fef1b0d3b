// The error for an extension that cannot be loaded: the file, the line, and the reason.
import { KitError } from '../errors';
import { kitFolder, originText } from './registry';

/** What `error`, thrown while `file` was loaded, says of it. */
export function extensionError(file: string, error: unknown): KitError {
  const { text, place } = reasonOf(file, error);
  const importer = place.file === file ? '' : ` (imported by ${originText({ file, line: null })})`;
  const where = originText(place);
  if (error instanceof KitError)
    return error.message.includes(where)
      ? error
      : new KitError(`${where}${importer}: ${error.message}`, { code: error.code, fix: error.fix, cause: error });
  return new KitError(`${where}${importer}: The extension could not be loaded: ${text}`, {
    code: 'EXTENSION_FAILED',
    fix: 'Correct the file.',
    cause: error,
  });
}

interface Place {
  file: string;
  line: number | null;
}

/** The reason in one line, and where it was thrown. */
function reasonOf(file: string, error: unknown): { text: string; place: Place } {
  if (!(error instanceof Error)) return { text: String(error), place: { file, line: null } };
  // The parser writes the place below its message.
  const syntax = /^ParseError: (.*?)\s*\n\s*(\/.*|\w:\\.*):(\d+):\d+\s*$/s.exec(error.message);
  if (syntax !== null)
    return { text: `SyntaxError: ${syntax[1].trim()}`, place: { file: syntax[2], line: Number(syntax[3]) } };
  const [first] = error.message.split('\n');
  const places = placesIn(error.stack ?? '');
  const own = places.filter((each) => !each.file.startsWith(kitFolder) && !/[\\/]node_modules[\\/]/.test(each.file));
  return { text: `${error.name}: ${first}`, place: own[0] ?? { file, line: null } };
}

/** The files and lines of a stack, innermost first. */
const placesIn = (stack: string): Place[] =>
  [...stack.matchAll(/^\s+at (?:.*\()?(?:file:\/\/)?((?:\/|\w:\\).+?):(\d+):\d+\)?$/gm)].map(([, file, line]) => ({
    file,
    line: Number(line),
  }));
