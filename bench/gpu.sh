#!/usr/bin/env bash
# All that is to be checked and measured on a machine with one NVIDIA GPU, in one go, into one file: bench/results/gpu-<date>.json.
#
#   bench/gpu.sh [--dry-run] [--only STAGE,STAGE]
#
# A stage that fails is noted and the rest goes on; at the end stands what failed, and the exit code is 1 if anything did.
# --dry-run goes the same way on the CPU with the least work: it shows that every command is right, its numbers mean nothing.
# RIFLE_BENCH_PYTHON (bench/README.md) names Pythons that have the peers; without it they are installed.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit

dry=''
only=''
while [ $# -gt 0 ]; do
  case "$1" in
    --dry-run) dry=yes ;;
    --only) only=",${2:?--only needs the names of stages},"; shift ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  shift
done

if [ -n "$dry" ]; then
  export RIFLE_DEVICE=cpu
  networks=(mobilenet_v2) batches=(2) size=(--image-size 64 --rounds 2 --steps 1) experiment=(--epochs 2 --seeds 1 --rounds 1)
  peers=()
else
  export RIFLE_DEVICE=gpu
  nvidia-smi >/dev/null 2>&1 || { echo 'There is no NVIDIA driver here (nvidia-smi fails). --dry-run works without.' >&2; exit 1; }
  networks=(resnet50 mobilenet_v2 efficientnet_b0 densenet169 inception_v3) batches=(32 128) size=(--rounds 5 --steps 20) experiment=(--epochs 40 --seeds 3 --rounds 3)
  peers=(--gpu)
fi

contenders=(ours pytorch pytorch-channels-last pytorch-compile keras keras-jit tfjs)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=()

# stage NAME COMMAND...: runs it, keeps what it prints, how long it took and how it ended.
stage() {
  local name=$1 began=$SECONDS code
  shift
  case "$only" in '' | *",$name,"*) ;; *) return ;; esac
  printf '\n== %s: %s\n' "$name" "$*"
  "$@" >"$work/$name.out" 2> >(tee "$work/$name.err" >&2)
  code=$?
  printf '%s' "$code" >"$work/$name.code"
  printf '%s' "$((SECONDS - began))" >"$work/$name.seconds"
  [ "$code" -eq 0 ] || failed+=("$name")
  printf '== %s: exit code %s after %s s\n' "$name" "$code" "$((SECONDS - began))"
}

bench() { node dist/bench/main.js "$@"; }

stage setup npm run --silent setup
stage doctor npx --no-install rifle doctor --json
stage driver nvidia-smi
# One environment for each peer: PyTorch and TensorFlow bring different cuDNNs.
[ -n "${RIFLE_BENCH_PYTHON:-}" ] || stage peers bench peers "${peers[@]}"
stage placement bench placement --json
stage precision npx --no-install mocha 'dist/test/**/*precision*.test.js'
stage tests npx --no-install mocha 'dist/test/engine/*.test.js' 'dist/test/backbones/*.test.js' 'dist/test/transfer/*.test.js'
for precision in float32 bfloat16; do
  stage "train-step-$precision" bench train-step --network "${networks[@]}" --batch "${batches[@]}" "${size[@]}" --contenders "${contenders[@]}" --precision "$precision" --json
done
stage end-to-end bench end-to-end "${experiment[@]}" --json
stage startup bench startup --rounds 2 --json
stage memory bench memory --steps "$([ -n "$dry" ] && echo 20 || echo 1000)" --json

# One file of everything: what is JSON as such, the end of the rest as text.
file=bench/results/gpu-$(date -u +%F)${dry:+-dry-run}.json
mkdir -p bench/results
node - "$work" "$file" <<'NODE'
const fs = require('node:fs');
const [folder, file] = process.argv.slice(2);
const read = (name, ending) => fs.readFileSync(`${folder}/${name}.${ending}`, 'utf8').trim();
const output = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return text.split('\n').slice(-40);
  }
};
const stages = fs.readdirSync(folder).filter((name) => name.endsWith('.code')).map((entry) => {
  const name = entry.slice(0, -'.code'.length);
  const code = Number(read(name, 'code'));
  return [name, { code, seconds: Number(read(name, 'seconds')), output: output(read(name, 'out')), ...(code === 0 ? {} : { errors: read(name, 'err').split('\n').slice(-40) }) }];
});
const text = JSON.stringify({ date: new Date().toISOString().slice(0, 10), stages: Object.fromEntries(stages) }, null, 2);
// A result names no folder of the machine that it was made on.
fs.writeFileSync(file, `${[process.cwd(), require('node:os').homedir()].reduce((all, place) => all.replaceAll(place, '.'), text)}\n`);
NODE
echo "All of it: $file"
if [ ${#failed[@]} -gt 0 ]; then
  echo "Failed: ${failed[*]}"
  exit 1
fi
