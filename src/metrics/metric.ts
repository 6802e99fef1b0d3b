// A metric: one number from the predictions of a run. It cannot change a run, and is no part of its identity.
import { callSite, Registry } from '../base/definitions/registry';
import { classificationMetrics, type ClassificationMetrics } from './classification';
import type { LabelledLogits } from './logits';

/** A metric as it is defined. */
export interface MetricInput {
  /** With a slash (`jdoe/auroc`), unless it is the kit's own. */
  name: string;
  /** For tables. Default: the name. */
  title?: string;
  /** Paper or code that it comes from. Default: empty. */
  source?: string;
  /** Whether it is a fraction in [0, 1], which tables show in percent. Default true. */
  isFraction?: boolean;
  /** Digits after the point in tables. Default 2. */
  digits?: number;
  /** The number; `null` where it is not defined, for example with too few classes. A pure function. */
  measure(predictions: LabelledLogits): number | null;
}

/** A metric with its defaults. */
export type Metric = Required<MetricInput>;

/** All metrics, in the order of tables. */
export const metrics = new Registry<Metric>('metric');

/**
 * Defines a metric. Runs that end afterwards record it; `withMetrics` computes it for runs that have ended before.
 * Tables of metrics and frames of runs have a column for it.
 * @throws KitError for a name without a slash, or one that another file has taken.
 */
export function defineMetric(input: MetricInput): Metric {
  const metric = { title: input.name, source: '', isFraction: true, digits: 2, ...input };
  return metrics.add(metric.name, metric, callSite(defineMetric));
}

const SCIKIT_LEARN = 'scikit-learn, sklearn.metrics';

/** The kit's own metrics, as every record has them. */
const BUILT_IN: readonly (Omit<MetricInput, 'name' | 'measure'> & { name: keyof ClassificationMetrics })[] = [
  { name: 'top1', title: 'Top-1', source: SCIKIT_LEARN },
  { name: 'meanPerClass', title: 'Mean per class', source: SCIKIT_LEARN },
  { name: 'macroF1', title: 'Macro F1', source: SCIKIT_LEARN },
  { name: 'top5', title: 'Top-5', source: SCIKIT_LEARN },
  { name: 'nll', title: 'NLL', source: SCIKIT_LEARN, isFraction: false, digits: 3 },
  { name: 'ece', title: 'Calibration error', source: 'Guo et al., ICML 2017' },
];
for (const metric of BUILT_IN)
  defineMetric({ ...metric, measure: (predictions) => classificationMetrics(predictions)[metric.name] });

/** The numbers of a run by the names of the metrics: the kit's own, and those that a study defines. */
export type RunMetrics = ClassificationMetrics & Record<string, number | null>;

/**
 * All metrics of `predictions`. A metric of a study gets a copy of them; one that fails is left out.
 * @param onProblem receives one sentence for each metric that failed.
 */
export function measureAll(predictions: LabelledLogits, onProblem: (text: string) => void): RunMetrics {
  const found: RunMetrics = { ...classificationMetrics(predictions) };
  for (const { name, measure } of metrics.list().filter((metric) => !metrics.isBuiltIn(metric.name))) {
    const { logits, labels, classes } = predictions;
    try {
      const value: unknown = measure({ logits: logits.slice(), labels: labels.slice(), classes });
      if (value === null || (typeof value === 'number' && Number.isFinite(value))) found[name] = value;
      else onProblem(`The metric "${name}" gives ${String(value)}, not a finite number or null. It is left out.`);
    } catch (error) {
      onProblem(`The metric "${name}" failed and is left out: ${(error as Error).message}`);
    }
  }
  return found;
}
