"use strict";
// The page runs its network: a neuron fires where its drive, W z - gain * sum(z), is above 0 and
// the mask leaves it open. Weights are whole numbers and sums are exact, until noise is asked for.
(() => {
  const t = JSON.parse(document.getElementById("network").textContent);
  const at = id => document.getElementById(id);
  const REST = 0;
  const THRESHOLD = 0.5, LEAD = 0.25; // Of similarities: what an activity stands for.
  const MISSED = 0.01; // Chance that some neuron is not updated in a step's time.
  const SHOWN = 240; // Steps in the raster at most.
  const LEAST = 0.15, MOST = 6; // Similarities that have a bar.

  // ---- the network

  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer;
  const N = t.neurons;
  const whole = t.wide ? new Int16Array(bytes(t.weights)) : new Int8Array(bytes(t.weights));
  const targets = t.targets ? new Uint32Array(bytes(t.targets)) : null;
  const starts = t.starts ? new Uint32Array(bytes(t.starts)) : null;
  const packed = new Uint8Array(bytes(t.opens));
  const perMask = Math.ceil(N / 8);
  const opens = Array.from({ length: t.inputs.length + 1 }, (_, mask) =>
    Uint8Array.from({ length: N }, (_, i) => (packed[mask * perMask + (i >> 3)] >> (7 - (i & 7))) & 1));
  const openNumber = opens.map(open => open.reduce((sum, bit) => sum + bit, 0));
  const openOf = opens.map(open =>
    t.codes.map(code => code.reduce((sum, i) => sum + open[i], 0)));
  const codesOf = Array.from({ length: N }, () => []);
  t.codes.forEach((code, c) => code.forEach(i => codesOf[i].push(c)));
  const place = new Uint32Array(N); // Of each neuron in the raster.
  t.order.forEach((neuron, row) => { place[neuron] = row; });

  let weights = whole; // As they are now: with noise, other numbers.
  const removed = new Uint8Array(N);

  function bits(neurons) {
    const found = new Uint8Array(N);
    for (const i of neurons) found[i] = 1;
    return found;
  }

  function drives(active) {
    const drive = new Float64Array(N);
    let count = 0;
    for (let j = 0; j < N; j++) {
      if (!active[j]) continue;
      count++;
      if (targets === null) {
        const row = j * N;
        for (let i = 0; i < N; i++) drive[i] += weights[row + i];
      } else {
        for (let s = starts[j]; s < starts[j + 1]; s++) drive[targets[s]] += weights[s];
      }
    }
    const inhibition = t.gain * count;
    for (let i = 0; i < N; i++) drive[i] -= inhibition;
    return drive;
  }

  // One step. Of the neurons that would change, each does with the probability `share`; what a mask
  // closes falls silent at once. -> what fires, and whether any would have changed.
  function step(active, mask, share) {
    const drive = drives(active), open = opens[mask], next = new Uint8Array(N);
    let changing = false;
    for (let i = 0; i < N; i++) {
      const may = open[i] && !removed[i];
      const was = active[i] && may ? 1 : 0, wanted = may && drive[i] > 0 ? 1 : 0;
      changing = changing || was !== wanted || was !== active[i];
      next[i] = was !== wanted && (share >= 1 || random() < share) ? wanted : was;
    }
    return { next, changing };
  }

  // Similarities with the codes, the largest first: hit rate less false alarm rate.
  function similarities(active, mask) {
    const open = opens[mask], hits = new Map();
    let seen = 0;
    for (let i = 0; i < N; i++) {
      if (!active[i] || !open[i]) continue;
      seen++;
      for (const code of codesOf[i]) hits.set(code, (hits.get(code) || 0) + 1);
    }
    const value = (code, hit) => {
      const wanted = openOf[mask][code];
      return hit / Math.max(wanted, 1) - (seen - hit) / Math.max(openNumber[mask] - wanted, 1);
    };
    const found = t.codes.map((_, code) => [code, value(code, hits.get(code) || 0)]);
    return found.sort((one, other) => other[1] - one[1] || one[0] - other[0]);
  }

  function decode(active, mask) {
    const found = similarities(active, mask);
    const second = found.length > 1 ? found[1][1] : -1;
    return found[0][1] > THRESHOLD && found[0][1] - second > LEAD ? found[0][0] : -1;
  }

  const stateOf = active => {
    const code = decode(active, REST);
    return code >= 0 && code < t.states.length ? code : -1;
  };

  // ---- disturbances

  let seed = 1;
  function random() { // Mulberry32.
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  }

  function normal() {
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  }

  let drawn = 1; // Number of the draw: another for other noise of the same strength.
  function disturb() {
    const noise = Number(at("noise").value), missing = Number(at("missing").value) / 100;
    if (noise === 0 && missing === 0) {
      weights = whole;
      return;
    }
    seed = drawn;
    weights = Float32Array.from(whole);
    const deviation = noise * t.deviation;
    for (let s = 0; s < weights.length; s++) {
      if (missing > 0 && random() < missing) weights[s] = 0;
      else if (deviation > 0) weights[s] += deviation * normal();
    }
  }

  const share = () => Number(at("share").value) / 100;
  const disturbed = () => weights !== whole || share() < 1 || removed.some(Boolean);

  // ---- a run

  let active, state, mealy, word, history, taken, correct, timer = null, tick = null, shown = 0;

  function record(mask) {
    history.push({ mask, active: active.slice(), input: word.length - 1 });
  }

  // Under a mask for the steps of the contract; longer where few neurons are updated per step.
  function phase(mask, steps) {
    const asynchronous = share() < 1;
    const most = asynchronous ? Math.ceil((steps * Math.log(N / MISSED)) / share()) : steps;
    for (let n = 0, quiet = 0; n < most && quiet < 2; n++) {
      const found = step(active, mask, share());
      quiet = asynchronous && !found.changing ? quiet + 1 : 0;
      active = found.next;
      record(mask);
    }
  }

  function reset() {
    history = []; word = []; mealy = []; taken = 0; correct = 0;
    state = t.initial;
    active = bits(t.codes[t.initial]);
    record(REST);
    phase(REST, t.gap);
    tell(null, 0);
  }

  function send(a) {
    const before = stateOf(active), from = history.length;
    word.push(a);
    phase(a + 1, t.hold);
    const held = decode(active, a + 1);
    phase(REST, t.gap);
    const outputs = t.mealy[state][a];
    mealy = held < 0 ? [] : t.shown[held][1];
    state = t.delta[state][a];
    taken++;
    const same = outputs.length === mealy.length && outputs.every((name, i) => name === mealy[i]);
    if (stateOf(active) === state && same) correct++;
    const cut = history.length > 8 * SHOWN ? history.length - 4 * SHOWN : 0;
    history = history.slice(cut);
    tell(before < 0 ? null : before, Math.max(0, from - cut));
  }

  // ---- what is shown

  function tellState(where, number) {
    const one = t.headings.length === 1, cells = number < 0 ? [] : t.cells[number];
    where.replaceChildren(number < 0 ? "(none)" : one ? t.states[number] : "");
    where.title = number < 0 ? "" : t.states[number];
    if (!one) cells.forEach((cell, i) => {
      if (!cell) return;
      const part = document.createElement("span"), heading = document.createElement("small");
      part.className = "part";
      heading.textContent = t.headings[i] + " ";
      part.append(heading, cell);
      where.append(part);
    });
  }

  function tell(from, first) {
    const found = stateOf(active);
    tellState(at("found"), found);
    at("found").className = found === state ? "agrees" : "differs";
    tellState(at("expected"), state);
    const outputs = mealy.concat(found < 0 ? [] : t.moore[found]);
    at("outputs").textContent = outputs.length ? outputs.join(", ") : "(none)";
    at("word").textContent = word.length ? "word: " + word.map(a => t.inputs[a]).join(" ") : "";
    at("word").scrollTop = at("word").scrollHeight;
    for (const each of document.querySelectorAll(".lit")) each.classList.remove("lit");
    const lit = document.querySelector('.node[data-state="' + found + '"]');
    if (lit) lit.classList.add("lit");
    const edge = from === null ? null
      : document.querySelector('.edge[data-from="' + from + '"][data-to="' + found + '"]');
    if (edge) edge.classList.add("lit");
    stand();
    animate(first);
  }

  function stand() {
    const count = removed.reduce((sum, bit) => sum + bit, 0);
    const told = taken ? correct + " of " + taken + " inputs correct" : "no input yet";
    at("standing").textContent = disturbed()
      ? "Disturbed: the proof says nothing of this network. " + told + "."
      : at("standing").dataset.verdict + " " + told + ".";
    at("removed").textContent = count + " of " + N + " neurons removed";
    at("noise-told").textContent = Number(at("noise").value).toFixed(1);
    at("missing-told").textContent = at("missing").value + " %";
    at("share-told").textContent = at("share").value + " %";
  }

  function show(index) {
    shown = index;
    const { mask, active: now } = history[index], bars = at("bars");
    at("step").max = history.length - 1;
    at("step").value = index;
    const held = mask ? "input " + t.inputs[mask - 1] + " held" : "rest";
    const count = now.reduce((sum, bit) => sum + bit, 0);
    at("told").textContent = "step " + index + " of " + (history.length - 1) + ": " + held + ", "
      + count + " neurons active";
    bars.replaceChildren();
    const best = decode(now, mask);
    for (const [code, value] of similarities(now, mask).slice(0, MOST)) {
      if (value < LEAST) break;
      const name = document.createElement("span"), track = document.createElement("div");
      const bar = document.createElement("i"), number = document.createElement("span");
      name.textContent = code < t.states.length
        ? t.cells[code].filter(Boolean).join(" | ") : t.names[code];
      name.title = t.names[code];
      bar.style.width = Math.min(100, 100 * value) + "%";
      if (code >= t.states.length) bar.className = "pending";
      if (code === best) name.style.fontWeight = 700;
      number.textContent = value.toFixed(2);
      track.append(bar);
      bars.append(name, track, number);
    }
    paint();
  }

  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function canvas(id, height) {
    const found = at(id), wide = found.clientWidth, ratio = window.devicePixelRatio || 1;
    found.style.height = height + "px";
    found.width = Math.round(wide * ratio);
    found.height = Math.round(height * ratio);
    const pen = found.getContext("2d");
    pen.scale(ratio, ratio);
    return { pen, wide };
  }

  const tall = Math.max(120, Math.min(260, N));
  function paintRaster() {
    const { pen, wide } = canvas("raster", tall + 18), from = Math.max(0, shown + 1 - SHOWN);
    const column = wide / Math.min(SHOWN, Math.max(60, history.length)), row = tall / N;
    let before = -1;
    pen.font = "11px system-ui, sans-serif";
    for (let n = from; n <= shown; n++) {
      const { mask, active: now, input } = history[n], x = (n - from) * column;
      if (mask) {
        pen.fillStyle = colour("--lit");
        pen.fillRect(x, 0, column + 0.5, tall);
        const name = t.inputs[mask - 1];
        if (input !== before && pen.measureText(name).width < (t.hold + t.gap) * column) {
          pen.fillStyle = colour("--soft");
          pen.fillText(name, x, tall + 13);
        }
        before = input;
      }
      pen.fillStyle = colour("--first");
      for (let i = 0; i < N; i++) {
        if (now[i]) pen.fillRect(x, place[i] * row, Math.max(1, column - 0.6), Math.max(1, row));
      }
    }
  }

  const across = Math.ceil(Math.sqrt(3 * N)), down = Math.ceil(N / across);
  let cell = 8;
  function paintNeurons() {
    const wide = at("neurons").clientWidth;
    cell = wide / across;
    const { pen } = canvas("neurons", Math.ceil(cell * down)), now = history[shown].active;
    for (let i = 0; i < N; i++) {
      const x = (place[i] % across) * cell, y = Math.floor(place[i] / across) * cell;
      pen.fillStyle = colour(removed[i] ? "--bad" : now[i] ? "--first" : "--line");
      pen.fillRect(x, y, Math.max(1, cell - 1), Math.max(1, cell - 1));
    }
  }

  function paint() {
    paintRaster();
    paintNeurons();
  }

  function animate(first) {
    clearInterval(tick);
    let index = first;
    const last = history.length - 1, stride = Math.max(1, Math.ceil((last - first) / 30));
    show(index);
    tick = setInterval(() => {
      if (index >= last) return clearInterval(tick);
      index = Math.min(last, index + stride);
      show(index);
    }, 45);
  }

  // ---- what visitors do

  function stop() {
    clearInterval(timer);
    timer = null;
    at("play").textContent = "play a random word";
    if (at("watch")) at("watch").textContent = "play what it sees";
  }

  function every(next, button, text) {
    if (timer) return stop();
    stop();
    button.textContent = text;
    if (next() === false) return stop();
    timer = setInterval(() => { if (next() === false) stop(); }, 1500);
  }

  at("inputs").addEventListener("click", event => {
    const button = event.target.closest("button");
    if (button) { stop(); send(Number(button.dataset.input)); }
  });
  at("reset").addEventListener("click", () => { stop(); reset(); });
  at("play").addEventListener("click", event => every(
    () => send(Math.floor(Math.random() * t.inputs.length)), event.currentTarget, "stop"));
  at("step").addEventListener("input", event => {
    clearInterval(tick);
    show(Number(event.target.value));
  });
  document.addEventListener("keydown", event => {
    const a = Number(event.key) - 1;
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    if (a >= 0 && a < t.inputs.length) { stop(); send(a); }
  });
  for (const id of ["noise", "missing", "share"]) {
    at(id).addEventListener("input", stand);
    at(id).addEventListener("change", () => { disturb(); recount(); });
  }
  at("again").addEventListener("click", () => { drawn++; disturb(); recount(); });
  at("repair").addEventListener("click", () => {
    for (const [id, value] of [["noise", 0], ["missing", 0], ["share", 100]]) at(id).value = value;
    removed.fill(0);
    disturb();
    stop();
    reset();
  });

  function recount() {
    taken = 0;
    correct = 0;
    stand();
    paint();
  }

  let painting = null; // Whether a press removes neurons, or brings them back.
  function pick(event) {
    const box = at("neurons").getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) / cell);
    const y = Math.floor((event.clientY - box.top) / cell), row = y * across + x;
    if (x < 0 || x >= across || row < 0 || row >= N) return;
    const neuron = t.order[row];
    if (painting === null) painting = removed[neuron] ? 0 : 1;
    if (removed[neuron] === painting) return;
    removed[neuron] = painting;
    if (painting) active[neuron] = 0;
    recount();
  }
  at("neurons").addEventListener("pointerdown", event => { painting = null; pick(event); });
  at("neurons").addEventListener("pointermove", event => { if (event.buttons) pick(event); });

  // ---- what the machine sees

  function paintFrames() {
    for (const each of document.querySelectorAll("canvas[data-frame]")) {
      const { shape, values } = t.frames[Number(each.dataset.frame)];
      const [high, wide] = shape, grey = new Uint8Array(bytes(values));
      each.width = wide;
      each.height = high;
      const pen = each.getContext("2d"), image = pen.createImageData(wide, high);
      grey.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
      pen.putImageData(image, 0, 0);
    }
  }

  let next = 0;
  function see(number) {
    for (const each of document.querySelectorAll(".frame")) each.classList.remove("seen");
    document.querySelectorAll(".frame")[number].classList.add("seen");
    send(t.frames[number].input);
  }
  if (t.frames) {
    paintFrames();
    at("frames").addEventListener("click", event => {
      const button = event.target.closest("button[data-frame]");
      if (button) { stop(); next = Number(button.dataset.frame) + 1; see(next - 1); }
    });
    at("watch").addEventListener("click", event => {
      if (!timer) { next = 0; reset(); }
      every(() => {
        if (next >= t.frames.length) return false;
        see(next++);
        return true;
      }, event.currentTarget, "stop");
    });
  }

  window.addEventListener("resize", paint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

  // For those who want to check it: what fires in each step under masks, from the start code on.
  window.vsafsm = {
    trace(masks) {
      let now = bits(t.codes[t.initial]);
      return masks.map(mask => {
        now = step(now, mask, 1).next;
        return Array.from(now.keys()).filter(i => now[i]);
      });
    },
    decode(neurons, mask) { return decode(bits(neurons), mask); },
  };
  reset();
})();
