// What a page really plays, for tests: every sample that reaches the loudspeakers of its AudioContext, every node
// that is connected and not let go, and the elements that play files.
(() => {
  /** Runs in the audio thread and hands over what it hears. */
  function recorder() {
    registerProcessor(
      "recorder",
      class extends AudioWorkletProcessor {
        constructor() {
          super();
          this.port.postMessage(null); // from now on it hears
        }

        process([[samples = new Float32Array(128)]], [[loudspeakers]]) {
          this.port.postMessage(samples);
          loudspeakers.set(samples);
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
    if (!this.letGo) heard.connected += 1;
    this.letGo = () => (heard.connected -= 1);
    if (target instanceof AudioDestinationNode) {
      // Before the loudspeakers, not beside them: a browser under load may begin with either of two branches.
      this.context.tap.then((tap) => connect.call(this, tap));
      return target;
    }
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
      const node = new AudioWorkletNode(this, "recorder", { outputChannelCount: [1] });
      await new Promise((made) => (node.port.onmessage = made));
      node.port.onmessage = ({ data }) => heard.blocks.push(data);
      connect.call(node, this.destination);
      return node;
    }

    // Nothing is put before it can be heard.
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

  // PCM16 in base64.
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
