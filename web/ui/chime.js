/** @type {AudioContext | null} */
let context = null;

/** Two soft tones. Browsers let a page sound only after somebody did something in it. */
export function playChime() {
  context ??= new AudioContext();
  const { state } = context;
  if (state === "suspended") void context.resume().catch(() => {});
  const now = context.currentTime;
  tone(context, 659.26, now);
  tone(context, 880, now + 0.12);
}

/** @param {AudioContext} audio @param {number} frequency @param {number} at */
function tone(audio, frequency, at) {
  const oscillator = audio.createOscillator();
  const volume = audio.createGain();
  oscillator.frequency.value = frequency;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.08, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.35);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.4);
}
