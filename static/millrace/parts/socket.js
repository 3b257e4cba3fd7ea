// A websocket that comes back: with back-off and jitter, from where it stopped.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const REFUSED = new Set([4403, 4404]);

/**
 * Follow a websocket until it is over.
 *
 * @param {() => string} address path and query of the next connection
 * @param {{message: Function, state: Function, closed?: Function}} on
 *   message(object), state("live" | "reconnecting" | "off"), and closed(event, failures), which
 *   may return true to stay closed.
 * @returns {() => void} stops it
 */
export function follow(address, on) {
  let socket = null;
  let failures = 0;
  let timer = 0;
  let stopped = false;

  function open() {
    const url = new URL(address(), window.location.href);
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url);
    socket.addEventListener("message", (event) => {
      failures = 0;
      on.message(JSON.parse(event.data));
    });
    socket.addEventListener("open", () => on.state("live"));
    socket.addEventListener("close", lost);
  }

  function lost(event) {
    if (stopped) return;
    failures += 1;
    if (on.closed?.(event, failures) || REFUSED.has(event.code)) {
      if (REFUSED.has(event.code)) on.state("off");
      stopped = true;
      return;
    }
    on.state("reconnecting");
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
    timer = setTimeout(open, wait * (0.7 + 0.6 * Math.random()));
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    // one that still opens would complain in the console; the browser drops it with the page
    if (socket?.readyState === WebSocket.OPEN) socket.close();
  }

  window.addEventListener("online", () => {
    if (!stopped && socket?.readyState === WebSocket.CLOSED) {
      clearTimeout(timer);
      open();
    }
  });
  window.addEventListener("pagehide", stop, { once: true });
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
  open();
  return stop;
}

const WORDS = { live: "live", reconnecting: "reconnecting", connecting: "connecting", off: "signed out", over: "ended", polling: "polling" };

/** Say in the page's head how current the page is. */
export function showState(node, state) {
  if (!node) return;
  node.dataset.state = state;
  node.textContent = WORDS[state] ?? state;
}
