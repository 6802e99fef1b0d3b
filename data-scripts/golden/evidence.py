"""Golden values of src/analysis/statistics/{holm,mcnemar,pooled,power,statistics}.ts, from scipy and statsmodels.

    python data-scripts/golden/evidence.py > test/fixtures/analysis/evidence.json
"""
import json

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower


def t_test(values, value):
    return {"values": values, "value": value, "p": stats.ttest_1samp(values, value).pvalue}


def holm(p):
    return {"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()}


def power(effect, n, level=0.05):
    return {"effect": effect, "n": n, "level": level, "power": TTestPower().power(effect, n, level, alternative="two-sided")}


def size(effect):
    n = 2
    while TTestPower().power(effect, n, 0.05, alternative="two-sided") < 0.8:
        n += 1
    return {"effect": effect, "n": n}


def detectable(n):
    found = TTestPower().solve_power(nobs=n, alpha=0.05, power=0.8, alternative="two-sided")
    return {"n": n, "effect": float(found)}


def pooled(effects, variances):
    result = combine_effects(
        np.array(effects), np.array(variances), method_re="iterated", use_t=True, atol=1e-14, alpha=0.05, maxiter=10000
    )
    low, high = result.conf_int(use_t=True)[3]
    return {
        "effects": effects,
        "variances": variances,
        "effect": float(result.mean_effect_re),
        "between": float(result.tau2),
        "standardError": float(result.sd_eff_w_re_hksj),
        "interval": [float(low), float(high)],
    }


def paired(both, treated_only, control_only, neither):
    test = mcnemar([[both, treated_only], [control_only, neither]], exact=True)
    return {"table": [both, treated_only, control_only, neither], "p": float(test.pvalue)}


print(
    json.dumps(
        {
            "from": f"scipy {scipy.__version__}, statsmodels {statsmodels.__version__}",
            "tTests": [
                t_test([1.9, 1.3, 2.4], 0),
                t_test([1.9, 1.3, 2.4], 0.5),
                t_test([0.5, -1.0, 0.25, 2.0, 0.75], 0),
                t_test([3.0, 3.1, 2.9, 3.05, 2.95, 3.02], 0),
            ],
            "holm": [holm([0.01, 0.04, 0.03, 0.005]), holm([0.2, 0.2, 0.9]), holm([0.001, 0.6, 0.015, 0.02, 0.04])],
            "powers": [power(0.5, 10), power(1.0, 3), power(2.5, 2), power(0.1, 200), power(0.0, 7), power(1.2, 5, 0.01)],
            "sizes": [size(0.25), size(0.5), size(1.0), size(3.0)],
            "detectable": [detectable(n) for n in (3, 5, 10, 50)],
            "pooled": [
                pooled([1.2, 0.4, -0.3, 0.9], [0.04, 0.09, 0.05, 0.12]),
                pooled([1.0, 1.1, 0.95], [0.2, 0.3, 0.25]),
                pooled([2.0, -0.5], [0.1, 0.2]),
            ],
            "mcnemar": [paired(120, 14, 5, 61), paired(10, 0, 6, 4), paired(50, 3, 3, 0), paired(400, 60, 41, 55)],
        },
        indent=1,
    )
)
