(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const all = (query, root) => Array.from((root || document).querySelectorAll(query));
  const lin = (db) => 10 ** (db / 20);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const say = (text) => { byId("status").textContent = text; };
  const clock = (s) => `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, "0")}`;
  let context = null;
  let deck = null; // what is compared
  let solo = null; // the strip that is heard: { deck, id }
  let loading = null;
  let wanted = { at: data.loop[0], loop: data.loop };

  async function decoded(name) {
    const element = byId(`audio-${name}`);
    if (!element) return null;
    const text = atob(element.textContent.trim());
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
    return context.decodeAudioData(bytes.buffer);
  }

  async function buffersOf(names) {
    context = context || new AudioContext();
    await context.resume();
    const found = {};
    for (const [key, name] of Object.entries(names)) {
      const buffer = await decoded(name);
      if (buffer) found[key] = buffer;
    }
    return found;
  }

  function mainLevels() {
    const boost = Number(byId("boost").value);
    const match = byId("match").checked;
    return Object.fromEntries(Object.entries(data.mains).map(([name, { level, match: change }]) =>
      [name, lin(level + (match ? change : 0) + (name === "difference" ? boost : 0))]));
  }

  function mainDeck() {
    loading = loading || (async () => {
      say("Decoding the audio …");
      const buffers = await buffersOf(Object.fromEntries(Object.keys(data.mains).map((n) => [n, n])));
      deck = new Deck(context, buffers, mainLevels(), data.start);
      deck.choose(document.querySelector("input[name=source]:checked").value);
      deck.at = wanted.at;
      if (wanted.loop) deck.setLoop(...wanted.loop);
      deck.onstop = show;
      say("");
      return deck;
    })().catch((error) => { loading = null; say(`This browser cannot play the audio: ${error.message}`); throw error; });
    return loading;
  }

  const playing = () => (solo && solo.deck.playing ? solo.deck : deck && deck.playing ? deck : null);

  async function toggle() {
    const now = playing();
    if (now) { now.stop(); return show(); }
    const main = await mainDeck();
    main.play(main.at);
    return show();
  }

  function quietSolo() {
    if (solo) solo.deck.stop();
    solo = null;
  }

  async function listen(id, way) {
    if (deck && deck.playing) deck.stop();
    if (solo && solo.id === id) {
      if (solo.deck.playing && solo.deck.chosen === way) { solo.deck.stop(); return show(); }
    } else {
      quietSolo();
      const { start, levels: levelsDb } = data.strips[id];
      const ways = Object.keys(levelsDb);
      const buffers = await buffersOf(Object.fromEntries(ways.map((way) => [way, `${id}-${way}`])));
      const levels = Object.fromEntries(ways.map((way) => [way, lin(levelsDb[way])]));
      const made = new Deck(context, buffers, levels, start);
      made.setLoop(made.start, made.end);
      quietSolo();
      if (deck && deck.playing) deck.stop(); // begun while this was decoded
      solo = { deck: made, id };
    }
    solo.deck.choose(way);
    if (!solo.deck.playing) solo.deck.play(solo.deck.at);
    return show();
  }

  async function go(at, loop) {
    quietSolo();
    if (loop) setLoop(...loop);
    if (deck) deck.seek(at); else wanted.at = at;
    show();
  }

  function setLoop(from, to) {
    const on = to > from + 0.05;
    wanted.loop = on ? [from, to] : null;
    if (deck) { if (on) deck.setLoop(from, to); else deck.setLoop(0, 0); }
    show();
  }

  function choose(name) {
    const radio = byId(`source-${name}`);
    radio.checked = true;
    if (deck) deck.choose(name);
    if (solo) { const wasPlaying = solo.deck.playing; quietSolo(); if (wasPlaying) toggle(); }
    show();
  }

  // What the page shows of all that.
  const share = (s) => `${(100 * s) / data.length}%`;
  function show() {
    const now = playing();
    const at = now ? now.position() : deck ? deck.at : wanted.at;
    for (const head of all(".playhead")) head.style.left = share(at);
    byId("time").textContent = clock(at);
    const wave = byId("wave");
    wave.setAttribute("aria-valuenow", at.toFixed(1));
    wave.setAttribute("aria-valuetext", `${clock(at)} of ${clock(data.length)}`);
    const loop = wanted.loop;
    for (const mark of all(".loop")) {
      mark.hidden = !loop;
      if (loop) { mark.style.left = share(loop[0]); mark.style.width = share(loop[1] - loop[0]); }
    }
    byId("looped").checked = Boolean(loop);
    if (loop && !byId("loop-from").matches(":focus")) byId("loop-from").value = loop[0].toFixed(1);
    if (loop && !byId("loop-to").matches(":focus")) byId("loop-to").value = loop[1].toFixed(1);
    const button = byId("play");
    button.setAttribute("aria-label", now ? "Pause" : "Play");
    button.classList.toggle("on", Boolean(now));
    for (const each of all("[data-solo]")) {
      const on = Boolean(solo && now === solo.deck && each.dataset.solo === solo.id && each.dataset.way === solo.deck.chosen);
      each.setAttribute("aria-pressed", String(on));
    }
  }
  let last = 0;
  function tick(time) {
    if (playing() && (!calm.matches || time - last > 250)) { last = time; show(); }
    requestAnimationFrame(tick);
  }
  requestAnimationFrame(tick);

  // Hands.
  byId("play").addEventListener("click", toggle);
  for (const radio of all("input[name=source]")) radio.addEventListener("change", () => choose(radio.value));
  for (const id of ["match", "boost"]) byId(id).addEventListener("change", () => deck && deck.setLevels(mainLevels()));
  for (const each of all("[data-solo]")) {
    each.addEventListener("click", () => listen(each.dataset.solo, each.dataset.way));
  }
  for (const each of all("[data-moment]")) {
    const start = Number(each.dataset.moment);
    each.addEventListener("click", async () => {
      go(start, [Math.max(data.start, start - 1), Math.min(data.start + data.seconds, start + 2)]);
      const main = await mainDeck();
      main.play(start);
      show();
    });
  }
  function typedLoop() {
    const [from, to] = ["loop-from", "loop-to"].map((id) => Number(byId(id).value));
    if (byId("looped").checked) setLoop(Math.max(from, data.start), Math.min(to, data.start + data.seconds));
    else setLoop(0, 0);
  }
  for (const id of ["loop-from", "loop-to", "looped"]) byId(id).addEventListener("change", typedLoop);

  const secondsAt = (element, event) => {
    const box = element.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * data.length;
  };
  for (const line of all(".timeline")) {
    let from = null;
    line.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      from = { s: secondsAt(line, event), x: event.clientX };
      line.setPointerCapture(event.pointerId);
    });
    line.addEventListener("pointermove", (event) => {
      if (from && Math.abs(event.clientX - from.x) > 4) {
        const to = secondsAt(line, event);
        wanted.loop = [Math.min(from.s, to), Math.max(from.s, to)];
        show();
      }
    });
    line.addEventListener("pointerup", (event) => {
      if (!from) return;
      if (Math.abs(event.clientX - from.x) > 4 && wanted.loop) { setLoop(...wanted.loop); go(wanted.loop[0]); }
      else go(secondsAt(line, event));
      from = null;
    });
    line.addEventListener("pointercancel", () => { from = null; });
  }
  const names = Object.keys(data.mains);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const on = event.target;
    const typing = on.matches("input[type=number], select, textarea");
    if (typing) return;
    if (event.key >= "1" && event.key <= "4") { choose(names[Number(event.key) - 1]); event.preventDefault(); }
    else if (event.key === " " && !on.matches("button, summary, a, input[type=checkbox]")) { toggle(); event.preventDefault(); }
    else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && !on.matches("input")) {
      const now = deck ? deck.position() : wanted.at;
      const step = (event.shiftKey ? 5 : 1) * (event.key === "ArrowLeft" ? -1 : 1);
      go(Math.min(Math.max(now + step, data.start), data.start + data.seconds));
      event.preventDefault();
    } else if (event.key === "Escape") setLoop(0, 0);
  });
  // A strip that was gone to has the focus, so that the keyboard goes on from there.
  addEventListener("hashchange", () => {
    const target = location.hash && byId(location.hash.slice(1));
    if (target && target.matches(".card")) target.focus({ preventScroll: true });
  });
  show();
  // For whoever looks behind the page, as its tests do.
  window.mix2daw = { Deck, data, decoded, mainDeck, soloDeck: () => solo && solo.deck, context: () => context };
})();
