// What the kernel says about itself and its language.
import { kitVersion } from '../../base/home';
import { typescriptVersion } from './compiler/converter';
import type { Reply } from './server';

/** The reply to a kernel_info_request. */
export function kernelInfo(): Reply {
  return {
    protocol_version: '5.3',
    implementation: 'rifle-kit',
    implementation_version: kitVersion(),
    banner: `rifle-kit ${kitVersion()}: TypeScript ${typescriptVersion} on Node ${process.versions.node}`,
    language_info: {
      name: 'typescript',
      version: typescriptVersion,
      mimetype: 'text/typescript',
      file_extension: '.ts',
      pygments_lexer: 'typescript',
      codemirror_mode: { name: 'javascript', typescript: true },
    },
    help_links: [],
  };
}
