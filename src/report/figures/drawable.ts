// Which methods a figure can draw: none of whose runs failed, as an average over what is left would flatter it.
import type { RunGroup } from '../comparison/grouping';

/**
 * The groups without the methods of which a run failed, and what a caption says of those: empty when there are none.
 */
export function drawable(groups: readonly RunGroup[]): { groups: RunGroup[]; note: string } {
  const failed: string[] = [];
  const whole = groups.map((group) => ({
    ...group,
    methods: group.methods.filter(({ label, records }) => {
      const failures = records.filter(({ status }) => status === 'failed').length;
      if (failures > 0)
        failed.push(
          `${label}${groups.length > 1 ? ` on ${group.label}` : ''} (${failures} of ${records.length} runs failed)`,
        );
      return failures === 0;
    }),
  }));
  return {
    groups: whole.filter(({ methods }) => methods.length > 0),
    note: failed.length === 0 ? '' : ` Not drawn: ${failed.join(', ')}.`,
  };
}
