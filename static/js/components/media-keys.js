/** The keys of headsets and keyboards, and the player that telephones show on the locked screen. */

const STEP_S = 10;

/** @param {import("./playlist.js").Playlist} playlist @param {{title: string, voice_name: string}} job */
export function mediaKeys(playlist, job) {
  const session = navigator.mediaSession;
  if (!session) return;
  const start = (index) => playlist.segments[index]?.audio_url && playlist.play({ index, offset: 0 });
  const goTo = (seconds) => playlist.seek(playlist.timeline.place(seconds));
  const actions = {
    play: () => playlist.playing || playlist.toggle(),
    pause: () => playlist.pause(),
    seekbackward: ({ seekOffset }) => goTo(playlist.seconds - (seekOffset ?? STEP_S)),
    seekforward: ({ seekOffset }) => goTo(playlist.seconds + (seekOffset ?? STEP_S)),
    seekto: ({ seekTime }) => goTo(seekTime),
    previoustrack: () => start(Math.max(0, playlist.place.index - 1)),
    nexttrack: () => start(playlist.place.index + 1),
  };

  /** Not before the first sound: until then the keys belong to whatever else plays on this machine. */
  function claim() {
    session.metadata = new MediaMetadata({ title: job.title, artist: job.voice_name });
    for (const [action, act] of Object.entries(actions)) session.setActionHandler(action, act);
  }

  playlist.addEventListener("change", () => {
    if (playlist.playing && !session.metadata) claim();
    if (!session.metadata) return;
    session.playbackState = playlist.playing ? "playing" : "paused";
    session.setPositionState({ duration: playlist.length, position: playlist.seconds });
  });
}
