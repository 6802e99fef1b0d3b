// Tests that need a file of a registry: where no registry answers, they are skipped and say so.
import { KitError } from '../../src/base/errors';

/** What `fetch` gives, or nothing where there is no network: then the tests that need it are skipped. */
export async function unlessOffline<T>(context: Mocha.Context, fetch: () => Promise<T>): Promise<T> {
  try {
    return await fetch();
  } catch (error) {
    if (error instanceof KitError && error.code === 'PACKAGE_REGISTRY_UNREACHABLE') context.skip();
    throw error;
  }
}
