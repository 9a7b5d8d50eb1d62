// Hands over what it hears, in blocks of 0.1 s at 24 kHz or so.
class Recorder extends AudioWorkletProcessor {
  #blocks = [];

  process([[samples = new Float32Array(128)]]) {
    this.#blocks.push(samples.slice());
    if (this.#blocks.length === 19) {
      const joined = new Float32Array(19 * 128);
      this.#blocks.forEach((block, index) => joined.set(block, index * 128));
      this.port.postMessage(joined);
      this.#blocks = [];
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
