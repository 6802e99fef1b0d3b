// Packages that take long to load. Each is loaded on its first use, so that importing the kit and `rifle --help` stay
// fast. Types come from `import type`, which loads nothing.

/** Reads, resizes and writes images. */
export const sharp = (): typeof import('sharp') => require('sharp') as typeof import('sharp');

/** HTTP requests. */
export const undici = (): typeof import('undici') => require('undici') as typeof import('undici');

/** Sockets between a notebook and its kernel. */
export const zeromq = (): typeof import('zeromq') => require('zeromq') as typeof import('zeromq');

/** Tar archives. */
export const tar = (): typeof import('tar') => require('tar') as typeof import('tar');
