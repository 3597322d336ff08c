/* Search from a disk. Browsers start no Worker for a page that is a file, so a hidden frame runs its script instead.
   The theme looks for a class of this name, and waits for what importScripts returns. */
window.IFrameWorker = class extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    this.frame = frame;
    window.addEventListener("message", (event) => {
      if (event.source === frame.contentWindow) this.dispatchEvent(new MessageEvent("message", { data: event.data }));
    });
    const inside = frame.contentWindow;
    inside.postMessage = (data) => window.dispatchEvent(new MessageEvent("message", { data, source: inside }));
    inside.importScripts = (...sources) => sources.reduce((before, source) => before.then(() => this.load(source)), Promise.resolve());
    this.loaded = this.load(url);
  }

  load(source) {
    return new Promise((resolve, reject) => {
      const script = this.frame.contentDocument.createElement("script");
      Object.assign(script, { src: source, onload: resolve, onerror: reject });
      this.frame.contentDocument.body.append(script);
    });
  }

  postMessage(data) {
    this.loaded.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
  }

  terminate() {
    this.frame.remove();
  }
};
if (location.protocol === "file:") window.Worker = window.IFrameWorker;
