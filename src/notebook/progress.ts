// One progress bar in a notebook, updated in place: the saved file holds its last state, which is the same every time.
import { randomUUID } from 'node:crypto';
import type { OnProgress, Progress } from '../engine/progress';
import { escapeHtml } from '../report/markup';
import { kernelPublish, type Publish } from './display';

/** Where a bar is shown and what its clock is; both are found by themselves. */
export interface ProgressBarOptions {
  /** Default: the kernel's; outside a kernel finished tasks are printed. */
  publish?: Publish | null;
  /** Milliseconds; default `performance.now`. */
  now?: () => number;
  /** Shortest time between two updates, milliseconds. Default 200. */
  interval?: number;
}

interface Task extends Progress {
  /** When the pace began to be measured, and `done` then: what was done before the task was first heard of took no time that is known. */
  began: number;
  from: number;
}

/**
 * A receiver of progress that shows one bar for each running task, with percent and time left. A finished task's bar goes; after the
 * last one a line stays: `all runs: 24 epochs`.
 */
export function progressBar(options: ProgressBarOptions = {}): OnProgress {
  const { publish = kernelPublish(), now = () => performance.now(), interval = 200 } = options;
  const id = randomUUID();
  const running = new Map<string, Task>();
  let shownAt: number | null = null;
  return (progress) => {
    const known = running.get(progress.task);
    // `total` may change, and `done` with it (finished runs are taken out of both): the pace stays, unless less is done than when it began.
    const pace = known && progress.done >= known.from ? known : { began: now(), from: progress.done };
    const task: Task = { ...progress, began: pace.began, from: pace.from };
    const isDone = progress.done >= progress.total;
    if (isDone) running.delete(progress.task);
    else running.set(progress.task, task);
    if (publish === null) {
      if (isDone) console.log(doneText(task));
      return;
    }
    const isLast = isDone && running.size === 0;
    if (!isLast && shownAt !== null && now() - shownAt < interval) return;
    const tasks = [...running.values()];
    const bundle = isLast
      ? { 'text/html': `<div>${escapeHtml(doneText(task))}</div>`, 'text/plain': doneText(task) }
      : { 'text/html': tasks.map((each) => barHtml(each, now())).join('\n'), 'text/plain': tasks.map((each) => barText(each, now())).join('\n') };
    publish(bundle, { id, update: shownAt !== null });
    shownAt = now();
  };
}

/** What stays of a task: nothing that differs from one time to the next. */
function doneText({ task, total, unit }: Progress): string {
  return `${task}: ${total} ${unit}`;
}

/** `1 h 05 min`, `2 min 05 s` or `9 s`; empty as long as nothing can be said. */
function timeLeft({ done, from, total, began }: Task, now: number): string {
  if (done <= from || now <= began) return '';
  const seconds = Math.round(((now - began) / 1000) * ((total - done) / (done - from)));
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} min left`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s left` : `${seconds} s left`;
}

function stateOf(task: Task, now: number): string {
  const percent = task.total > 0 ? `${Math.floor((100 * task.done) / task.total)} %` : '';
  return [percent, timeLeft(task, now), task.detail ?? ''].filter(Boolean).join(' · ');
}

function barText(task: Task, now: number): string {
  const filled = task.total > 0 ? Math.floor((20 * task.done) / task.total) : 0;
  return `${task.task} ${'█'.repeat(filled)}${'░'.repeat(20 - filled)} ${stateOf(task, now)}`;
}

function barHtml(task: Task, now: number): string {
  return `<div><progress value="${task.done}" max="${task.total}" style="width:16em;vertical-align:middle"></progress> ${escapeHtml(task.task)} · ${escapeHtml(stateOf(task, now))}</div>`;
}
