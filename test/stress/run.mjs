/** `npm run stress`: rounds and kills on real threads; `npm run stress -- --help` tells the options. */
import { Stress } from './harness.mjs';
import { killFailures, printKills } from './kills-report.mjs';
import { OptionError, USAGE, parseOptions } from './options.mjs';
import { ProcessStress, printProcesses, processFailures } from './processes.mjs';
import { Rounds } from './rounds.mjs';
import { roundsTable } from './rounds-report.mjs';

const amount = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function readOptions() {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    console.error(`${error.message}\nnpm run stress -- --help tells the options.`);
    process.exit(2);
  }
}

function duration(seconds) {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  if (seconds < 6000) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

const { seed, json, help, rounds, kills, processes } = readOptions();
if (help) {
  console.log(USAGE);
  process.exit();
}
const say = (...what) => json || console.log(...what);
/** The line that is overwritten, on a terminal. */
const show = (line) => {
  if (!json && process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
};

async function runRounds() {
  const total = rounds.sections * rounds.primitives.length;
  say(`rounds: ${amount.format(total)} sections, --seed ${seed}, Node.js ${process.version}`);
  const result = await new Rounds({ seed, ...rounds }).run((now) => {
    const done = `${amount.format(now.sections)} sections (${Math.floor((now.sections / total) * 100)} %)`;
    show(
      `${now.primitive}: round ${now.rounds}, ${done}, ${amount.format(now.rate)}/s, ${duration(now.eta)} left`,
    );
  });
  show('');
  if (!json) console.table(roundsTable(result));
  say(
    `${amount.format(result.sections)} sections in ${result.rounds} rounds, ${duration(result.seconds)}, ${amount.format(result.sections / result.seconds)}/s\n`,
  );
  return result;
}

async function runKills() {
  const { terminations, seconds, workers } = kills;
  const limits = [
    ...(terminations < Infinity ? [`${amount.format(terminations)} terminations`] : []),
    ...(seconds < Infinity ? [`${seconds} s`] : []),
  ];
  say(`kills: ${limits.join(' or ')}, ${workers} workers, --seed ${seed}, Node.js ${process.version}`);
  const result = await new Stress({ seed, ...kills }).run(kills, (now) => {
    const rate = now.terminations / now.elapsed;
    const left = Math.min(seconds - now.elapsed, (terminations - now.terminations) / rate);
    show(
      `${now.kills} kills, ${rate.toFixed(1)}/s, ${amount.format(now.sections)} sections, ${duration(left)} left`,
    );
  });
  show('');
  if (!json) printKills(result);
  return result;
}

async function runProcesses() {
  say(`processes: ${processes.seconds} s, --seed ${seed}, Node.js ${process.version}`);
  const result = await new ProcessStress({ seed }).run(processes);
  if (!json) printProcesses(result);
  return result;
}

const roundsResult = rounds && (await runRounds());
const killsResult = kills && (await runKills());
const processesResult = processes && (await runProcesses());
const failures = [
  ...(roundsResult?.failures ?? []),
  ...(killsResult === undefined ? [] : killFailures(killsResult, kills)),
  ...(processesResult === undefined ? [] : processFailures(processesResult, processes)),
];
if (json)
  console.log(
    JSON.stringify(
      { seed, rounds: roundsResult, kills: killsResult, processes: processesResult, failures },
      null,
      2,
    ),
  );
for (const failure of failures) console.error(`FAILED: ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
