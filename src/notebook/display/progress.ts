// One progress bar in a notebook, updated in place: the saved file holds its last state, which is the same every time.
import { Pace, type OnProgress, type Progress } from '../../base/progress';
import { html, htmlLines, type Html } from '../../report/table/markup';
import { inPlace, kernelPublish, type Publish } from './display';

/** The output and the clock of a bar. Both have defaults. */
export interface ProgressBarOptions {
  /** Default: the kernel's; outside a kernel finished tasks are printed. */
  publish?: Publish | null;
  /** Milliseconds; default `performance.now`. */
  now?: () => number;
  /** Shortest time between two updates, milliseconds. Default 200. */
  interval?: number;
}

interface Task extends Progress {
  pace: Pace;
}

/**
 * A receiver of progress that shows one bar for each running task, with percent and time left. The bar of a finished
 * task is removed; a line remains after the last one: `all runs: 24 epochs`.
 */
export function progressBar(options: ProgressBarOptions = {}): OnProgress {
  const { publish = kernelPublish(), now = () => performance.now(), interval = 200 } = options;
  const replace = publish && inPlace(publish);
  const running = new Map<string, Task>();
  let shownAt: number | null = null;
  return (progress) => {
    const task: Task = { ...progress, pace: running.get(progress.task)?.pace ?? new Pace(now) };
    task.pace.note(progress);
    const isDone = progress.done >= progress.total;
    if (isDone) running.delete(progress.task);
    else running.set(progress.task, task);
    if (replace === null) {
      if (isDone) console.log(doneText(task));
      return;
    }
    const isLast = isDone && running.size === 0;
    if (!isLast && shownAt !== null && now() - shownAt < interval) return;
    const tasks = [...running.values()];
    const bundle = isLast
      ? { 'text/html': html`<div>${doneText(task)}</div>`.toString(), 'text/plain': doneText(task) }
      : { 'text/html': htmlLines(tasks.map(barHtml)).toString(), 'text/plain': tasks.map(barText).join('\n') };
    replace(bundle);
    shownAt = now();
  };
}

/** The remaining line of a task. It is the same for every run, so that saved notebooks do not change. */
function doneText({ task, total, unit }: Progress): string {
  return `${task}: ${total} ${unit}`;
}

function stateOf(task: Task): string {
  const percent = task.total > 0 ? `${Math.floor((100 * task.done) / task.total)} %` : '';
  return [percent, task.pace.timeLeft(task), task.detail ?? ''].filter(Boolean).join(' · ');
}

function barText(task: Task): string {
  const filled = task.total > 0 ? Math.floor((20 * task.done) / task.total) : 0;
  return `${task.task} ${'█'.repeat(filled)}${'░'.repeat(20 - filled)} ${stateOf(task)}`;
}

function barHtml(task: Task): Html {
  const { done, total } = task;
  const bar = html`<progress value="${done}" max="${total}" style="width:16em;vertical-align:middle"></progress>`;
  return html`<div>${bar} ${task.task} · ${stateOf(task)}</div>`;
}
