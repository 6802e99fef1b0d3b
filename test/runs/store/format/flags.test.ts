import assert from 'node:assert/strict';
import { environmentOf } from '../../../../src/runs/ray/ray-request';
import { environment } from '../../../../src/runs/store/format/environment';
import { recordedFlags, TENSORFLOW_FLAGS } from '../../../../src/runs/store/format/flags';
import { parseRunSpec } from '../../../../src/transfer/spec/spec';

const SECRETS = {
  TF_TOKEN_app_terraform_io: 'SECRET',
  TF_VAR_db_password: 'SECRET',
  TF_CLI_CONFIG_FILE: 'SECRET',
  TF_CONFIG: '{"cluster":{"worker":["SECRET:1"]}}',
};

describe('settings that are recorded', () => {
  const before = { ...process.env };
  beforeEach(() => Object.assign(process.env, SECRETS, { TF_DETERMINISTIC_OPS: '1' }));
  afterEach(() => {
    for (const name of Object.keys(SECRETS)) delete process.env[name];
    Object.assign(process.env, before);
  });

  it('are a list of names, and no secret of another program is among them', () => {
    assert.equal(recordedFlags(process.env).TF_DETERMINISTIC_OPS, '1');
    assert.deepEqual([...TENSORFLOW_FLAGS].sort(), [...TENSORFLOW_FLAGS]);
    assert.ok(!JSON.stringify(environment()).includes('SECRET'));
  });

  it('are the only ones of a job on a cluster; the address of MLflow has no login there', () => {
    const task = {
      spec: parseRunSpec({ dataset: 'elpv', backbone: 'b' }),
      runs: '/runs',
      keepWeights: false,
      device: null,
      busy: 'wait' as const,
      tracking: { mlflow: 'http://alice:SECRET@host/?key=SECRET' },
    };
    const variables = environmentOf(task, 2);
    assert.ok(!JSON.stringify(variables).includes('SECRET'), JSON.stringify(variables));
    assert.match(variables.RIFLE_RAY_TASK, /"mlflow":"http:\/\/host\/"/);
  });
});
