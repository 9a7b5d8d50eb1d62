// What a page really plays, for tests: every sample that reaches the loudspeakers of its AudioContext, every node
// that is connected and not let go, and the elements that play files.
(() => {
  /** Runs in the audio thread and hands over what it hears. */
  function recorder() {
    registerProcessor(
      "recorder",
      class extends AudioWorkletProcessor {
        process([[samples = new Float32Array(128)]]) {
          this.port.postMessage(samples);
          return true;
        }
      },
    );
  }

  const heard = { blocks: [], contexts: 0, connected: 0, elements: new Set() };
  globalThis.heard = heard;

  const connect = AudioNode.prototype.connect;
  const disconnect = AudioNode.prototype.disconnect;
  AudioNode.prototype.connect = function (target, ...more) {
    if (target instanceof AudioDestinationNode) this.context.tap.then((tap) => connect.call(this, tap));
    if (!this.letGo) heard.connected += 1;
    this.letGo = () => (heard.connected -= 1);
    return connect.call(this, target, ...more);
  };
  AudioNode.prototype.disconnect = function (...more) {
    this.letGo?.();
    this.letGo = null;
    return disconnect.call(this, ...more);
  };

  globalThis.AudioContext = class extends AudioContext {
    constructor(options) {
      super(options);
      heard.contexts += 1;
      this.tap = this.#listen();
    }

    async #listen() {
      const module = new Blob([`(${recorder})()`], { type: "text/javascript" });
      await this.audioWorklet.addModule(URL.createObjectURL(module));
      const node = new AudioWorkletNode(this, "recorder", { numberOfOutputs: 0 });
      node.port.onmessage = ({ data }) => heard.blocks.push(data);
      return node;
    }

    // The clock begins when every sample is listened to.
    async resume() {
      await this.tap;
      return super.resume();
    }
  };

  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    heard.elements.add(this);
    return play.call(this);
  };

  // PCM16 in base64, from the first frame of the context's clock on.
  heard.samples = () => {
    const all = new Int16Array(heard.blocks.reduce((sum, block) => sum + block.length, 0));
    let at = 0;
    for (const block of heard.blocks) {
      all.set(block.map((sample) => Math.round(sample * 32768)), at);
      at += block.length;
    }
    return new Uint8Array(all.buffer).toBase64();
  };
})();
