// Clips that play in step: all of them run all the time, and one of them is heard.
class Deck {
  // buffers: AudioBuffers by name, of one length; levels: amplitude of each; start: of all of them on the
  // time line of the song, in seconds. out: where the sound goes.
  constructor(context, buffers, levels, start, out) {
    Object.assign(this, { context, buffers, levels, start, out: out || context.destination });
    this.names = Object.keys(levels);
    this.seconds = Math.max(0, ...Object.values(buffers).map((buffer) => buffer.duration));
    this.chosen = this.names[0];
    this.loop = null;
    this.sources = {};
    this.gains = {};
    this.playing = false;
    this.at = start;
    this.onstop = () => {};
    for (const name of this.names) {
      const gain = context.createGain();
      gain.gain.value = name === this.chosen ? levels[name] : 0;
      gain.connect(this.out);
      this.gains[name] = gain;
    }
  }

  get end() {
    return this.start + this.seconds;
  }

  // Fades over in 12 ms, which is short and does not click.
  choose(name) {
    this.chosen = name;
    const now = this.context.currentTime;
    for (const each of this.names) {
      const level = this.gains[each].gain;
      level.cancelScheduledValues(now);
      level.setValueAtTime(level.value, now);
      level.linearRampToValueAtTime(each === name ? this.levels[each] : 0, now + 0.012);
    }
  }

  setLevels(levels) {
    this.levels = levels;
    this.choose(this.chosen);
  }

  setLoop(from, to) {
    const at = this.position();
    this.loop = to > from + 0.05 ? [Math.max(from, this.start), Math.min(to, this.end)] : null;
    if (this.playing) this.play(at);
  }

  play(at) {
    this.silence();
    let from = Math.min(Math.max(at, this.start), this.end);
    if (from >= this.end - 0.01) from = this.start;
    if (this.loop && (from < this.loop[0] || from >= this.loop[1])) from = this.loop[0];
    const when = this.context.currentTime + 0.03;
    for (const name of this.names) {
      if (!this.buffers[name]) continue;
      const source = this.context.createBufferSource();
      source.buffer = this.buffers[name];
      if (this.loop) {
        source.loop = true;
        source.loopStart = this.loop[0] - this.start;
        source.loopEnd = this.loop[1] - this.start;
      }
      source.connect(this.gains[name]);
      source.start(when, from - this.start);
      this.sources[name] = source;
    }
    const first = Object.values(this.sources)[0];
    if (first) first.onended = () => this.stop(this.start);
    Object.assign(this, { playing: true, when, from });
  }

  stop(at) {
    this.at = at === undefined ? this.position() : at;
    this.silence();
    this.onstop();
  }

  silence() {
    for (const source of Object.values(this.sources)) {
      source.onended = null;
      source.stop();
      source.disconnect();
    }
    this.sources = {};
    this.playing = false;
  }

  seek(at) {
    this.at = Math.min(Math.max(at, this.start), this.end);
    if (this.playing) this.play(this.at);
  }

  position() {
    if (!this.playing) return this.at;
    const at = this.from + Math.max(0, this.context.currentTime - this.when);
    if (!this.loop || at < this.loop[1]) return Math.min(at, this.end);
    const [first, last] = this.loop;
    return first + ((at - first) % (last - first));
  }
}
