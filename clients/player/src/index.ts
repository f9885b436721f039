export { move, PACE, paced, trim, type Move, type PaceOptions, type Ranges } from './pace.js';
export { Placements } from './placements.js';
export { Player, type PlayerCounts, type PlayerOptions, type PlayerState } from './player.js';
export { pause } from './socket.js';
export { readMessage, readPart, type InitMessage, type Message, type Part } from './wire.js';
