export { type Spillway, type SpillwayOptions, type Started, startSpillway } from './compose.js'
