// What XState does: reads lines {"config", "word", "names", "period"}, writes what is active, what
// actions are called and which tags there are at the start and after each event.
const { createMachine, createActor, SimulatedClock } = require('xstate');
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter((line) => line);
for (const line of lines) {
  const { config, word, names, period } = JSON.parse(line);
  const steps = [];
  let called = [];
  let failure = null;
  try {
    const actions = Object.fromEntries(names.map((name) => [name, () => called.push(name)]));
    const clock = new SimulatedClock();
    const machine = createMachine({ ...config, options: { maxIterations: 200 } }, { actions });
    const actor = createActor(machine, { clock });
    actor.subscribe({ error: (error) => (failure = error), next() {} });
    actor.start();
    for (const event of [null, ...word]) {
      if (event === 'tick') clock.increment(period);
      else if (event) actor.send({ type: event });
      if (failure) throw failure;
      const now = actor.getSnapshot();
      const active = now._nodes.filter((node) => node.parent).map((node) => node.path.join('.'));
      steps.push([active.sort(), [...new Set(called)].sort(), [...now.tags].sort(), now.status]);
      called = [];
      if (now.status !== 'active') break;
    }
    console.log(JSON.stringify({ steps }));
  } catch (error) {
    console.log(JSON.stringify({ steps, error: String(error.message).slice(0, 200) }));
  }
}
